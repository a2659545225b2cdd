"""The audit log: who changed what, when and where, newest first, for admins."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer
from textual.widgets import DataTable, Static

from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain.audit import AuditEntry, AuditFilter
from dpolg_tui.domain.audited import KINDS
from dpolg_tui.domain.errors import RecordMissing
from dpolg_tui.domain.german import format_date, format_datetime
from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.words import (
    LINES_EACH,
    OPERATIONS,
    FieldChange,
    desk_name,
    field_changes,
    guests_in,
    record_name,
    record_words,
    who,
)
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.audit_entry import ONLY, OPEN, AuditEntryDialog
from dpolg_tui.tui.dialogs.audit_filter import AuditFilterDialog, Record
from dpolg_tui.tui.personal_data import say_where
from dpolg_tui.tui.records import open_record
from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row
from dpolg_tui.tui.work import read

REST = 0.3
"""Seconds of rest before changes of colleagues are read."""
MOST_LINES = 3000
"""Lines of the list; whoever needs older ones filters."""
AHEAD = 40
"""Lines left below the eye when older entries are read."""
SUMMARY = 6
"""Fields of a new or deleted record that its line names."""

Line = tuple[AuditEntry, FieldChange | None]
"""An entry and one of its changed fields; None: what was done to the record as a whole."""


class AuditScreen(DeskScreen):
    """The list of what was changed, a line per field; below it the marked line in full."""

    SCOPE = "audit"
    TITLE = "Protokoll"
    HELP = (
        "Jede Änderung mit Zeit, Person und Platz, die neueste oben; ältere kommen beim Blättern nach. "
        "Niemand kann hier etwas ändern oder löschen, auch kein Admin. "
        "Geheimes steht nie im Protokoll, nur dass es geändert wurde."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("audit")
    COLUMNS = (
        Column("Wann", 16),
        Column("Wer", 7, 2),
        Column("Platz", 10, 2, wide_from=110),
        Column("Eintrag", 15, 3),
        Column("Feld", 13, 2),
        Column("vorher → nachher", 16, 5),
    )

    def __init__(self) -> None:
        super().__init__()
        self._filter = AuditFilter()
        self._entries: dict[int, AuditEntry] = {}
        """By id, newest first."""
        self._lines: dict[int, Line] = {}
        self._at_end = False
        self._loading = False
        self._rest: Timer | None = None

    def compose_body(self) -> ComposeResult:
        yield Static("", id="audit-filter", markup=False)
        yield RecordTable(self.COLUMNS, id="audit-table", follows_top=True)
        yield Static("", id="audit-line", markup=False)
        yield Static("", id="list-says", markup=False)

    @property
    def table(self) -> RecordTable:
        """The list."""
        return self.query_one("#audit-table", RecordTable)

    def on_mount(self) -> None:
        self.table.focus()
        # Also the wheel and the scrollbar, which leave the cursor where it is.
        self.watch(self.table, "scroll_y", self._older_if_needed, init=False)
        self._show_filter()
        self.reload()

    # Reading

    def reload(self) -> None:
        """Read the newest entries."""
        read(self, self._load_newest(self._filter), "Protokoll lesen", group="audit-newest")

    def _reload_soon(self) -> None:
        if self._rest is not None:
            self._rest.stop()
        self._rest = self.set_timer(REST, self.reload)

    async def _load_newest(self, wanted: AuditFilter) -> None:
        page = await self.desk.audit.page(wanted, None)
        if wanted != self._filter:
            return
        known = self._entries
        if not page or page[-1].id > max(known, default=page[-1].id):
            # More has happened than fits on a page: what is known does not join on.
            known, self._at_end = {}, False
        self._take({**known, **{entry.id: entry for entry in page}})

    def _older_if_needed(self) -> None:
        table = self.table
        seen = max(table.cursor_row, int(table.scroll_y) + table.size.height)
        enough = len(self._lines) >= MOST_LINES or table.row_count - seen > AHEAD
        if self._entries and not (self._at_end or self._loading or enough):
            self._loading = True
            read(self, self._load_older(self._filter), "Ältere Einträge lesen", group="audit-older")

    async def _load_older(self, wanted: AuditFilter) -> None:
        try:
            page = await self.desk.audit.page(wanted, min(self._entries))
        finally:
            self._loading = False
        if wanted == self._filter:
            self._at_end = not page
            self._take({**self._entries, **{entry.id: entry for entry in page}})

    # Showing

    def _take(self, entries: dict[int, AuditEntry]) -> None:
        self._entries = dict(sorted(entries.items(), reverse=True))
        self._lines = {
            entry.id * LINES_EACH + number: (entry, change)
            for entry in self._entries.values()
            for number, change in enumerate(self._changes_shown(entry))
        }
        self.table.show([self._row(line, *of) for line, of in self._lines.items()])
        self._say()
        self._show_line()
        self.call_after_refresh(self._older_if_needed)

    def _changes_shown(self, entry: AuditEntry) -> Iterable[FieldChange | None]:
        return (None,) if entry.operation in OPERATIONS else self._wanted_changes(entry)

    def _wanted_changes(self, entry: AuditEntry) -> list[FieldChange]:
        wanted = self._filter.field
        return [
            change for change in field_changes(entry, self.desk.store.rooms) if wanted in (None, change.name)
        ]

    def _row(self, line: int, entry: AuditEntry, change: FieldChange | None) -> Row:
        what, values = self._words(entry, change)
        cells = (
            format_datetime(entry.timestamp),
            who(entry),
            desk_name(entry.client_id),
            record_words(entry),
            what,
            values,
        )
        return line, cells, ""

    def _words(self, entry: AuditEntry, change: FieldChange | None) -> tuple[str, str]:
        """What was changed, and how."""
        if change is not None:
            return change.label, f"{change.before} → {change.after}"
        changes = self._wanted_changes(entry)
        named = [(each.label, each.after or each.before) for each in changes[:SUMMARY]]
        # "Gast Gast Nr. 7" would say it twice.
        words = [of if of.startswith(label) else f"{label} {of}" for label, of in named]
        return OPERATIONS[entry.operation], " · ".join(words)

    def _show_filter(self) -> None:
        words = filter_words(self._filter, self._person_name, self._record_label)
        shown = f"Filter: {words} (Esc zeigt alles)" if words else "Alle Änderungen, die neuesten oben"
        self.query_one("#audit-filter", Static).update(shown)

    def _person_name(self, user_id: int) -> str:
        user = self.desk.store.colleagues.get(user_id)
        return user.display_name if user else f"Benutzer Nr. {user_id}"

    def _record_label(self, wanted: AuditFilter) -> str:
        known = (_record(entry) for entry in self._entries.values())
        return next((record.label for record in known if record.fits(wanted)), f"Nr. {wanted.record_id}")

    def _say(self) -> None:
        count = len(self._lines)
        if not count:
            says = (
                "Dazu steht nichts im Protokoll."
                if self._filter != AuditFilter()
                else "Noch nichts geschehen."
            )
        elif self._at_end:
            says = f"{count} Änderungen, das ist alles" if count > 1 else "1 Änderung, das ist alles"
        elif count >= MOST_LINES:
            says = f"Die neuesten {count} Änderungen: bitte mit f filtern, um ältere zu sehen."
        else:
            says = f"Die neuesten {count} Änderungen; ältere beim Blättern"
        self.query_one("#list-says", Static).update(says)

    def _show_line(self) -> None:
        """The marked line in full, as far as there is room."""
        marked = self._marked
        if marked is None:
            self.query_one("#audit-line", Static).update("")
            return
        entry, _ = marked
        what, values = self._words(*marked)
        about = f"{format_datetime(entry.timestamp)} · {who(entry)} · Platz {desk_name(entry.client_id)}"
        record = record_words(entry)
        self.query_one("#audit-line", Static).update(
            f"{about} · {record}\n{what}{': ' if values else ''}{values}"
        )

    @property
    def _marked(self) -> Line | None:
        return self._lines.get(self.table.record_id or 0)

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        self._show_line()
        self._older_if_needed()

    def on_record_changed(self, event: RecordChanged) -> None:  # noqa: ARG002 - whatever it was is in the log
        self._reload_soon()

    def on_store_reloaded(self) -> None:
        self.reload()

    # Actions

    def _set_filter(self, wanted: AuditFilter) -> None:
        if wanted == self._filter:
            return
        self._filter = wanted
        self._show_filter()
        self._entries, self._lines, self._at_end, self._loading = {}, {}, False, False
        self.table.show([])
        self.reload()

    def action_filter(self) -> None:
        """Chooses what is shown."""
        records = [_record(entry) for entry in self._entries.values() if _record(entry).fits(self._filter)][
            :1
        ]
        if self._marked is not None:
            records.append(_record(self._marked[0]))
        dialog = AuditFilterDialog(self._filter, self.desk.store.colleagues, records)

        def chosen(wanted: AuditFilter | None) -> None:
            if wanted is not None:
                self._set_filter(wanted)

        self.app.push_screen(dialog, chosen)

    def action_only(self) -> None:
        """Shows only what happened to the marked record; once more: everything."""
        if self._filter.record_id is not None:
            self._set_filter(AuditFilter())
        elif self._marked is not None:
            self._only(self._marked[0])

    def _only(self, entry: AuditEntry) -> None:
        record = _record(entry)
        self._set_filter(AuditFilter(tables=record.tables, record_id=record.id))

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        event.stop()
        self.action_show()

    def action_show(self) -> None:
        """Shows the marked entry with all its fields."""
        if self._marked is not None:
            read(self, self._show_entry(self._marked[0]), "Eintrag lesen", group="audit-entry")

    async def _show_entry(self, entry: AuditEntry) -> None:
        names: dict[int, str] = {}
        for guest_id in guests_in([entry]):
            try:
                names[guest_id] = (await self.desk.guests.get(guest_id)).name
            except RecordMissing:
                names[guest_id] = f"Gast Nr. {guest_id} (gelöscht)"
        changes = list(field_changes(entry, self.desk.store.rooms, names))

        def answered(answer: str | None) -> None:
            if answer == OPEN:
                open_record(self.desk_app, entry)
            elif answer == ONLY:
                self._only(entry)

        self.app.push_screen(AuditEntryDialog(entry, changes), answered)

    def action_open(self) -> None:
        """Opens the record that was changed."""
        if self._marked is not None:
            open_record(self.desk_app, self._marked[0])

    def action_export(self) -> None:
        """Writes what the filter shows into a file."""
        read(self, self._export(self._filter), "Protokoll als CSV schreiben", group="audit-export")

    async def _export(self, wanted: AuditFilter) -> None:
        say_where(self.desk_app, "Protokoll gespeichert", await self.desk.audit.export_csv(wanted))

    async def action_leave(self) -> None:
        """Esc: the filter goes, then back to the administration."""
        if self._filter != AuditFilter():
            self._set_filter(AuditFilter())
        else:
            await self.desk_app.go_to("users")


def _record(entry: AuditEntry) -> Record:
    """The record as a whole: what belongs to a booking counts to it."""
    if entry.booking_id is not None:
        return Record(f"Buchung {record_name(entry)}", ("bookings",), entry.booking_id)
    return Record(record_words(entry), (entry.table_name,), entry.record_id)


def filter_words(
    wanted: AuditFilter, person: Callable[[int], str], record: Callable[[AuditFilter], str]
) -> str:
    """A filter in a few words; empty if it lets everything through."""
    words: list[str] = []
    if wanted.user_id is not None:
        words.append(person(wanted.user_id))
    if wanted.record_id is not None:
        words.append(record(wanted))
    elif wanted.tables:
        words.append(
            next(
                (name for name, tables in KINDS.items() if tables == wanted.tables), ", ".join(wanted.tables)
            )
        )
    if wanted.field is not None:
        words.append(f"Feld {field_label(wanted.field, wanted.tables[0] if wanted.tables else '')}")
    if wanted.first is not None:
        words.append(f"ab {format_date(wanted.first)}")
    if wanted.last is not None:
        words.append(f"bis {format_date(wanted.last)}")
    return ", ".join(words)
