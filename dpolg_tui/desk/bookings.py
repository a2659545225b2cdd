"""Bookings: one method per thing that staff do with them, each one round trip."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from datetime import date, timedelta
from typing import Any

from dpolg_tui import log
from dpolg_tui.db import reads, rows
from dpolg_tui.desk.actions import RecordActions
from dpolg_tui.desk.events import Kind, RecordChanged
from dpolg_tui.desk.offline import Write
from dpolg_tui.domain import rearrange as plans
from dpolg_tui.domain.errors import DomainError, InvalidInput, OutcomeUnknown
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
from dpolg_tui.domain.rearrange import Place, Plan, RecordWrite

DAY = timedelta(days=1)
NOT_READ = (
    "Ohne Verbindung lässt sich diese Buchung nicht öffnen: sie wurde seit der Anmeldung noch nicht gelesen."
)


class BookingActions(RecordActions):
    """What staff do with bookings."""

    kind = "booking"

    def refusal(self, booking_id: int) -> str:
        """Why it cannot be opened now, before its form is made; empty: nothing is known against it."""
        return self._desk.known.refusal("booking", booking_id, NOT_READ)

    async def get(self, booking_id: int) -> Booking:
        """The whole booking. Raises RecordMissing."""
        with log.action("Buchung lesen"):
            return await self._desk.known.read(
                "booking", booking_id, lambda id_: reads.booking(self._desk.database, id_), NOT_READ
            )

    async def search(self, text: str, most: int = 30) -> list[BookingSummary]:
        """Bookings by number or guest, cancelled ones too; coming stays first."""
        with log.action("Buchung suchen"):
            return await self._desk.known.search(
                lambda: reads.search_bookings(self._desk.database, text, most),
                lambda: self._desk.known.bookings(text, most),
            )

    async def free_rooms(
        self, arrival: date, departure: date, persons: int, except_booking: int | None = None
    ) -> list[FreeRoom]:
        """Rooms with nothing in the period, besides that booking itself."""
        with log.action("Freie Zimmer"):
            own = None if except_booking is None else self._desk.outbox.real_id(except_booking)
            asked = (arrival, departure, persons, own)
            return await self._desk.known.search(
                lambda: reads.free_rooms(self._desk.database, *asked),
                lambda: self._desk.known.free_rooms(*asked),
            )

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
        place = Place(room_id, arrival, departure)
        return await self.rearrange(plans.move(occupancy, place, self._desk.today()))

    async def swap(self, first: Occupancy, second: Occupancy) -> WriteResult:
        """The two exchange their rooms, each keeps its days. Raises InvalidInput."""
        return await self.rearrange(plans.swap(first, second, self._desk.today()))

    async def shift(self, occupancy: Occupancy, days: int, *, neighbours: bool = False) -> WriteResult:
        """Other days in the same room; ``neighbours``: who is in the way moves along. Raises InvalidInput."""
        if neighbours:
            by = timedelta(days=days)
            place = Place(occupancy.room_id, occupancy.arrival + by, occupancy.departure + by)
            return await self.rearrange(self.make_room(occupancy, place))
        return await self.rearrange(plans.shift(occupancy, days, (), self._desk.today()))

    def make_room(self, occupancy: Occupancy, place: Place) -> Plan:
        """The plan of a move that shifts who is in its way, as far as known here. Raises InvalidInput."""
        store = self._desk.store
        others = {bar.id: bar for bar in self.in_same_room(place.room_id)}
        for booking in {bar.booking_id for bar in others.values()} - {None}:
            others |= {bar.id: bar for bar in store.of_booking(booking or 0)}
        plan = plans.make_room(occupancy, place, others.values(), self._desk.today())
        for step in plan[1:]:
            # Another stay of the booking could begin where this desk knows nothing.
            if not store.covers(step.bar.arrival - DAY, step.bar.departure + DAY):
                raise InvalidInput(
                    f"{plans.bar_label(step.bar)} reicht über die geladenen Tage hinaus: bitte im Plan"
                    " dorthin blättern und noch einmal versuchen."
                )
        return plan

    async def split(self, occupancy: Occupancy, day: date, room_id: int | None) -> WriteResult:
        """Two stays of one: from ``day`` on in ``room_id``. Raises InvalidInput."""
        return await self.rearrange(plans.split(occupancy, day, room_id))

    async def join(self, occupancy: Occupancy, other: Occupancy) -> WriteResult:
        """One stay of two that follow each other, in the first one's room. Raises InvalidInput."""
        return await self.rearrange(plans.join(occupancy, other, self._desk.today()))

    def in_same_room(self, room_id: int | None) -> list[Occupancy]:
        """What takes a room, as far as this desk knows: neighbours for a plan."""
        return [] if room_id is None else self._desk.store.in_room(room_id, date.min, date.max)

    async def rearrange(self, plan: Plan) -> WriteResult:
        """Does all of a plan or nothing, in one round trip; shown at once, taken back if it is refused."""
        changed = plans.writes_of(plan)
        match changed:
            case ():
                return WriteResult(Outcome.DONE)
            case (RecordWrite("booking"),):
                work = self.save(changed[0].id, changed[0].changes)
            case (RecordWrite("block"),):
                work = self._desk.blocks.save(changed[0].id, changed[0].changes)
            case _:
                work = self.save_several(changed)
        return await self._shown_at_once(plan, work)

    async def save_several(self, changed: tuple[RecordWrite, ...]) -> WriteResult:
        """Changes of bookings and blocks that belong together: all of them or none."""
        with log.action("Belegung ändern"):
            answer = await self._once(Write.several(changed))
        return self._several_written(answer, {(one.kind, one.id): one.changes for one in changed})

    def _several_written(
        self, answer: dict[str, Any], changes: Mapping[tuple[str, int], Changes]
    ) -> WriteResult:
        self._desk.writes_answered += 1
        result = rows.write_result(answer, {})
        if result.outcome is Outcome.DONE:
            self._desk.undo.note_several(answer, changes)
            self._several_done(answer["records"], changes)
        return result

    def _several_done(
        self, records: list[dict[str, Any]], changes: Mapping[tuple[str, int], Changes]
    ) -> None:
        touched = []
        for record in records:
            state, key = record["state"], (record["kind"], record["id"])
            if state is not None:  # else done, and deleted since
                actions = self if record["kind"] == "booking" else self._desk.blocks
                answer = {"state": state, "version": state["version"]}
                touched.append(
                    (actions, record["id"], actions._take_over(record["id"], answer, changes[key]))
                )
        # Told when the store shows all of it.
        for actions, record_id, bars in touched:
            actions._done(record_id, "updated", bars)

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
                    kept = Place(bar.room_id, bar.arrival, departure) if departure > bar.arrival else None
                    changes[f"stay/{bar.id}"] = Change(Place.of(bar).value(), kept and kept.value())
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

    async def _shown_at_once(self, plan: Plan, work: Coroutine[Any, Any, WriteResult]) -> WriteResult:
        """Awaits the answer while the bars stand where they are wanted; not where stays come or go."""
        moved = [step for step in plan if step.changes_anything]
        stood = [step.bar for step in moved] if all(len(step.places) == 1 for step in moved) else []
        for step in moved if stood else ():
            self._desk.store.put_provisionally(step.places[0].take(step.bar))
        for bar in stood:
            self._tell_shown(bar)
        try:
            result = await work
        except BaseException as error:
            self._take_back(stood)
            if isinstance(error, OutcomeUnknown) or not isinstance(error, DomainError):
                self._desk.read_again()  # it may have happened all the same
            raise
        if result.outcome is not Outcome.DONE:
            self._take_back(stood)  # the queue shows what waits in it
        return result

    def _take_back(self, stood: Iterable[Occupancy]) -> None:
        for bar in [bar for bar in stood if self._desk.store.take_back(bar.id)]:
            self._tell_shown(bar)

    def _tell_shown(self, bar: Occupancy) -> None:
        kind: Kind = "block" if bar.booking_id is None else "booking"
        record_id = bar.id if bar.booking_id is None else bar.booking_id
        self._desk.tell(RecordChanged(kind, record_id, "updated", own=True, occupancies=(bar.id,)))

    def _take_over(self, record_id: int, answer: Mapping[str, Any], changes: Changes) -> tuple[int, ...]:  # noqa: ARG002
        self._desk.known.remember("booking", record_id, rows.booking(answer["state"]))
        bars = rows.occupancies_of(answer["state"])
        return self._desk.store.apply(bars, bookings=[record_id], version=answer["version"])

    def _forget(self, record_id: int) -> tuple[int, ...]:
        return self._desk.store.forget(booking_id=record_id)
