"""Bookings: one method per thing that staff do with them, each one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from dpolg_tui import log
from dpolg_tui.db import reads, rows
from dpolg_tui.desk.actions import RecordActions
from dpolg_tui.desk.events import RecordChanged
from dpolg_tui.domain.errors import DomainError, OutcomeUnknown
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import (
    Booking,
    BookingSummary,
    FreeRoom,
    Occupancy,
    Outcome,
    Status,
    WriteResult,
)


def stay_value(room_id: int | None, arrival: date, departure: date) -> dict[str, object]:
    """Room, arrival and departure are one field of a write."""
    return {"room_id": room_id, "arrival": arrival, "departure": departure}


class BookingActions(RecordActions):
    """What staff do with bookings."""

    kind = "booking"

    async def get(self, booking_id: int) -> Booking:
        """The whole booking. Raises RecordMissing."""
        with log.action("Buchung lesen"):
            return await reads.booking(self._desk.database, booking_id)

    async def search(self, text: str, most: int = 30) -> list[BookingSummary]:
        """Bookings by number or guest, cancelled ones too; coming stays first."""
        with log.action("Buchung suchen"):
            return await reads.search_bookings(self._desk.database, text, most)

    async def free_rooms(
        self, arrival: date, departure: date, persons: int, except_booking: int | None = None
    ) -> list[FreeRoom]:
        """Rooms with nothing in the period, besides that booking itself."""
        with log.action("Freie Zimmer"):
            return await reads.free_rooms(self._desk.database, arrival, departure, persons, except_booking)

    async def taken(self, room_id: int, first: date, last: date) -> list[Occupancy]:
        """What takes the room in [first, last): from the store where it knows, else asked for."""
        if self._desk.store.covers(first, last):
            return self._desk.store.in_room(room_id, first, last)
        with log.action("Zimmerkalender"):
            return await reads.chart(self._desk.database, first, last, room_id)

    async def move(
        self, occupancy: Occupancy, room_id: int | None, arrival: date, departure: date
    ) -> WriteResult:
        """Another room or other days; shown at once, taken back if the database refuses.

        Of a guest in the house only the nights that remain move to another room. A block moves too,
        but never into the unassigned lane.
        """
        if occupancy.booking_id is None:
            return await self._desk.blocks.move(
                occupancy, room_id if room_id is not None else occupancy.room_id or 0, arrival, departure
            )
        before = stay_value(occupancy.room_id, occupancy.arrival, occupancy.departure)
        after = stay_value(room_id, arrival, departure)
        changes: Changes = {f"stay/{occupancy.id}": Change(before, after)}
        today = self._desk.today()
        remains = (
            occupancy.status is Status.CHECKED_IN
            and room_id != occupancy.room_id
            and occupancy.arrival < today < departure
        )
        if remains:
            stayed = stay_value(occupancy.room_id, occupancy.arrival, today)
            changes = {
                f"stay/{occupancy.id}": Change(before, stayed),
                "stay/new": Change(None, stay_value(room_id, today, departure)),
            }
            return await self.save(occupancy.booking_id, changes)
        shown = replace(occupancy, room_id=room_id, arrival=arrival, departure=departure)
        return await self._shown_at_once(occupancy, shown, changes)

    async def check_in(self, booking_id: int) -> WriteResult:
        """The guest has arrived."""
        return await self._change_status(booking_id, Status.CHECKED_IN)

    async def check_out(self, booking_id: int, departure: date | None = None) -> WriteResult:
        """The guest has left. ``departure`` before the booked one shortens the stay and frees the room."""
        changes: Changes = {}
        if departure is not None:
            bars = self._desk.store.of_booking(booking_id)
            for bar in bars:
                if bar.departure > departure:
                    before = stay_value(bar.room_id, bar.arrival, bar.departure)
                    kept = departure > bar.arrival
                    after = stay_value(bar.room_id, bar.arrival, departure) if kept else None
                    changes[f"stay/{bar.id}"] = Change(before, after)
        return await self._change_status(booking_id, Status.CHECKED_OUT, changes)

    async def cancel(self, booking_id: int, reason: str) -> WriteResult:
        """Cancel: the booking stays, its rooms are free again."""
        return await self._change_status(
            booking_id, Status.CANCELLED, {"cancellation_reason": Change(None, reason)}
        )

    async def reopen(self, booking_id: int) -> WriteResult:
        """Bring a cancelled booking back; without its room if that is taken (``lost_room``)."""
        return await self._change_status(booking_id, Status.CONFIRMED, was=Status.CANCELLED)

    async def _change_status(
        self, booking_id: int, status: Status, more: Changes | None = None, was: Status | None = None
    ) -> WriteResult:
        if was is None:
            bars = self._desk.store.of_booking(booking_id)
            was = bars[0].status if bars else (await self.get(booking_id)).status
        changes: Changes = {"status": Change(was, status), **(more or {})}
        return await self.save(booking_id, changes)

    async def _shown_at_once(self, stood: Occupancy, shown: Occupancy, changes: Changes) -> WriteResult:
        self._desk.store.put_provisionally(shown)
        self._tell_shown(shown)
        try:
            result = await self.save(stood.booking_id or 0, changes)
        except BaseException as error:
            self._take_back(stood)
            if isinstance(error, OutcomeUnknown) or not isinstance(error, DomainError):
                self._desk.read_again()  # it may have happened all the same
            raise
        if result.outcome is not Outcome.DONE:
            self._take_back(stood)
        return result

    def _take_back(self, occupancy: Occupancy) -> None:
        if self._desk.store.take_back(occupancy.id):
            self._tell_shown(occupancy)

    def _tell_shown(self, occupancy: Occupancy) -> None:
        self._desk.tell(
            RecordChanged(
                "booking", occupancy.booking_id or 0, "updated", own=True, occupancies=(occupancy.id,)
            )
        )

    def _take_over(self, record_id: int, answer: Mapping[str, Any], changes: Changes) -> tuple[int, ...]:  # noqa: ARG002
        bars = rows.occupancies_of(answer["state"])
        return self._desk.store.apply(bars, bookings=[record_id], version=answer["version"])

    def _forget(self, record_id: int) -> tuple[int, ...]:
        return self._desk.store.forget(booking_id=record_id)
