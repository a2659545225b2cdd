"""Rearranging the house: move, swap, shift, split and join, worked out before anything is sent.

A plan says what becomes of each bar. The same plan is shown before → after, sent, and shown at once.
What only the database can judge (rooms taken by others, beds, retired rooms) is left to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations
from typing import Literal

from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Occupancy, Room, Status
from dpolg_tui.domain.pricing import price_stay
from dpolg_tui.domain.stay import check_stay, overlaps


@dataclass(frozen=True, slots=True)
class Place:
    """A room (None: unassigned) for [arrival, departure)."""

    room_id: int | None
    arrival: date
    departure: date

    @classmethod
    def of(cls, bar: Occupancy) -> Place:
        """Where a bar stands."""
        return cls(bar.room_id, bar.arrival, bar.departure)

    @property
    def nights(self) -> int:
        return (self.departure - self.arrival).days

    def value(self) -> dict[str, object]:
        """As one field of a write."""
        return {"room_id": self.room_id, "arrival": self.arrival, "departure": self.departure}

    def take(self, bar: Occupancy) -> Occupancy:
        """The bar as it looks when it stands here."""
        return replace(bar, room_id=self.room_id, arrival=self.arrival, departure=self.departure)

    def collides(self, other: Place) -> bool:
        """Whether both take the same room in one night."""
        return (
            self.room_id is not None
            and self.room_id == other.room_id
            and overlaps(self.arrival, self.departure, other.arrival, other.departure)
        )


@dataclass(frozen=True, slots=True)
class Step:
    """What becomes of a bar: the first place keeps its id, others are new stays; none: it goes."""

    bar: Occupancy
    places: tuple[Place, ...]

    @property
    def changes_anything(self) -> bool:
        return self.places != (Place.of(self.bar),)


Plan = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """The changes of one booking or block."""

    kind: Literal["booking", "block"]
    id: int
    changes: Changes


def writes_of(plan: Plan) -> tuple[RecordWrite, ...]:
    """What to send for a plan: each record once, only what changes."""
    changes: dict[tuple[Literal["booking", "block"], int], Changes] = {}
    for step in plan:
        if not step.changes_anything:
            continue
        bar, before = step.bar, Place.of(step.bar).value()
        if bar.booking_id is None:
            changes[("block", bar.id)] = {"stay": Change(before, step.places[0].value())}
            continue
        fields = changes.setdefault(("booking", bar.booking_id), {})
        fields[f"stay/{bar.id}"] = Change(before, step.places[0].value() if step.places else None)
        for place in step.places[1:]:
            number = sum(name.startswith("stay/new") for name in fields) + 1
            fields[f"stay/new{number}"] = Change(None, place.value())
    return tuple(RecordWrite(kind, id_, fields) for (kind, id_), fields in changes.items())


def in_the_house(bar: Occupancy) -> bool:
    """Whether the guest has arrived; also of one who has left: those nights are history."""
    return bar.status in (Status.CHECKED_IN, Status.CHECKED_OUT)


def moves_remaining(bar: Occupancy, room_id: int | None, departure: date, today: date) -> bool:
    """Of a guest in the house only the nights that remain move to another room."""
    return bar.status is Status.CHECKED_IN and room_id != bar.room_id and bar.arrival < today < departure


def move(bar: Occupancy, place: Place, today: date) -> Plan:
    """Another room or other days. Raises InvalidInput."""
    return _checked((_moved(bar, place, today),))


def swap(first: Occupancy, second: Occupancy, today: date) -> Plan:
    """The two exchange their rooms, each keeps its days; guests in the house the nights that remain.

    Raises InvalidInput.
    """
    if first.id == second.id:
        raise InvalidInput("Das ist derselbe Balken: bitte einen anderen zum Tauschen wählen.")
    if first.room_id == second.room_id:
        raise InvalidInput(
            "Beide haben noch kein Zimmer: bitte eines vergeben statt tauschen."
            if first.room_id is None
            else "Beide liegen schon im selben Zimmer: bitte einen Balken in einem anderen wählen."
        )
    return _checked(
        (
            _moved(first, Place(second.room_id, first.arrival, first.departure), today),
            _moved(second, Place(first.room_id, second.arrival, second.departure), today),
        )
    )


def shift(bar: Occupancy, days: int, others: Iterable[Occupancy], today: date) -> Plan:
    """Other days in the same room; who is in the way moves along as far as needed. Raises InvalidInput."""
    by = timedelta(days=days)
    return make_room(bar, Place(bar.room_id, bar.arrival + by, bar.departure + by), others, today)


def make_room(bar: Occupancy, place: Place, others: Iterable[Occupancy], today: date) -> Plan:
    """As move; those of ``others`` that are in the way are shifted, and in turn those in their way.

    In its own room who came before the bar is shifted to earlier days, everybody else to later ones.
    ``others`` holds what stands in that room and the other stays of their bookings: whoever goes on in
    another room cannot be shifted. Raises InvalidInput where one of them cannot be.
    """
    moved = _moved(bar, place, today)
    target = moved.places[-1]
    if target.room_id is None:
        return _checked((moved,))
    others = tuple(others)
    rest = [other for other in others if other.room_id == target.room_id and other.id != bar.id]
    earlier = [other for other in rest if bar.room_id == target.room_id and other.arrival < bar.arrival]
    before = [other for other in earlier if other.arrival < target.departure]
    after = [other for other in rest if other not in earlier and other.departure > target.arrival]
    steps = [moved]
    edge = target.departure
    for other in sorted(after, key=lambda it: it.arrival):
        if other.arrival >= edge:
            break
        steps.append(_pushed(other, edge - other.arrival, today))
        edge = steps[-1].places[0].departure
    edge = target.arrival
    for other in sorted(before, key=lambda it: it.departure, reverse=True):
        if other.departure <= edge:
            break
        steps.append(_pushed(other, edge - other.departure, today))
        edge = steps[-1].places[0].arrival
    _check_parts(steps, others)
    return _checked(tuple(steps))


def split(bar: Occupancy, day: date, room_id: int | None) -> Plan:
    """Two stays: until ``day`` where it is, from ``day`` on in ``room_id``. Raises InvalidInput."""
    if bar.is_block:
        raise InvalidInput("Teilen lassen sich nur Aufenthalte: für eine Sperre bitte eine zweite anlegen.")
    if not bar.arrival < day < bar.departure:
        raise InvalidInput(
            "Hier lässt sich der Aufenthalt nicht teilen: bitte den Cursor auf die erste Nacht des zweiten"
            " Teils stellen."
        )
    return _checked((Step(bar, (Place(bar.room_id, bar.arrival, day), Place(room_id, day, bar.departure))),))


def join(bar: Occupancy, other: Occupancy, today: date) -> Plan:
    """One stay of two that follow each other, in the room of ``bar``. Raises InvalidInput."""
    if bar.booking_id is None or bar.booking_id != other.booking_id or bar.id == other.id:
        raise InvalidInput("Verbinden lassen sich nur zwei Aufenthalte derselben Buchung.")
    left, right = sorted((bar, other), key=lambda it: it.arrival)
    if left.departure != right.arrival:
        raise InvalidInput(
            f"Die Aufenthalte schließen nicht aneinander an ({_dates(left)} und {_dates(right)}):"
            " bitte zuerst die Tage ändern."
        )
    if in_the_house(other) and other.room_id != bar.room_id and other.arrival < today:
        raise InvalidInput(
            f"{bar_label(other)} hat dort schon gewohnt: bitte den Balken dieses Zimmers wählen."
        )
    joined = Place(bar.room_id, left.arrival, right.departure)
    return _checked((Step(left, (joined,)), Step(right, ())))


def next_part(bar: Occupancy, parts: Sequence[Occupancy]) -> Occupancy | None:
    """The stay of the same booking that follows a bar at once, else the one before it."""
    own = [part for part in parts if part.booking_id == bar.booking_id and part.id != bar.id]
    following = (part for part in own if part.arrival == bar.departure)
    return next(following, None) or next((part for part in own if part.departure == bar.arrival), None)


def price_of(places: Sequence[Place], rooms: Mapping[int, Room]) -> Decimal | None:
    """Nights and final cleaning of a booking's stays; None if one has no room.

    The fee is due once for stays that follow each other.
    """
    total = Decimal("0.00")
    for place in places:
        room = rooms.get(place.room_id) if place.room_id is not None else None
        if room is None:
            return None
        goes_on = any(other.arrival == place.departure for other in places)
        total += price_stay(room, place.arrival, place.departure, final_cleaning=not goes_on).total
    return total


def bar_label(bar: Occupancy) -> str:
    """``2026-118 Huber``, or the kind of a block and its reason."""
    if bar.is_block:
        return german.clean_line(f"{german.kind_label(bar.kind)}: {bar.reason or ''}").rstrip(": ")
    return german.clean_line(f"{bar.number} {bar.last_name}")


def _dates(bar: Occupancy) -> str:
    return german.format_date_range(bar.arrival, bar.departure)


def _moved(bar: Occupancy, place: Place, today: date) -> Step:
    if not moves_remaining(bar, place.room_id, place.departure, today):
        return Step(bar, (place,))
    return Step(bar, (Place(bar.room_id, bar.arrival, today), Place(place.room_id, today, place.departure)))


def _pushed(bar: Occupancy, by: timedelta, today: date) -> Step:
    """A neighbour on other days."""
    if bar.is_block:
        raise InvalidInput(
            f"{bar_label(bar)} ({_dates(bar)}) lässt sich nicht mitverschieben: bitte andere Tage wählen."
        )
    if bar.status is not None and in_the_house(bar):
        raise InvalidInput(
            f"{bar_label(bar)} ist {german.status_label(bar.status)} und lässt sich nicht mitverschieben:"
            " bitte andere Tage oder ein anderes Zimmer wählen."
        )
    place = Place(bar.room_id, bar.arrival + by, bar.departure + by)
    if place.arrival < min(today, bar.arrival):
        raise InvalidInput(
            f"{bar_label(bar)} müsste dann schon am {german.format_date(place.arrival)} anreisen:"
            " bitte andere Tage wählen."
        )
    return Step(bar, (place,))


def _check_parts(steps: Sequence[Step], others: Iterable[Occupancy]) -> None:
    """Who was shifted has all the nights of the booking still in a row, and none of them twice."""
    places = {other.id: (Place.of(other),) for other in others} | {it.bar.id: it.places for it in steps}
    bars = {other.id: other for other in others} | {step.bar.id: step.bar for step in steps}
    for step in steps[1:]:
        bar, place = step.bar, step.places[0]
        for part in bars.values():
            if bar.booking_id is None or part.booking_id != bar.booking_id or part.id == bar.id:
                continue
            first, last = places[part.id][0].arrival, places[part.id][-1].departure
            if part.arrival == bar.departure:
                fits = first == place.departure
            elif part.departure == bar.arrival:
                fits = last == place.arrival
            elif overlaps(part.arrival, part.departure, bar.arrival, bar.departure):
                fits = first - part.arrival == place.arrival - bar.arrival
            else:
                fits = not overlaps(first, last, place.arrival, place.departure)
            if not fits:
                raise InvalidInput(
                    f"{bar_label(bar)} ({_dates(bar)}) hat auch {_dates(part)} ein Zimmer, beides gehört"
                    " zusammen und lässt sich nicht einzeln mitverschieben: bitte andere Tage oder ein"
                    " anderes Zimmer wählen."
                )


def _checked(plan: Plan) -> Plan:
    """What holds whoever else is in the house."""
    for step in plan:
        for place in step.places:
            check_stay(place.arrival, place.departure)
            if place.room_id is None and step.bar.is_block:
                raise InvalidInput("Eine Sperre braucht ein Zimmer: bitte eines wählen.")
            if place.room_id is None and in_the_house(step.bar):
                raise InvalidInput(f"{bar_label(step.bar)} ist im Haus und braucht ein Zimmer.")
    taken = [(step, place) for step in plan for place in step.places]
    for (one, place), (other, other_place) in combinations(taken, 2):
        if place.collides(other_place):
            raise InvalidInput(
                f"Das geht nicht auf: {bar_label(one.bar)} und {bar_label(other.bar)} lägen in derselben"
                " Nacht im selben Zimmer."
            )
    return plan
