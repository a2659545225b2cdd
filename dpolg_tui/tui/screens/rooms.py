"""The rooms and their blocks: search, open, create, retire, block, delete."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import DataTable, Static

from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain.german import (
    clean_line,
    format_date,
    format_date_range,
    format_money,
    format_nights,
    kind_label,
    natural_key,
    search_key,
)
from dpolg_tui.domain.models import Occupancy, Outcome, Role, Room
from dpolg_tui.domain.queued import MARK
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.block import BlockDialog
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.room import RoomDialog
from dpolg_tui.tui.saving import queued_sentence
from dpolg_tui.tui.screens.listing import ListScreen
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row
from dpolg_tui.tui.work import read, write

BLOCKS_AHEAD = timedelta(days=730)
BLOCK_COLUMNS = (Column("Sperre", 22), Column("Nächte", 10), Column("Art", 11), Column("Grund", 12, 1))


class RoomsScreen(ListScreen):
    """The list of rooms; below it the blocks of the marked one."""

    SCOPE = "rooms"
    TITLE = "Zimmer"
    HELP = (
        "Ein Zimmer, das es nicht mehr gibt, wird im Formular stillgelegt: so bleibt seine Geschichte. "
        "Unter der Liste stehen die Sperren des markierten Zimmers; Tab geht dorthin, Entf hebt sie auf."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("rooms")
    COLUMNS = (
        Column("Zimmer", 15, 3),
        Column("Art", 4),
        Column("Ort", 11, 2),
        Column("Gebäude", 9, 2),
        Column("P", 2),
        Column("Neben", 8),
        Column("Haupt", 8),
        Column("Endrein.", 8, wide_from=100),
        Column("Stand", 6, 6),
    )
    SEARCH_HINT = "Suchen: Name, Zimmerart, Gebäude, Ort"

    def __init__(self) -> None:
        super().__init__()
        self._blocks: dict[int, Occupancy] = {}

    def compose_below(self) -> ComposeResult:
        yield Static("", id="blocks-title", markup=False)
        yield RecordTable(BLOCK_COLUMNS, id="blocks-table")

    @property
    def blocks_table(self) -> RecordTable:
        """The blocks of the marked room."""
        return self.query_one("#blocks-table", RecordTable)

    def reload(self) -> None:
        wanted = search_key(self.searched).split()
        rooms = [
            room
            for room in sorted(self.desk.store.rooms.values(), key=lambda room: natural_key(room.name))
            if all(word in _search_text(room) for word in wanted)
        ]
        first = "n legt das erste an." if self.desk_app.role is Role.ADMIN else "ein Admin legt sie an."
        self.show_rows([self._row(room) for room in rooms], "Zimmer", f"Noch kein Zimmer: {first}")
        self._read_blocks()

    def _row(self, room: Room) -> Row:
        retired = room.retired_from
        gone = retired is not None and retired <= self.desk.today()
        cells = (
            room.name,
            room.category,
            room.place,
            room.building or "",
            str(room.capacity),
            format_money(room.price_low),
            format_money(room.price_high),
            format_money(room.final_cleaning_fee),
            _room_state(room),
        )
        return room.id, tuple(clean_line(cell) for cell in cells), "dim" if gone else ""

    def open_record(self, record_id: int) -> None:
        self.app.push_screen(RoomDialog(record_id))

    # Blocks of the marked room

    def on_data_table_row_highlighted(self, event: DataTable.RowHighlighted) -> None:
        event.stop()
        if event.data_table is self.table:
            self._read_blocks()

    def _read_blocks(self) -> None:
        room = self.desk.store.rooms.get(self.table.record_id or 0)
        title = self.query_one("#blocks-title", Static)
        if room is None:
            title.update("")
            self.blocks_table.show([])
            return
        title.update(f"Sperren von Zimmer {clean_line(room.name)}")
        read(self, self._load_blocks(room.id), "Sperren lesen", group="blocks")

    async def _load_blocks(self, room_id: int) -> None:
        today = self.desk.today()
        blocks = await self.desk.blocks.of_room(room_id, today, today + BLOCKS_AHEAD)
        if room_id != self.table.record_id:
            return
        self._blocks = {block.id: block for block in blocks}
        self.blocks_table.show(
            [
                (
                    block.id,
                    (
                        format_date_range(block.arrival, block.departure),
                        format_nights(block.nights),
                        f"{MARK} {kind_label(block.kind)}" if block.queued else kind_label(block.kind),
                        clean_line(block.reason or ""),
                    ),
                    "",
                )
                for block in self._blocks.values()
            ]
        )

    def on_data_table_row_selected(self, event: DataTable.RowSelected) -> None:
        if event.data_table is self.blocks_table:
            block = self._blocks.get(self.blocks_table.record_id or 0)
            if block is not None:
                self.app.push_screen(BlockDialog(block.room_id, block.arrival, block.departure, block))

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Rooms are for admins to delete; anybody may lift a block."""
        if action == "delete" and not (self.is_mounted and self.blocks_table.has_focus):
            return self.desk_app.role is Role.ADMIN
        return super().check_action(action, parameters)

    def action_new(self) -> None:
        """A new room."""
        self.app.push_screen(RoomDialog(), self._created)

    def _created(self, room_id: int | None) -> None:
        if room_id is not None:
            self.table.go_to(room_id)

    def action_block(self) -> None:
        """Blocks the marked room."""
        if self.table.record_id is not None:
            today = self.desk.today()
            self.app.push_screen(BlockDialog(self.table.record_id, today, today + timedelta(1)))

    def action_delete(self) -> None:
        """Deletes the marked room, or in the list of blocks the marked block."""
        if self.blocks_table.has_focus:
            block = self._blocks.get(self.blocks_table.record_id or 0)
            if block is not None:
                write(self, self._delete_block(block), "Sperre aufheben")
            return
        room = self.desk.store.rooms.get(self.table.record_id or 0)
        if room is not None:
            write(self, self._delete_room(room), "Zimmer löschen")

    async def _delete_room(self, room: Room) -> None:
        lines = [
            f"Zimmer {room.name}",
            "Das geht nur, wenn es nie belegt war. Sonst bitte im Formular stilllegen.",
        ]
        if await self.app.push_screen_wait(ConfirmDialog("Zimmer löschen?", lines, "Löschen", danger=True)):
            result = await self.desk.rooms.delete(room.id)
            queued = result.outcome is Outcome.QUEUED
            self.desk_app.show_toast(
                queued_sentence(f"Zimmer {room.name} löschen") if queued else f"Zimmer {room.name} gelöscht."
            )

    async def _delete_block(self, block: Occupancy) -> None:
        period = format_date_range(block.arrival, block.departure)
        lines = [f"{kind_label(block.kind)}: {block.reason or ''}", period]
        if await self.app.push_screen_wait(ConfirmDialog("Sperre aufheben?", lines, "Aufheben", danger=True)):
            result = await self.desk.blocks.delete(block.id)
            if result.outcome is Outcome.DONE:
                self.desk_app.show_toast(f"Sperre {period} aufgehoben.")
            elif result.outcome is Outcome.QUEUED:
                self.desk_app.show_toast(queued_sentence("Sperre aufheben"))

    def on_record_changed(self, event: RecordChanged) -> None:
        if event.kind == "room":
            self.reload_soon()
        elif event.kind == "block":
            self._read_blocks()


def _room_state(room: Room) -> str:
    gone = "" if room.retired_from is None else f"stillgelegt ab {format_date(room.retired_from)}"
    return f"{MARK} {gone or 'vorgemerkt'}" if room.queued else gone


def _search_text(room: Room) -> str:
    return search_key(
        " ".join(part for part in (room.name, room.category, room.building, room.place) if part)
    )
