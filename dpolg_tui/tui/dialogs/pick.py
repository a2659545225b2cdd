"""A list to pick one option from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from time import monotonic
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.widgets import OptionList
from textual.widgets.option_list import Option as ListOption

from dpolg_tui.domain.german import search_key
from dpolg_tui.tui.dialogs.base import BaseDialog


@dataclass(frozen=True, slots=True)
class Option:
    """Something to choose: the value, and its words."""

    label: str
    value: object


class PickDialog(BaseDialog[Option]):
    """Shows options, the current one marked. Typed letters jump to the next that contains them."""

    HELP = "↑ und ↓ bewegen, Enter wählt, Buchstaben springen zum nächsten passenden Eintrag."
    AUTO_FOCUS = "OptionList"
    FORGET_AFTER: ClassVar[float] = 1.5

    def __init__(self, title: str, options: Sequence[Option], value: object) -> None:
        super().__init__(title)
        self._options = list(options)
        self._value = value
        self._typed = ""
        self._typed_at = 0.0

    def compose_body(self) -> ComposeResult:
        # Options may be names from the database: Text, never markup.
        yield OptionList(*(ListOption(Text(option.label)) for option in self._options))

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Abbrechen", "cancel")

    def on_mount(self) -> None:
        at = [i for i, option in enumerate(self._options) if option.value == self._value]
        self.query_one(OptionList).highlighted = at[0] if at else 0

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.finish(self._options[event.option_index])

    def on_key(self, event: events.Key) -> None:
        if event.character is None or not event.is_printable:
            return
        now = monotonic()
        again = self._typed if now - self._typed_at < self.FORGET_AFTER else ""
        self._typed, self._typed_at = again + event.character, now
        wanted = search_key(self._typed)
        labels = [search_key(option.label) for option in self._options]
        hits = [i for i, label in enumerate(labels) if label.startswith(wanted)] or [
            i for i, label in enumerate(labels) if wanted in label
        ]
        if hits:
            event.stop()
            self.query_one(OptionList).highlighted = hits[0]
