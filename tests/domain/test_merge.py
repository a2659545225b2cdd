"""The three-way merge: different fields join, the same field asks, nothing is invented."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.domain.merge import Change, diff, merge, merge_elements
from dpolg_tui.domain.models import Conflict

FEW = settings(max_examples=150, deadline=None)
FIELDS = ("persons", "notes", "status")
STATES = st.fixed_dictionaries({field: st.integers(0, 3) for field in FIELDS})


def test_changes_of_different_fields_join() -> None:
    base: dict[str, object] = {"persons": 2, "notes": None, "status": "bestaetigt"}
    result = merge(base, {**base, "persons": 3}, {**base, "notes": "Hund"})
    assert result.values == {"persons": 3, "notes": "Hund", "status": "bestaetigt"}
    assert result.conflicts == ()
    assert result.merged == ("notes",)


def test_the_same_field_asks() -> None:
    result = merge({"room_id": 1}, {"room_id": 2}, {"room_id": 3})
    assert result.conflicts == (Conflict("room_id", 1, 2, 3),)
    assert result.values == {"room_id": 2}


def test_the_same_change_is_no_conflict() -> None:
    result = merge({"persons": 1}, {"persons": 2}, {"persons": 2})
    assert result.values == {"persons": 2}
    assert (result.conflicts, result.merged) == ((), ())


def test_a_field_that_is_not_named_is_unchanged() -> None:
    result = merge({"persons": 1, "notes": "a"}, {"notes": "b"}, {"persons": 2})
    assert result.values == {"persons": 2, "notes": "b"}
    assert result.conflicts == ()


def test_the_difference_names_only_what_changed() -> None:
    assert diff({"a": 1, "b": 2, "c": None}, {"a": 1, "b": 3, "d": 4}) == {
        "b": Change(2, 3),
        "d": Change(None, 4),
    }
    assert diff({"a": 1}, {}) == {"a": Change(1, None)}


@FEW
@given(STATES, STATES)
def test_one_sided_changes_are_taken_whole(base: dict[str, object], other: dict[str, object]) -> None:
    changed = tuple(field for field in base if base[field] != other[field])
    theirs = merge(base, base, other)
    assert (theirs.values, theirs.conflicts, theirs.merged) == (other, (), changed)
    mine = merge(base, other, base)
    assert (mine.values, mine.conflicts, mine.merged) == (other, (), ())
    both = merge(base, other, other)
    assert (both.values, both.conflicts, both.merged) == (other, (), ())


@FEW
@given(STATES, STATES, STATES)
def test_both_sides_see_the_same_conflicts_and_no_value_is_invented(
    base: dict[str, object], mine: dict[str, object], theirs: dict[str, object]
) -> None:
    one, other = merge(base, mine, theirs), merge(base, theirs, mine)
    in_conflict = {conflict.field for conflict in one.conflicts}
    assert in_conflict == {conflict.field for conflict in other.conflicts}
    assert in_conflict == {field for field in FIELDS if len({base[field], mine[field], theirs[field]}) == 3}
    for field in FIELDS:
        assert one.values[field] in (base[field], mine[field], theirs[field])
        if field not in in_conflict:
            assert one.values[field] == other.values[field]
    # a change is never dropped in silence
    for field, change in diff(base, mine).items():
        assert one.values[field] == change.after
    for field, change in diff(base, theirs).items():
        assert field in in_conflict or one.values[field] == change.after


@FEW
@given(STATES, STATES)
def test_a_difference_leads_from_one_state_to_the_other(
    before: dict[str, object], after: dict[str, object]
) -> None:
    changes = diff(before, after)
    assert {**before, **{field: change.after for field, change in changes.items()}} == after
    assert all(change.before != change.after for change in changes.values())
    assert diff(before, before) == {}


LISTS = st.dictionaries(st.sampled_from(("7", "8", "9", "new1")), st.integers(1, 3))
"""Elements by id; those that are missing are not there."""


def test_elements_of_a_list_are_added_changed_and_removed_as_wholes() -> None:
    base = {"7": ("Eva", 4), "8": ("Max", 9), "9": ("Ida", 2)}
    mine = {"7": ("Eva", 5), "8": ("Max", 9), "new1": ("Lea", 1)}
    theirs = {"7": ("Ewa", 4), "9": ("Ida", 2), "12": ("Jan", 3)}
    result = merge_elements(base, mine, theirs)
    # Another name and another age of one child are no field each: nobody knows whether it is the same child.
    assert result.conflicts == (Conflict("7", ("Eva", 4), ("Eva", 5), ("Ewa", 4)),)
    assert result.values == {"7": ("Eva", 5), "12": ("Jan", 3), "new1": ("Lea", 1)}
    assert list(result.values) == ["7", "12", "new1"]
    assert set(result.merged) == {"8", "12"}


def test_an_element_changed_here_and_removed_there_asks() -> None:
    gone = merge_elements({"7": "a"}, {"7": "b"}, {})
    assert (gone.conflicts, gone.values) == ((Conflict("7", "a", "b", None),), {"7": "b"})
    removed = merge_elements({"7": "a"}, {}, {"7": "b"})
    assert (removed.conflicts, removed.values) == ((Conflict("7", "a", None, "b"),), {})
    assert merge_elements({"7": "a"}, {}, {}).values == {}


@FEW
@given(LISTS, LISTS, LISTS)
def test_lists_merge_alike_from_both_sides_and_no_element_is_invented(
    base: dict[str, object], mine: dict[str, object], theirs: dict[str, object]
) -> None:
    one, other = merge_elements(base, mine, theirs), merge_elements(base, theirs, mine)
    in_conflict = {conflict.field for conflict in one.conflicts}
    assert in_conflict == {conflict.field for conflict in other.conflicts}
    free = (base.keys() | mine.keys() | theirs.keys()) - in_conflict
    assert {key: one.values.get(key) for key in free} == {key: other.values.get(key) for key in free}
    for key, value in one.values.items():
        assert value in (mine.get(key), theirs.get(key)), "neither invented nor brought back"
    for key in free:
        changed = [side.get(key) for side in (mine, theirs) if side.get(key) != base.get(key)]
        assert one.values.get(key) == (changed or [base.get(key)])[0], "no change dropped in silence"
    # those that both still have keep the order that the colleague sees
    assert [key for key in one.values if key in theirs] == [key for key in theirs if key in one.values]


@FEW
@given(LISTS, LISTS)
def test_a_list_that_only_one_changed_is_taken_whole(
    base: dict[str, object], other: dict[str, object]
) -> None:
    for result in (
        merge_elements(base, base, other),
        merge_elements(base, other, base),
        merge_elements(base, other, other),
    ):
        assert (result.values, result.conflicts) == (other, ())
