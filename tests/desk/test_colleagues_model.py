"""Two colleagues change the same records, often from an old view, take back and do again.

What is merged, what conflicts and what comes back is what a model of three records says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dpolg_tui.desk.undo import NOTHING_MORE, NOTHING_TO_REDO, NOTHING_TO_UNDO
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Outcome
from dpolg_tui.domain.rearrange import Place
from tests.databases import TestDatabase
from tests.desk.model import Ground, ground, play

Name = tuple[str, str]
"""Kind and field."""
Values = dict[Name, Any]
PLACES = 3
VALUES: Mapping[Name, st.SearchStrategy[Any]] = {
    ("guest", "city"): st.sampled_from([None, "Ulm", "Bonn"]),
    ("guest", "phone"): st.sampled_from(["0800 1", "0800 2"]),
    ("booking", "notes"): st.sampled_from([None, "Hund", "Katze"]),
    ("booking", "persons"): st.sampled_from([1, 2]),
    ("booking", "stay"): st.integers(0, PLACES - 1),
    ("block", "reason"): st.sampled_from(["Bad", "Heizung"]),
    ("block", "stay"): st.integers(0, PLACES - 1),
}
START: Values = {
    ("guest", "city"): None,
    ("guest", "phone"): "0800 1",
    ("booking", "notes"): None,
    ("booking", "persons"): 1,
    ("booking", "stay"): 0,
    ("block", "reason"): "Bad",
    ("block", "stay"): 0,
}
DESKS = st.integers(0, 1)


@st.composite
def wishes(draw: st.DrawFn) -> Values:
    """One record, some of its fields."""
    kind = draw(st.sampled_from(["guest", "booking", "block"]))
    names = [name for name in VALUES if name[0] == kind]
    chosen = draw(st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True))
    return {name: draw(VALUES[name]) for name in chosen}


@dataclass
class Entry:
    """A change as the model keeps it: what it did, and what taking it back did."""

    did: Values
    was: Values
    taken_back: bool = False
    undone: tuple[Values, Values] = field(default_factory=lambda: ({}, {}))


class Colleagues(RuleBasedStateMachine):
    """The model: values, who set them in which order, what each desk saw, and the changes of each."""

    on: Ground

    def __init__(self) -> None:
        super().__init__()
        self.values = dict(START)
        self.set_by: dict[Name, tuple[int, int]] = {}
        self.writes = 0
        self.seen = [dict(START), dict(START)]
        self.entries: list[list[Entry]] = [[], []]
        self.again: list[list[Entry]] = [[], []]

    @initialize()
    def furnish(self) -> None:
        desk = self.on.desks[0]
        day = desk.today() + timedelta(days=5)
        self.places = {
            kind: [
                Place(self.on.run(self._room()), day, day + timedelta(days=1 + number))
                for number in range(PLACES)
            ]
            for kind in ("booking", "block")
        }
        guest = {"last_name": "Huber", "phone": "0800 1"}
        self.ids = {"guest": self.on.run(desk.guests.create(guest)).id}
        stay = self.places["booking"][0].value()
        values = {"guest_id": self.ids["guest"], "persons": 1, "stay/new": stay}
        self.ids["booking"] = self.on.run(desk.bookings.create(values)).id
        (bar,) = desk.store.of_booking(self.ids["booking"])
        self.stay = f"stay/{bar.id}"
        place = self.places["block"][0]
        block = desk.blocks.create(place.room_id or 0, place.arrival, place.departure, Kind.HOUSE_USE, "Bad")
        self.ids["block"] = self.on.run(block).id
        for each in self.on.desks:
            each.undo.clear()

    async def _room(self) -> int:
        number: int = await self.on.owner.fetchval(
            "INSERT INTO app.rooms (name, category, place, capacity)"
            " VALUES (gen_random_uuid()::text, 'DZ', 'Lenggries', 2) RETURNING id"
        )
        return number

    # -- the model -------------------------------------------------------------------------------

    def fits(self, before: Values, after: Values) -> bool:
        """Whether nothing stands there that is neither the one nor the other."""
        return all(self.values[name] in (before[name], after[name]) for name in after)

    def write(self, who: int, after: Values) -> tuple[Values, Values]:
        """Sets values: what that changed, and what it was."""
        did = {name: value for name, value in after.items() if self.values[name] != value}
        was = {name: self.values[name] for name in did}
        self.writes += 1
        self.values |= did
        self.set_by |= dict.fromkeys(did, (self.writes, who))
        return did, was

    def builds_on(self, who: int, entry: Entry) -> bool:
        entries = self.entries[who]
        later = entries[entries.index(entry) + 1 :]
        return any(not other.taken_back and other.did.keys() & entry.did.keys() for other in later)

    # -- what staff do ---------------------------------------------------------------------------

    @rule(who=DESKS)
    def look(self, who: int) -> None:
        self.seen[who] = dict(self.values)

    @rule(who=DESKS, wishes=wishes())
    def save(self, who: int, wishes: Values) -> None:
        seen = {name: self.seen[who][name] for name in wishes}
        after = {name: value for name, value in wishes.items() if seen[name] != value}
        if not after:
            return
        (kind,) = {name[0] for name in after}
        changes = {
            self._field(name): Change(self._stored(name, seen[name]), self._stored(name, value))
            for name, value in after.items()
        }
        desk = self.on.desks[who]
        actions = {"guest": desk.guests, "booking": desk.bookings, "block": desk.blocks}[kind]
        result = self.on.run(actions.save(self.ids[kind], changes))
        differ = {name for name in after if not self.fits({name: seen[name]}, {name: after[name]})}
        assert {conflict.field for conflict in result.conflicts} == {self._field(name) for name in differ}
        if differ:
            assert result.outcome is Outcome.CONFLICT
            last = max(self.set_by[name] for name in differ)[1]
            assert result.changed_by == ("Anna Beispiel", "Ben Beispiel")[last]
            self.look(who)
            return
        assert result.outcome is Outcome.DONE
        did, was = self.write(who, after)
        self.seen[who] |= after
        if did:
            self.entries[who].append(Entry(did, was))
            self.again[who].clear()

    def _field(self, name: Name) -> str:
        return self.stay if name == ("booking", "stay") else name[1]

    def _stored(self, name: Name, value: Any) -> Any:
        return self.places[name[0]][value].value() if name[1] == "stay" else value

    # -- taking back and doing again -------------------------------------------------------------

    @rule(who=DESKS)
    def undo(self, who: int) -> None:
        """Strg+Z as often as it says: the newest that can be is taken back."""
        standing = [entry for entry in reversed(self.entries[who]) if not entry.taken_back]
        wanted = next(
            (it for it in standing if not self.builds_on(who, it) and self.fits(it.did, it.was)), None
        )
        done = self._press(self.on.desks[who].undo.undo, len(standing), NOTHING_TO_UNDO)
        assert done == (wanted is not None)
        if wanted is not None:
            wanted.taken_back, wanted.undone = True, self.write(who, wanted.was)
            self.again[who].append(wanted)

    @rule(who=DESKS)
    def redo(self, who: int) -> None:
        taken = self.again[who][::-1]
        wanted = next((it for it in taken if self.fits(*it.undone)), None)
        done = self._press(self.on.desks[who].undo.redo, len(taken), NOTHING_TO_REDO)
        assert done == (wanted is not None)
        if wanted is not None:
            self.again[who].remove(wanted)
            wanted.taken_back = False
            wanted.did, wanted.was = self.write(who, wanted.undone[1])

    def _press(self, key: Callable[[], Awaitable[Any]], most: int, nothing: str) -> bool:
        """Presses a key until something happens or it says that there is nothing; whether it did."""
        for _ in range(most + 1):
            told = self.on.run(key())
            if told.done:
                return True
            if told.sentence in (NOTHING_MORE, nothing):
                return False
        raise AssertionError(f"pressed {most + 1} times: {told.sentence}")

    # -- comparing -------------------------------------------------------------------------------

    @invariant()
    def the_database_holds_the_model(self) -> None:
        row = self.on.run(
            self.on.owner.fetchrow(
                "SELECT g.city, g.phone, b.notes, b.persons, s.room_id, s.departure, k.reason, k.room_id,"
                " k.departure FROM app.guests g, app.bookings b, app.occupancies s, app.occupancies k"
                " WHERE g.id = $1 AND b.id = $2 AND s.booking_id = $2 AND k.id = $3",
                *(self.ids["guest"], self.ids["booking"], self.ids["block"]),
            )
        )
        wanted: list[Any] = []
        for (kind, name), value in self.values.items():
            place = self.places[kind][value] if name == "stay" else None
            wanted += [value] if place is None else [place.room_id, place.departure]
        assert list(row) == wanted
        for entries, desk in zip(self.entries, self.on.desks, strict=True):
            assert [entry.taken_back for entry in desk.undo.last_changes.entries] == [
                entry.taken_back for entry in entries
            ]


def test_merging_and_taking_back_are_what_the_model_says(database: TestDatabase) -> None:
    with ground(database, "anna", "ben") as on:
        play(Colleagues, on, examples=15, steps=20)


@pytest.mark.long
@pytest.mark.both_versions
def test_merging_and_taking_back_for_long(database: TestDatabase) -> None:
    with ground(database, "anna", "ben") as on:
        play(Colleagues, on, examples=150, steps=30)
