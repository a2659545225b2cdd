"""What the rules of the new schema make of an old row, where it is not simply its value."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

from dpolg_tui.legacy import readings
from dpolg_tui.legacy.cells import Data, is_cell, is_clean

if TYPE_CHECKING:
    from dpolg_tui.legacy.lines import Row, TableLines
    from dpolg_tui.legacy.places import Place

SECRETS = ("schluesselcode", "smtp_password")
_LONGEST_STAY = 365
_LARGEST_NUMBER = 2**63 - 1
_MASKED = ["text", "***"]


class Rules:
    """Asked about one cell that differs: whether a rule of the mapping explains it."""

    def __init__(self, connection: Any, lines: TableLines) -> None:
        self._connection = connection
        self._name = lines.name
        self._lines = lines

    async def follows(self, row: Row, place: Place, stored: str) -> bool:
        """What the rules of the new schema make of the row."""
        match self._name, place.column:
            case "bookings", "room_id":
                return not stored and await self._has_no_room(row)
            case "bookings", "bezahlt" | "bezahlt_am" | "zahlungsmethode":
                # A payment of nothing is none.
                nothing = readings.as_money_or_none(self._lines.value(row, "gesamtpreis")) == "0.00"
                return nothing and stored in ("", "false")
            case "bookings", "ist_stiftungsfall":
                status = readings.as_text(self._lines.value(row, "status")).strip().lower()
                return stored == "true" and status == "stiftungsfall"
            case "rooms", "nebensaison_preis" | "hauptsaison_preis":
                # 0.0 was: never set.
                never = readings.as_money_or_none(self._lines.value(row, place.column)) == "0.00"
                pair = (self._lines.value(row, name) for name in ("price_non_member", "price_member"))
                return never and stored in {readings.as_money_or_none(value) for value in pair}
        if place.reference and not stored:
            return not await self._is_migrated(place.reference, self._lines.value(row, place.column))
        return False

    async def was_there(self, row: Row) -> bool:
        """Whether this is a room that was entered by hand before: it stayed as it was."""
        return self._name == "rooms" and bool(
            await self._connection.fetchval(
                "SELECT EXISTS (SELECT FROM migration_account f"
                " JOIN verification_rooms r ON r.id = f.target_id"
                " WHERE f.source_table = 'rooms' AND f.row_id = $1 AND f.fate = 'migrated'"
                " AND NOT EXISTS (SELECT FROM migration_earlier e WHERE e.source_table = 'rooms'"
                " AND e.row_id = f.row_id))",
                row[0],
            )
        )

    def is_namesake(self, row: Row, place: Place, stored: str, hidden: list[Data]) -> bool:
        """Its own value holds, if the name is the same and what the old file says is kept."""
        value = self._lines.value(row, place.column)
        said = readings.as_text(value) if is_clean(value) else readings.as_readable(value)
        if not said.strip():
            return True
        if place.column in ("name", "ort") and said.strip().casefold() != stored.strip().casefold():
            return False
        cells = [data.get(place.column) for data in hidden]
        return any(cell == _MASKED if place.column in SECRETS else is_cell(cell, value) for cell in cells)

    async def _has_no_room(self, row: Row) -> bool:
        """Whether a stay may be without a room: too long, the room is missing, or somebody else has it."""
        room = self._lines.value(row, "room_id")
        if not await self._is_migrated("rooms", room):
            return True
        arrival = readings.as_date(self._lines.value(row, "checkin_date"))
        departure = readings.as_date(self._lines.value(row, "checkout_date"))
        if readings.UNREADABLE in (arrival, departure) or not (arrival and departure):
            return False
        first, last = date.fromisoformat(arrival), date.fromisoformat(departure)
        if (last - first).days > _LONGEST_STAY:
            return True
        return bool(
            await self._connection.fetchval(
                "SELECT EXISTS (SELECT FROM app.occupancies o WHERE o.active AND o.arrival < $3 "
                "AND o.departure > $2"
                " AND o.room_id = (SELECT target_id FROM migration_account WHERE source_table = 'rooms'"
                " AND row_id = $1 UNION ALL SELECT target_id FROM migration_earlier WHERE "
                "source_table = 'rooms'"
                " AND row_id = $1 LIMIT 1))",
                int(readings.as_whole(room)),
                first,
                last,
            )
        )

    async def _is_migrated(self, table: str, value: Any) -> bool:
        number = readings.as_whole(value)
        if not number.lstrip("-").isdigit() or abs(int(number)) > _LARGEST_NUMBER:
            return False
        return bool(
            await self._connection.fetchval(
                "SELECT EXISTS (SELECT FROM migration_account WHERE source_table = $1 AND row_id = $2"
                " AND fate = 'migrated')"
                " OR EXISTS (SELECT FROM migration_earlier WHERE source_table = $1 AND row_id = $2)",
                table,
                int(number),
            )
        )
