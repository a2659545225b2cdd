"""A choice in one line: shows what is chosen, left and right step, Enter opens the list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from dpolg_tui.tui.dialogs.pick import Option, PickDialog


class Choice(Widget, can_focus=True):
    """One of a few values. Its value is always one of the options, or None before there are any."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "step(-1)", "zurück", show=False),
        Binding("right", "step(1)", "weiter", show=False),
        Binding("space", "next", "weiter", show=False),
        Binding("enter,down,up", "open", "auswählen", show=False),
    ]

    @dataclass
    class Changed(Message):
        """The user has chosen another value."""

        choice: Choice
        value: object

    def __init__(
        self,
        options: Sequence[Option] = (),
        value: object = None,
        *,
        title: str = "",
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(id=id)
        self._options = list(options)
        self._value = value
        self._title = title

    @property
    def options(self) -> Sequence[Option]:
        """What can be chosen."""
        return self._options

    @property
    def value(self) -> object:
        """The chosen value."""
        return self._value

    @value.setter
    def value(self, value: object) -> None:
        self._value = value
        self.refresh()

    def set_options(self, options: Sequence[Option]) -> None:
        """Offer something else. What is chosen stays chosen."""
        self._options = list(options)
        self.refresh()

    def label_of(self, value: object) -> str:
        """The words of an option."""
        return next((option.label for option in self._options if option.value == value), "")

    def render(self) -> Text:
        text = Text(self.label_of(self._value), no_wrap=True)
        text.truncate(max(1, self.size.width - 2), overflow="ellipsis")
        return text.append(" ▾")

    def _choose(self, value: object) -> None:
        if value != self._value:
            self.value = value
            self.post_message(self.Changed(self, value))

    def action_step(self, by: int) -> None:
        """Take the next option in a direction; stops at the ends."""
        at = next((i for i, option in enumerate(self._options) if option.value == self._value), -1)
        to = at + by
        if 0 <= to < len(self._options):
            self._choose(self._options[to].value)

    def action_next(self) -> None:
        """The next option, after the last one the first; with many, open the list."""
        if len(self._options) > 4:
            self.action_open()
        elif self._options:
            at = next((i for i, option in enumerate(self._options) if option.value == self._value), -1)
            self._choose(self._options[(at + 1) % len(self._options)].value)

    def action_open(self) -> None:
        """Show all options in a list."""

        def chosen(option: Option | None) -> None:
            if option is not None:
                self._choose(option.value)

        if self._options and not self.disabled:
            self.app.push_screen(PickDialog(self._title, self._options, self._value), chosen)

    def on_click(self, event: events.Click) -> None:
        """The mouse opens the list."""
        event.stop()
        self.action_open()
