"""The list of the last changes: inverses, numbers that change, and which change is next."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Conflict, InTheWay, Outcome, Status, WriteResult
from dpolg_tui.domain.undo import Entry, LastChanges, Step, inverse, new_names, renamed, verb
from dpolg_tui.domain.undo_words import obstacle

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
DAY = date(2026, 11, 21)


def place(room: int | None = 1, first: int = 0, nights: int = 3) -> dict[str, object]:
    arrival = DAY + timedelta(days=first)
    return {"room_id": room, "arrival": arrival, "departure": arrival + timedelta(days=nights)}


VALUES = st.one_of(st.none(), st.integers(0, 9), st.text(max_size=3))
FIELDS = st.dictionaries(st.sampled_from("abcdef"), st.builds(Change, VALUES, VALUES), max_size=4)
STEPS = st.builds(
    Step,
    st.sampled_from(["booking", "block", "room", "guest", "reminder"]),
    st.integers(1, 4),
    st.just("updated"),
    FIELDS,
)


def after(record: Mapping[str, object], changes: Changes) -> dict[str, object]:
    """The record with the changes made."""
    return {**record, **{field: change.after for field, change in changes.items()}}


@given(STEPS, st.dictionaries(st.sampled_from("abcdef"), VALUES))
def test_a_change_and_its_inverse_are_nothing(step: Step, others: dict[str, object]) -> None:
    before = {**others, **{field: change.before for field, change in step.changes.items()}}
    done = after(before, step.changes)
    back = inverse(step)
    assert after(done, back.changes) == before
    assert after(before, inverse(back).changes) == done
    assert inverse(back) == step


@given(st.lists(st.one_of(STEPS, st.sampled_from(["undo", "redo"])), max_size=30))
def test_taking_back_goes_from_the_last_to_the_first_and_a_change_ends_doing_again(
    story: list[Step | str],
) -> None:
    changes = LastChanges(most=8)
    stand: list[int] = []
    again: list[int] = []
    for event in story:
        if isinstance(event, Step):
            stand.append(changes.add(NOW, "x", "geändert", (event,)).number)
            again.clear()
        elif event == "undo" and changes.to_undo():
            entry = changes.to_undo()[0]
            sent = tuple(inverse(step) for step in entry.steps)
            changes.took_back(entry, sent, sent)
            again.append(stand.pop())
            assert again[-1] == entry.number
        elif event == "redo" and changes.to_redo():
            entry = changes.to_redo()[0]
            sent = tuple(inverse(step) for step in entry.undone)
            assert changes.did_again(entry, sent, sent).steps == entry.steps
            stand.append(again.pop())
        assert len(changes.entries) <= 8
        known = [entry.number for entry in changes.entries]
        assert [entry.number for entry in changes.to_undo()] == [n for n in reversed(stand) if n in known]
        assert [entry.number for entry in changes.to_redo()] == again[::-1]
    changes.clear()
    assert (changes.to_undo(), changes.to_redo()) == ([], [])


def test_a_new_booking_is_cancelled_if_it_is_still_as_it_was_made() -> None:
    made = {
        "guest_id": Change(None, 3),
        "status": Change(None, "bestaetigt"),
        "stay/7": Change(None, place()),
    }
    back = inverse(Step("booking", 5, "created", made))
    assert back.action == "updated"
    assert back.changes == {
        "guest_id": Change(3, 3),
        "status": Change("bestaetigt", Status.CANCELLED),
        "stay/7": Change(place(), place()),
        "cancellation_reason": Change(None, "zurückgenommen"),
    }


def test_what_comes_back_has_another_number_everywhere() -> None:
    changes = LastChanges()
    moved = changes.add(
        NOW, "2026-1", "verschoben", (Step("booking", 1, "updated", {"stay/8": Change(place(1), place(2))}),)
    )
    joined = changes.add(
        NOW,
        "2026-1",
        "zusammengelegt",
        (
            Step(
                "booking",
                1,
                "updated",
                {"stay/7": Change(place(), place(1, 0, 6)), "stay/8": Change(place(2), None)},
            ),
        ),
    )
    sent = tuple(inverse(step) for step in joined.steps)
    assert sent[0].changes["stay/new8"] == Change(None, place(2))
    effect = {"stay/7": Change(place(1, 0, 6), place()), "stay/12": Change(None, place(2))}
    done = (replace(sent[0], changes=effect),)
    assert new_names(sent, done) == {("stay", 8): 12}
    changes.took_back(joined, sent, done)
    assert changes.get(moved.number) == replace(
        moved, steps=(Step("booking", 1, "updated", {"stay/12": Change(place(1), place(2))}),)
    )
    assert "stay/12" in changes.entries[1].steps[0].changes
    # Values that refer to a record that came back, too.
    names = {("guest", 4): 9, ("room", 1): 11}
    step = Step("booking", 4, "updated", {"guest_id": Change(4, 5), "stay/1": Change(place(1), place(2))})
    assert renamed(step, names).changes == {
        "guest_id": Change(9, 5),
        "stay/1": Change(place(11), place(2)),
    }
    assert renamed(step, names).id == 4


def test_a_later_change_of_the_same_comes_first() -> None:
    changes = LastChanges()

    def change(field: str, kind: str = "guest") -> Entry:
        return changes.add(NOW, "x", "y", (Step(kind, 1, "updated", {field: Change(1, 2)}),))  # type: ignore[arg-type]

    made = changes.add(NOW, "x", "angelegt", (Step("guest", 1, "created", {"city": Change(None, 1)}),))
    first, other, second = change("city"), change("email"), change("city")
    change("city", "room")
    assert changes.builds_on(made) == first
    assert changes.builds_on(first) == second
    assert changes.builds_on(other) is None
    sent = tuple(inverse(step) for step in second.steps)
    changes.took_back(second, sent, sent)
    assert changes.builds_on(first) is None


def test_what_nobody_knows_any_more_is_not_taken_back() -> None:
    changes = LastChanges()
    edit = changes.add(NOW, "Zimmer 5", "geändert", (Step("room", 5, "updated", {}, "geheim"),))
    new = changes.add(NOW, "Zimmer 6", "angelegt", (Step("room", 6, "created", {}, "geheim"),))
    assert (edit.lost, new.lost) == ("geheim", "")
    sent = tuple(inverse(step) for step in new.steps)
    assert changes.took_back(new, sent, sent).lost == "geheim"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"stay/1": Change(place(1), place(2))}, "verschoben"),
        ({"stay/1": Change(place(1), place(1, 0, 5))}, "Abreise geändert"),
        ({"stay/1": Change(place(1, 0, 3), place(1, 1, 2))}, "Anreise geändert"),
        ({"stay/1": Change(place(), place(1, 0, 1)), "stay/2": Change(None, place())}, "aufgeteilt"),
        ({"stay/1": Change(place(), place(1, 0, 9)), "stay/2": Change(place(), None)}, "zusammengelegt"),
        ({"status": Change("bestaetigt", "storniert"), "stay/1": Change(place(), place())}, "storniert"),
        ({"status": Change("storniert", "bestaetigt")}, "wieder geöffnet"),
        ({"status": Change("bestaetigt", "eingecheckt")}, "eingecheckt"),
        ({"status": Change("eingecheckt", "bestaetigt")}, "Status geändert"),
        ({"city": Change("a", "b"), "email": Change("a", "a")}, "Wohnort geändert"),
        ({}, "geändert"),
    ],
)
def test_words_of_a_change(changes: Changes, words: str) -> None:
    assert verb(Step("booking", 1, "updated", changes)) == words


ENTRY = Entry(1, NOW, "2026-118", "verschoben", ())


@pytest.mark.parametrize(
    ("result", "sentence"),
    [
        (
            WriteResult(
                Outcome.CONFLICT,
                conflicts=(Conflict("stay/1", place(1), place(2), place(1, 0, 5)),),
                changed_by="Clara Beispiel",
            ),
            "Clara Beispiel hat die Abreise (jetzt 26.11.2026) inzwischen geändert:"
            " „2026-118 verschoben“ bleibt.",
        ),
        (
            WriteResult(Outcome.CONFLICT, conflicts=(Conflict("stay/1", place(1), place(2), None),)),
            "Jemand hat den Aufenthalt inzwischen geändert: „2026-118 verschoben“ bleibt.",
        ),
        (
            WriteResult(
                Outcome.TAKEN,
                in_the_way=(InTheWay(3, 4, 1, DAY, DAY + timedelta(days=2), "2026-120 Huber [VIP]"),),
            ),
            "Das Zimmer ist inzwischen belegt (2026-120 Huber [VIP], 21.–23.11.2026, in Zimmer Nr. 1):"
            " „2026-118 verschoben“ bleibt.",
        ),
        (WriteResult(Outcome.MISSING), "2026-118 gibt es nicht mehr: jemand hat es inzwischen gelöscht."),
    ],
)
def test_words_of_what_stands_in_the_way(result: WriteResult, sentence: str) -> None:
    assert obstacle(ENTRY, result, {}) == sentence
