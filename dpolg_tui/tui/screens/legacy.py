"""Old data that found no place: the quarantine, and kept rows by table. Only to read, only for admins."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Static

from dpolg_tui.domain.german import clean_line, format_datetime
from dpolg_tui.domain.legacy import LegacyEntry, LegacyRun, LegacyTable, Place
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.legacy_row import LegacyRowDialog
from dpolg_tui.tui.screens.listing import PAGE, ListScreen
from dpolg_tui.tui.widgets.record_table import Column, RecordTable
from dpolg_tui.tui.work import read

QUARANTINE = ""
"""Stands for the quarantine where the name of a kept table may stand."""


class LegacyScreen(ListScreen):
    """Rows of the quarantine or of a kept table; below them what there is to choose."""

    SCOPE = "legacy"
    TITLE = "Altdaten"
    HELP = (
        "Was die Datenübernahme nicht in das neue System bringen konnte. In Quarantäne sind Zeilen, aus "
        "denen kein gültiger Datensatz wurde, mit dem Grund; aufbewahrt ist, wofür es hier keinen Platz "
        "gibt. Unten wählen Sie, was oben steht; Tab geht dorthin. Hier lässt sich nichts ändern."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("legacy")
    COLUMNS = (Column("Tabelle", 17), Column("Nummer", 8), Column("Grund oder Inhalt", 40, 1))
    SEARCH_HINT = "Suchen: Wörter, Nummer; in der Quarantäne auch die Tabelle"

    def __init__(self) -> None:
        super().__init__()
        self._sources: list[str] = [QUARANTINE]
        self._source = QUARANTINE
        self._entries: list[LegacyEntry] = []
        self._pages: list[int | None] = [None]
        """Where each page begins, up to the one that is shown."""
        self._more = False

    def compose_below(self) -> ComposeResult:
        yield Static("", id="blocks-title", markup=False)
        yield RecordTable(
            (Column("Wo", 11), Column("Tabelle", 20, 1), Column("Zeilen", 10)), id="blocks-table"
        )

    @property
    def sources_table(self) -> RecordTable:
        """What there is to choose: the quarantine and every kept table."""
        return self.query_one("#blocks-table", RecordTable)

    def on_mount(self) -> None:
        self._read_sources()

    def on_store_reloaded(self) -> None:
        self._read_sources()

    def _read_sources(self) -> None:
        read(self, self._load_sources(), "Altdaten lesen", group="sources")

    async def _load_sources(self) -> None:
        runs, tables = await self.desk.legacy.runs(), await self.desk.legacy.tables()
        kept = [table for table in tables if table.place is Place.KEPT]
        self._sources = [QUARANTINE, *(table.name for table in kept)]
        in_quarantine = sum(table.rows for table in tables if table.place is Place.QUARANTINE)
        cells = [("Quarantäne", "alle Tabellen", str(in_quarantine)), *map(_kept_cells, kept)]
        self.sources_table.show([(at, row, "") for at, row in enumerate(cells)])
        self.query_one("#blocks-title", Static).update(_title(runs))

    # Rows

    def reload(self) -> None:
        self._pages = [None]
        self._read_page()

    def _read_page(self) -> None:
        read(self, self._load_page(self._source, self.searched), "Altdaten lesen", group="rows")

    async def _load_page(self, source: str, searched: str) -> None:
        after = self._pages[-1]
        if source == QUARANTINE:
            found = await self.desk.legacy.quarantine(searched, PAGE, after)
        else:
            found = await self.desk.legacy.kept_rows(source, searched, PAGE, after)
        if (source, searched, after) != (self._source, self.searched, self._pages[-1]):
            return
        self._entries, self._more = found, len(found) >= PAGE
        self.table.show(
            [
                (at, (clean_line(entry.table), str(entry.row_id), clean_line(entry.says)), "")
                for at, entry in enumerate(found)
            ]
        )
        self.query_one("#list-says", Static).update(self._says())

    def _says(self) -> str:
        if not self._entries:
            if self.searched:
                return f"Nichts gefunden zu „{self.searched}“."
            return "Nichts in Quarantäne." if self._source == QUARANTINE else "Nichts aufbewahrt."
        page = len(self._pages)
        where = f" · Seite {page}" if page > 1 or self._more else ""
        return f"{len(self._entries)} Zeilen{where}{' · + zeigt weitere' if self._more else ''}"

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if event.data_table is self.sources_table:
            self._choose(self.sources_table.record_id)

    def _choose(self, at: int | None) -> None:
        if at is None or at >= len(self._sources) or self._sources[at] == self._source:
            return
        self._source = self._sources[at]
        self.table.go_to(0)
        self.reload()

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        if event.data_table is self.sources_table:
            self.table.focus()

    def open_record(self, record_id: int) -> None:
        if record_id < len(self._entries):
            read(self, self._open(self._entries[record_id]), "Zeile lesen", group="open")

    async def _open(self, entry: LegacyEntry) -> None:
        parts = await self.desk.legacy.row(entry.table, entry.row_id)
        self.app.push_screen(LegacyRowDialog(f"{entry.table} Nr. {entry.row_id}", parts))

    # Actions

    def action_next(self) -> None:
        """The next page."""
        if self._more:
            self._pages.append(self._entries[-1].cursor)
            self.table.go_to(0)
            self._read_page()

    def action_back(self) -> None:
        """The page before."""
        if len(self._pages) > 1:
            self._pages.pop()
            self.table.go_to(0)
            self._read_page()


def _kept_cells(table: LegacyTable) -> tuple[str, str, str]:
    return "aufbewahrt", clean_line(table.name), str(table.rows)


def _title(runs: list[LegacyRun]) -> str:
    if not runs:
        return "Hier wurden noch keine Daten übernommen."
    return f"Was oben steht · letzte Übernahme {format_datetime(runs[-1].started_at)}"
