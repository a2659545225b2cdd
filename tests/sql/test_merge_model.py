"""domain/merge.py and the database merge by the same rule: random records on real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.domain.merge import diff, merge, merge_elements
from tests.databases import Server
from tests.sql.stage import Desk, Stage, change, day, new, open_stage

State = dict[str, Any]
Spell = Callable[[Any], Any]

FEW = settings(max_examples=12, deadline=None, database=None)
MANY = settings(FEW, max_examples=200)

# -- values as they are stored, and other ways to write them ---------------------------------------

TEXT = st.sampled_from((None, "Ä", "ä", "a\tb\nc", " ", "0", "null", "[/b]'😀"))
BOOLEAN = st.booleans()
MONEY = st.sampled_from((0.0, 10.0, 10.5, 99.99))
DAY = st.sampled_from((None, "2031-01-05", "2031-10-05", "2032-02-29"))

GUEST = {
    "first_name": st.sampled_from(("", "Eva", "EVA")),
    "city": TEXT,
    "notes": TEXT,
    "date_of_birth": DAY,
    "is_member": BOOLEAN,
    "marketing_consent": st.sampled_from((None, True, False)),
}
ROOM = {
    "category": st.sampled_from(("EZ", "DZ", "DZ ")),
    "building": TEXT.filter(lambda text: text != " "),
    "capacity": st.integers(1, 3),
    "price_low": MONEY,
    "price_high": MONEY,
    "retired_from": DAY,
}


@st.composite
def stay(draw: st.DrawFn, *rooms: int | None) -> State:
    """A stay as one field; rooms by their number in the house."""
    first = draw(st.integers(0, 3))
    departure = day(first + draw(st.integers(1, 2)))
    return {
        "room_id": draw(st.sampled_from(rooms)),
        "arrival": day(first).isoformat(),
        "departure": departure.isoformat(),
    }


BOOKING = {
    "guest_id": st.integers(0, 1),
    "status": st.sampled_from(("reserviert", "bestaetigt")),
    "persons": st.integers(1, 3),
    "foundation_case": BOOLEAN,
    "cleaning_date": DAY,
    "notes": TEXT,
    "stay/new1": stay(0, 1, None),
}
STAYS = {
    "stay/new1": stay(0, None),
    "stay/new2": st.one_of(st.none(), stay(1)),
    "stay/new3": st.one_of(st.none(), stay(2, None)),
}
"""What is stored: each stay has rooms of its own, and the first is always there."""


def written(data: st.DataObject) -> Spell:
    """Writes a value in one of the ways that mean the same."""

    def spell(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: spell(inner) for key, inner in value.items()}
        ways = [value]
        if isinstance(value, bool):
            ways += ["true", "t", "yes", "1", 1] if value else ["false", "f", "off", "0", 0]
        elif isinstance(value, int | float):
            ways += [str(value), f" {value}", f"0{value}"]
        elif isinstance(value, str) and value[:2] == "20" and value[4:5] == "-":
            day = date.fromisoformat(value)
            ways += [f"{day:%Y%m%d}", f"{day.year}-{day.month}-{day.day}", f"{day:%b} {day.day}, {day.year}"]
        return data.draw(st.sampled_from(ways))

    return spell


def lists() -> st.SearchStrategy[tuple[State, State, State]]:
    """As ``three``, and both may add a stay."""

    def side(base: State, drawn: State, added: State | None) -> State:
        kept = {key: value for key, value in drawn.items() if base[key] is not None}
        return {**kept, "stay/new4": added}

    return st.tuples(three(STAYS), st.none() | stay(4), st.none() | stay(5)).map(
        lambda drawn: (
            drawn[0][0],
            side(drawn[0][0], drawn[0][1], drawn[1]),
            side(drawn[0][0], drawn[0][2], drawn[2]),
        )
    )


def three(fields: Mapping[str, st.SearchStrategy[Any]]) -> st.SearchStrategy[tuple[State, State, State]]:
    """What was stored, what I want, what a colleague wants: mostly alike, so that all cases meet."""

    @st.composite
    def states(draw: st.DrawFn) -> tuple[State, State, State]:
        base: State = draw(st.fixed_dictionaries(dict(fields)))
        mine: State = {key: draw(st.one_of(st.just(base[key]), wanted)) for key, wanted in fields.items()}
        theirs: State = {
            key: draw(st.one_of(st.just(base[key]), st.just(mine[key]), wanted))
            for key, wanted in fields.items()
        }
        return base, mine, theirs

    return states()


# -- the house -------------------------------------------------------------------------------------


@dataclass
class Ground:
    """Two desks at one database, for all examples of this module."""

    run: Callable[[Awaitable[Any]], Any]
    stage: Stage
    anna: Desk
    ben: Desk

    async def record(self, kind: str, base: State) -> tuple[int, State]:
        """A new record with these values: its id and what is stored of them."""
        # Whatever earlier examples took is free again.
        await self.stage.superuser.execute("UPDATE app.occupancies SET room_id = NULL")
        name = str(uuid4())
        own = {
            "guest": {"last_name": name},
            "room": {"name": name, "place": "Fall"},
            "booking": {} if "guest_id" in base else {"guest_id": self.stage.guests[0]},
        }
        made = await self.ben.save(kind, None, new(**own[kind], **base))
        assert made["outcome"] == "done"
        return made["id"], self.stored(made["state"], base)

    def stored(self, state: State, fields: State) -> State:
        """Of the state of a record the fields that the test is about; of stays all there are."""
        with_stays = any(key.startswith("stay/") for key in fields)
        stays = {f"stay/{one['id']}": one for one in state.get("stays") or ()}
        return {
            **{key: state[key] for key in fields if not key.startswith("stay/")},
            **{
                key: {name: one[name] for name in ("room_id", "arrival", "departure")}
                for key, one in stays.items()
                if with_stays
            },
        }

    def placed(self, state: State) -> State:
        """The same with ids for the numbers of guests and rooms."""
        placed = {key: value for key, value in state.items() if value is not None or "/" not in key}
        if "guest_id" in placed:
            placed["guest_id"] = self.stage.guests[placed["guest_id"]]
        for key, value in placed.items():
            if key.startswith("stay/") and value["room_id"] is not None:
                placed[key] = {**value, "room_id": self.stage.rooms[value["room_id"]]}
        return placed


@pytest.fixture(scope="module")
def ground(server: Server) -> Iterator[Ground]:
    clone = server.clone()
    with asyncio.Runner() as runner:

        async def run(work: Awaitable[Any]) -> Any:
            return await work

        async def begin() -> Ground:
            stage = await open_stage(clone)
            # Prices of rooms are an admin's; no rule about beds and members shall meet a merge here.
            await stage.superuser.execute("UPDATE auth.users SET role = 'admin'")
            await stage.superuser.execute("UPDATE app.guests SET is_member = false")
            await stage.superuser.execute("UPDATE app.rooms SET capacity = 100")
            for _ in range(2):
                stage.rooms.append(
                    await stage.superuser.fetchval(
                        "INSERT INTO app.rooms (name, category, place, capacity)"
                        " VALUES (gen_random_uuid()::text, 'DZ', 'Fall', 100) RETURNING id"
                    )
                )
            return Ground(
                lambda work: runner.run(run(work)), stage, await stage.desk("anna"), await stage.desk("ben")
            )

        opened = runner.run(begin())
        yield opened
        runner.run(opened.stage.close())
    server.drop(clone)


def sent(before: State, after: State, spell: Spell) -> dict[str, Any]:
    """What a desk sends: only what differs, each value in any way of writing it."""
    return {key: change(spell(each.before), spell(each.after)) for key, each in diff(before, after).items()}


def alike(state: State) -> list[str]:
    """To compare states whose new elements have got other ids."""
    return sorted(
        repr(sorted(value.items())) if key.startswith("stay/") else f"{key} {value!r}"
        for key, value in state.items()
    )


def with_ids(state: State, made: State) -> State:
    """A drawn state under the ids that its stored stays have got, in the order of ``made``'s numbers."""
    return {made.get(key, key): value for key, value in state.items()}


@dataclass
class Met:
    """What became of two changes of one record."""

    conflicts: set[str]
    stored: State


async def meet(
    on: Ground, kind: str, states: tuple[State, State, State], spell: Spell, *, elements: bool = False
) -> Met:
    """Ben saves his change of a record, then Anna hers: the answer must be that of domain/merge.py."""
    record, base = await on.record(kind, states[0])
    ids = _ids(states[0], base)
    mine, theirs = (with_ids(state, ids) for state in states[1:])
    his = await on.ben.save(kind, record, sent(base, theirs, spell))
    assert his["outcome"] == "done"
    theirs = on.stored(his["state"], states[0])
    expected = (merge_elements if elements else merge)(base, mine, theirs)
    request, changes = uuid4(), sent(base, mine, spell)
    hers = await on.anna.save(kind, record, changes, request=request)
    assert {
        field: (each["before"], each["mine"], each["theirs"])
        for field, each in (hers.get("conflicts") or {}).items()
    } == {each.field: (each.before, each.mine, each.theirs) for each in expected.conflicts}
    if expected.conflicts:
        assert hers["outcome"] == "conflict"
        # Nothing of it was written. She insists: hers is sent against what stands there now.
        same = await on.anna.save(kind, record, {})
        assert (same["version"], on.stored(same["state"], states[0])) == (his["version"], theirs)
        wanted = {key: expected.values.get(key) for key in theirs}
        # What he removed can only come back as a new one.
        wanted |= {f"stay/new{key}": expected.values[key] for key in expected.values.keys() - theirs.keys()}
        request, changes = uuid4(), sent(theirs, wanted, spell)
        hers = await on.anna.save(kind, record, changes, request=request)
    assert hers["outcome"] == "done"
    now = on.stored(hers["state"], states[0])
    assert alike(now) == alike(expected.values)
    assert {key: now[key] for key in expected.values if key in theirs} == {
        key: value for key, value in expected.values.items() if key in theirs
    }
    await once(on, kind, record, request, changes, hers)
    numbers = {stored: drawn for drawn, stored in ids.items()}
    return Met({numbers.get(each.field, each.field) for each in expected.conflicts}, now)


def _ids(drawn: State, stored: State) -> State:
    """``{stay/new1: stay/17}``: new stays get their ids in the order of their numbers."""
    made = sorted((key for key in stored if key.startswith("stay/")), key=lambda key: int(key[5:]))
    return dict(zip(sorted(key for key in drawn if key.startswith("stay/")), made, strict=True))


async def once(
    on: Ground, kind: str, record: int, request: UUID, changes: dict[str, Any], first: State
) -> None:
    """The same request again gets the same answer, and never takes back what came later."""
    again = await on.anna.save(kind, record, changes, request=request)
    assert again == {key: value for key, value in first.items() if key != "was"}
    notes = first["state"]["notes"]
    later = await on.ben.save(kind, record, {"notes": change(notes, f"später als {notes}")})
    again = await on.anna.save(kind, record, changes, request=request)
    assert (again["outcome"], again["version"], again["state"]) == ("done", later["version"], later["state"])


def both_ways(
    on: Ground, kind: str, states: tuple[State, State, State], data: st.DataObject, *, elements: bool = False
) -> None:
    """Who saves first does not matter, but for the fields in conflict."""
    base, mine, theirs = (on.placed(state) for state in states)
    spell = written(data)
    one = on.run(meet(on, kind, (base, mine, theirs), spell, elements=elements))
    other = on.run(meet(on, kind, (base, theirs, mine), spell, elements=elements))
    assert one.conflicts == other.conflicts
    if not one.conflicts:
        assert alike(one.stored) == alike(other.stored)


# -- the rule --------------------------------------------------------------------------------------


@FEW
@given(data=st.data())
def test_guests_merge_as_forms_expect(ground: Ground, data: st.DataObject) -> None:
    both_ways(ground, "guest", data.draw(three(GUEST)), data)


@FEW
@given(data=st.data())
def test_rooms_merge_as_forms_expect(ground: Ground, data: st.DataObject) -> None:
    both_ways(ground, "room", data.draw(three(ROOM)), data)


@FEW
@given(data=st.data())
def test_bookings_merge_as_forms_expect_and_a_stay_is_one_field(ground: Ground, data: st.DataObject) -> None:
    both_ways(ground, "booking", data.draw(three(BOOKING)), data)


@FEW
@given(data=st.data())
def test_stays_of_a_booking_merge_as_elements_of_a_list(ground: Ground, data: st.DataObject) -> None:
    both_ways(ground, "booking", data.draw(lists()), data, elements=True)


@pytest.mark.long
@MANY
@given(data=st.data())
def test_all_kinds_merge_alike_for_long(ground: Ground, data: st.DataObject) -> None:
    test = data.draw(st.sampled_from((GUEST, ROOM, BOOKING, STAYS)))
    states = lists() if test is STAYS else three(test)
    kind = "guest" if test is GUEST else "room" if test is ROOM else "booking"
    both_ways(ground, kind, data.draw(states), data, elements=test is STAYS)


LOOSE = st.dictionaries(
    st.sampled_from("abcd"), st.one_of(st.none(), st.sampled_from(("", "0", "null", "Ä", "ä"))), max_size=4
)


@settings(FEW, max_examples=100)
@given(base=LOOSE, mine=LOOSE, theirs=LOOSE)
def test_empty_text_is_not_nothing_on_either_side(
    ground: Ground, base: State, mine: State, theirs: State
) -> None:
    # Whatever a desk takes for stored: also what no record ever held.
    full = [{key: state.get(key) for key in "abcd"} for state in (base, mine, theirs)]
    changes = sent(full[0], full[1], lambda value: value)
    query = "SELECT app.conflicts($1, $2)"
    found = ground.run(ground.stage.superuser.fetchval(query, full[2], changes)) or {}
    expected = merge(*full).conflicts
    assert {
        field: tuple(each[part] for part in ("before", "mine", "theirs")) for field, each in found.items()
    } == {each.field: (each.before, each.mine, each.theirs) for each in expected}
