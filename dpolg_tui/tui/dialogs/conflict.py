"""Two people changed the same field: before, mine and theirs side by side, chosen field by field."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button, DataTable, Static

from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.models import Conflict
from dpolg_tui.domain.words import field_text
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog

MINE, THEIRS = "mine", "theirs"
FIELD_WIDTH, VALUE_WIDTH = 13, 17
"""Columns that stand side by side on 80 columns; longer values go on in the next line."""
LONGEST = 200
"""Characters of a value that are shown: enough to tell two notes apart."""


GONE = "Aufenthalt entfernt"
AS_NEW = "als neuer Aufenthalt: "


def is_gone(conflict: Conflict) -> bool:
    """Whether it is about a stay that a colleague has removed."""
    return conflict.theirs is None and conflict.field.startswith("stay/")


class ConflictDialog(BaseDialog[dict[str, object]]):
    """Answers the wanted value of each field, or None: back to the form, nothing saved."""

    SCOPE = "conflict"
    HELP = "Je Zeile wählen, welcher Wert gelten soll. Nichts ist gespeichert, bis „Übernehmen“ gewählt ist."
    BINDINGS: ClassVar[list[BindingType]] = bindings("conflict")
    AUTO_FOCUS = "DataTable"

    def __init__(
        self, conflicts: Sequence[Conflict], colleague: str | None, names: dict[int, str] | None = None
    ) -> None:
        super().__init__("Gleichzeitig geändert")
        self._conflicts = list(conflicts)
        self._colleague = colleague or "Jemand anderes"
        self._guest_names = names or {}
        self._choice = dict.fromkeys((conflict.field for conflict in conflicts), MINE)

    def compose_body(self) -> ComposeResult:
        yield Static(
            f"{self._colleague} hat inzwischen gespeichert, was Sie auch geändert haben. Was soll gelten?",
            markup=False,
        )
        table: DataTable[Text] = DataTable(cursor_type="row", zebra_stripes=False)
        yield table
        yield Static("", markup=False, id="chosen")

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Übernehmen", "save", primary=True)
        yield self.button("Zurück zum Formular", "cancel")

    @property
    def _table(self) -> DataTable[Text]:
        return self.query_one(DataTable)

    def on_mount(self) -> None:
        self._table.add_column("Feld", key="field", width=FIELD_WIDTH)
        self._table.add_column("vorher", key="before", width=VALUE_WIDTH)
        self._table.add_column("meins (M)", key=MINE, width=VALUE_WIDTH)
        self._table.add_column("gespeichert (G)", key=THEIRS, width=VALUE_WIDTH)
        for conflict in self._conflicts:
            self._table.add_row(
                Text(field_label(conflict.field)),
                Text(self._words(conflict, conflict.before)),
                *self._options(conflict),
                key=conflict.field,
                height=None,
            )

    def _words(self, conflict: Conflict, value: object) -> str:
        words = field_text(conflict.field, value, self.desk.store.rooms, self._guest_names)
        return words if len(words) <= LONGEST else words[: LONGEST - 1] + "…"

    def _options(self, conflict: Conflict) -> tuple[Text, Text]:
        chosen = self._choice[conflict.field]
        mine, theirs = self._words(conflict, conflict.mine), self._words(conflict, conflict.theirs)
        if is_gone(conflict):
            mine, theirs = f"{AS_NEW}{mine}", GONE
        return self._option(mine, chosen == MINE), self._option(theirs, chosen == THEIRS)

    @staticmethod
    def _option(words: str, chosen: bool) -> Text:
        return Text(f"{'●' if chosen else '○'} {words}", "bold" if chosen else "")

    def _choose(self, which: str) -> None:
        row = self._table.cursor_row
        if not 0 <= row < len(self._conflicts):
            return
        conflict = self._conflicts[row]
        self._choice[conflict.field] = which
        for column, cell in zip((MINE, THEIRS), self._options(conflict), strict=True):
            self._table.update_cell(conflict.field, column, cell)
        if row + 1 < len(self._conflicts):
            self._table.move_cursor(row=row + 1)

    def action_mine(self) -> None:
        """My value shall be saved."""
        self._choose(MINE)

    def action_theirs(self) -> None:
        """The colleague's value stays."""
        self._choose(THEIRS)

    def action_save(self) -> None:
        """Take what is chosen."""
        self.finish(
            {
                conflict.field: conflict.mine if self._choice[conflict.field] == MINE else conflict.theirs
                for conflict in self._conflicts
            }
        )

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        """Enter or a click on a line swaps its choice."""
        event.stop()
        field = self._conflicts[event.cursor_row].field
        at = event.cursor_row
        self._choose(THEIRS if self._choice[field] == MINE else MINE)
        self._table.move_cursor(row=at)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "save":
            event.stop()
            self.action_save()
