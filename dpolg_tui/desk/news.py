"""What colleagues did: from the lines of the change feed into the store and to the screens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from dpolg_tui.db import reads
from dpolg_tui.desk.events import Interrupted, Missed, RecordChanged
from dpolg_tui.desk.labels import record_name
from dpolg_tui.domain.models import Occupancy, RealtimeEvent

if TYPE_CHECKING:
    from dpolg_tui.db.live import LiveUpdate
    from dpolg_tui.desk.desk import Desk

_VERBS = {"created": "angelegt", "updated": "geändert", "deleted": "gelöscht"}

Events = Mapping[int, RealtimeEvent]


async def apply(desk: Desk, events: tuple[RealtimeEvent, ...]) -> None:
    """Read what changed, show it in the store, and tell the screens record by record."""
    store = desk.store
    of_kind: dict[str, dict[int, RealtimeEvent]] = {}
    for event in events:
        kind = event.type.partition("-")[0]
        events_of = of_kind.setdefault(kind, {})
        before = events_of.get(_record_id(event))
        events_of[_record_id(event)] = _as_one(before, event) if before is not None else event
    if "user" in of_kind:
        await _read_colleagues(desk)
    if "room" in of_kind:
        await _read_rooms(desk)
    bookings, blocks = of_kind.get("booking", {}), of_kind.get("block", {})
    guests = of_kind.get("guest", {})
    gone, gone_blocks = _deleted(bookings), _deleted(blocks)
    asked = (bookings.keys() | store.bookings_of_guests(guests)) - gone
    fresh = await _read_bars(desk, asked, blocks.keys() - gone_blocks)
    for key in sorted(bookings):
        theirs = [bar for bar in fresh if bar.booking_id == key]
        touched = store.forget(booking_id=key) if key in gone else store.apply(theirs, bookings=[key])
        _tell(desk, bookings[key], touched)
    for key in sorted(blocks):
        theirs = [bar for bar in fresh if bar.is_block and bar.id == key]
        touched = store.forget(block_id=key) if key in gone_blocks else store.apply(theirs, blocks=[key])
        _tell(desk, blocks[key], touched)
    for key, event in guests.items():
        theirs = [bar for bar in fresh if bar.guest_id == key]
        named = {bar.booking_id for bar in theirs if bar.booking_id is not None}
        _tell(desk, event, store.apply(theirs, bookings=named))
    for kind in ("room", "user", "setting"):
        for event in of_kind.get(kind, {}).values():
            _tell(desk, event, ())
    await _tell_reminders(desk, of_kind.get("reminder", {}))


def _as_one(before: RealtimeEvent, later: RealtimeEvent) -> RealtimeEvent:
    """Two events of one record: what a colleague made and changed is new here, what this desk made is not."""
    made_elsewhere = before.type.endswith("-created") and not before.payload["own"]
    if made_elsewhere and later.type.endswith("-updated"):
        return replace(later, type=before.type)
    return later


def missed(desk: Desk, events: tuple[RealtimeEvent, ...]) -> tuple[Missed, ...]:
    """The same events in words, without own ones; after they were applied."""
    found = []
    for event in events:
        if event.payload["own"]:
            continue
        kind, _, what = event.type.partition("-")
        by = desk.store.colleagues.get(event.user_id or 0)
        words = f"{record_name(desk, kind, _record_id(event))} {_VERBS[what]}"
        found.append(Missed(event.timestamp, by.display_name if by else "Jemand", words))
    return tuple(found)


async def _read_colleagues(desk: Desk) -> None:
    colleagues = await reads.colleagues(desk.database)
    desk.store.colleagues = {}
    for user in colleagues:
        desk.know_colleague(user)


async def _read_rooms(desk: Desk) -> None:
    written = None
    while written != desk.writes_answered:  # else an own change meanwhile would look undone
        written = desk.writes_answered
        rooms = await reads.rooms(desk.database)
    desk.store.take_rooms(rooms)


async def _read_bars(desk: Desk, bookings: set[int], blocks: set[int]) -> list[Occupancy]:
    fresh: list[Occupancy] = []
    written = None
    while (bookings or blocks) and written != desk.writes_answered:
        written = desk.writes_answered
        fresh = await reads.chart_rows(desk.database, bookings, blocks)
    return fresh


async def _tell_reminders(desk: Desk, events: Events) -> None:
    """Says of each to which booking it belongs: the feed only has its own id."""
    asked = events.keys() - _deleted(events)
    known = await reads.reminders(desk.database, asked) if asked else []
    for reminder in known:
        desk.known.remember_reminder(reminder)
    for key in _deleted(events):
        desk.known.forget_reminder(key)
    booking_of = {reminder.id: reminder.booking_id for reminder in known}
    for key in sorted(events):
        _tell(desk, events[key], (), booking_of.get(key))


def _deleted(events: Events) -> set[int]:
    return {key for key, event in events.items() if event.type.endswith("-deleted")}


def _tell(desk: Desk, event: RealtimeEvent, touched: tuple[int, ...], booking_id: int | None = None) -> None:
    kind, _, what = event.type.partition("-")
    desk.tell(
        RecordChanged(
            kind=kind,  # type: ignore[arg-type]  # one of Kind: apply takes no other
            id=_record_id(event),
            action=what,  # type: ignore[arg-type]  # created, updated or deleted
            own=bool(event.payload["own"]),
            by=desk.store.colleagues.get(event.user_id or 0),
            occupancies=touched,
            booking_id=booking_id,
        )
    )


def _record_id(event: RealtimeEvent) -> int:
    return int(str(event.payload["id"]))


def tell_missed(desk: Desk, update: LiveUpdate) -> None:
    """After an interruption: how much others changed meanwhile, and who."""
    desk.missed = missed(desk, update.events)
    names = tuple(dict.fromkeys(one.by for one in desk.missed))
    if update.reload:
        desk.tell(Interrupted(None))
    elif desk.missed:
        desk.tell(Interrupted(len(desk.missed), names))
