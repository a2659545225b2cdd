"""The guest of a booking: typing searches, the list below offers, its last entry makes a new one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.timer import Timer
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.german import clean_line
from dpolg_tui.domain.models import GuestSummary
from dpolg_tui.tui.widgets.fields import TextField
from dpolg_tui.tui.work import read

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

DEBOUNCE = 0.12
"""Seconds of rest before a search is sent."""

SHOWN = 8
"""Lines of the list in sight; it scrolls."""

FEWEST_LETTERS = 2


def prefill_from(typed: str) -> dict[str, object]:
    """What was typed into the search, sorted into the fields of a new guest."""
    text = " ".join(typed.split())
    if "@" in text:
        return {"email": text}
    if text and not any(sign.isalpha() for sign in text):
        return {"phone": text}
    if "," in text:
        last, _, first = text.partition(",")
    else:
        first, _, last = text.rpartition(" ")
    names = {"last_name": last.strip(), "first_name": first.strip()}
    return {name: value for name, value in names.items() if value}


class GuestField(TextField):
    """Its value is the id of a guest; its text the name, or what is being searched."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", show=False),
        Binding("up", "move(-1)", show=False),
        Binding("escape", "close_list", show=False),
    ]

    @dataclass
    class NewWanted(Message):
        """The user wants a guest that does not exist yet."""

        typed: str

    def __init__(self, name: str = "guest_id") -> None:
        super().__init__(name, max_length=200, required=True, placeholder="Name, E-Mail oder Telefon")
        self._chosen: int | None = None
        self._names: dict[int, str] = {}
        self._found: list[GuestSummary] = []
        self._found_for = ""
        self._timer: Timer | None = None
        self._list = OptionList(compact=True)
        self._list.can_focus = False
        self._list.display = False

    def compose(self) -> ComposeResult:
        yield self.editor_widget
        yield self._list

    # Value

    @property
    def raw(self) -> tuple[int | None, str]:  # type: ignore[override]
        return self._chosen, self.input.value

    def put_raw(self, raw: object) -> None:
        chosen, text = cast("tuple[int | None, str]", raw)
        self._chosen = chosen
        super().put_raw(text)
        self._close()

    def read(self, raw: object) -> object:
        chosen, text = cast("tuple[int | None, str]", raw)
        if chosen is None and text.strip():
            raise InvalidInput(
                "Bitte einen Gast aus der Liste wählen (↓ und Enter) oder mit Strg+N neu anlegen.", self.key
            )
        return chosen

    def write(self, value: object) -> tuple[int | None, str]:  # type: ignore[override]
        return (value, self.name_of(value)) if isinstance(value, int) else (None, "")

    def words(self, value: object) -> str:
        return self.name_of(value) if isinstance(value, int) else "leer"

    def name_of(self, guest_id: int) -> str:
        """Name of a guest that this field has met."""
        return self._names.get(guest_id, f"Gast Nr. {guest_id}")

    @property
    def known_names(self) -> dict[int, str]:
        """Names by id, for the conflict dialog."""
        return dict(self._names)

    def learn(self, guest_id: int, name: str) -> None:
        """A name, new or changed. The text follows if this guest is chosen."""
        shown = self._chosen == guest_id and self.input.value == self._names.get(guest_id)
        # A line break in a name would tear the screen apart.
        self._names[guest_id] = clean_line(name)
        if shown:
            super().put_raw(self._names[guest_id])

    def choose(self, guest_id: int, name: str) -> None:
        """Take this guest."""
        self._names[guest_id] = clean_line(name)
        self.put(guest_id)
        super().user_changed()

    # Search

    def user_changed(self) -> None:
        """Searches for what is typed, unless it is the name that was there."""
        text = self.input.value
        original = self.original if isinstance(self.original, int) else None
        self._chosen = original if original is not None and text == self.name_of(original) else None
        super().user_changed()
        if self._timer is not None:
            self._timer.stop()
        if self._chosen is not None or len(text.strip()) < FEWEST_LETTERS:
            self._close()
        else:
            self._timer = self.set_timer(DEBOUNCE, self._search)

    def _search(self) -> None:
        text = self.input.value.strip()
        if self.input.has_focus and self._chosen is None and text:
            read(self, self._find(text), "Gäste suchen", group="guest-search")

    async def _find(self, text: str) -> None:
        found = await cast("DeskApp", self.app).desk.guests.search(text)
        if text != self.input.value.strip() or not self.input.has_focus:
            return  # typed on meanwhile
        self._found, self._found_for = list(found), text
        self._list.clear_options()
        self._list.add_options(
            [
                *(Option(self._line(guest)) for guest in self._found),
                Option(Text(f"+ Neuer Gast „{text}“ …")),
            ]
        )
        self._list.highlighted = 0
        self._list.styles.height = min(len(self._found) + 1, SHOWN)
        self._list.display = True
        self._arrange()

    @staticmethod
    def _line(guest: GuestSummary) -> Text:
        more = " · ".join(part for part in (guest.city, guest.email, guest.phone) if part)
        return Text.assemble(guest.name, (f"  {more}" if more else "", "dim"))

    # The list

    @property
    def editor_height(self) -> int:
        return 1 + (min(len(self._found) + 1, SHOWN) if self._list.display else 0)

    @property
    def open(self) -> bool:
        """Whether the list is in sight."""
        return bool(self._list.display)

    def _close(self) -> None:
        if self._timer is not None:
            self._timer.stop()
        if self._list.display:
            self._list.display = False
            self._arrange()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """The keys of the list work while it is in sight."""
        return self.open if action in ("move", "close_list") else True

    def action_move(self, by: int) -> None:
        """Another entry of the list."""
        at = self._list.highlighted or 0
        self._list.highlighted = max(0, min(at + by, self._list.option_count - 1))

    def action_close_list(self) -> None:
        """Esc: the list goes, the text stays."""
        self._close()

    def submitted(self) -> None:
        """Enter: the marked entry of the list; without a list for this text the search, or the next field."""
        if self.open and self._found_for == self.input.value.strip():
            self._take(self._list.highlighted or 0)
        elif self._chosen is None and self.input.value.strip():
            self._search()
        else:
            self.screen.focus_next()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._take(event.option_index)

    def _take(self, index: int) -> None:
        if index < len(self._found):
            guest = self._found[index]
            self.choose(guest.id, guest.name)
            self.screen.focus_next()
        else:
            self._close()
            self.post_message(self.NewWanted(self.input.value))

    @property
    def typed(self) -> str:
        """What is being searched; empty once somebody is chosen."""
        return "" if self._chosen is not None else self.input.value

    def left(self) -> None:
        self._close()
        super().left()
