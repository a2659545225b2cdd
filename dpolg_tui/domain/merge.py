"""Who changed what: differences of two states, and the three-way merge by field.

The database merges by the same rule when it writes; this one serves forms that are open while
a colleague's change arrives. A field that a state does not name counts as unchanged (merge), as
None (diff) or as gone (merge_elements).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dpolg_tui.domain.models import Conflict


@dataclass(frozen=True, slots=True)
class Change:
    """One field: the value that the user saw, and the one wanted."""

    before: object
    after: object


Changes = dict[str, Change]


@dataclass(frozen=True, slots=True)
class MergeResult:
    """``values`` holds every field; a conflicting one keeps mine until the user has chosen.

    ``merged`` names the fields that only the colleague changed. Of a list the fields are its
    elements; None in a conflict is one that is not there.
    """

    values: dict[str, object]
    conflicts: tuple[Conflict, ...]
    merged: tuple[str, ...]


def diff(before: Mapping[str, object], after: Mapping[str, object]) -> Changes:
    """Only the fields whose values differ, in the order of ``before``, then of ``after``."""
    return {
        field: Change(before.get(field), after.get(field))
        for field in dict.fromkeys((*before, *after))
        if before.get(field) != after.get(field)
    }


def merge(
    base: Mapping[str, object], mine: Mapping[str, object], theirs: Mapping[str, object]
) -> MergeResult:
    """Join two changes of ``base``: a field conflicts only if theirs is neither base nor mine."""
    values: dict[str, object] = {}
    conflicts: list[Conflict] = []
    merged: list[str] = []
    for field in dict.fromkeys((*base, *mine, *theirs)):
        was = base.get(field)
        my_value = mine.get(field, was)
        their_value = theirs.get(field, was)
        if my_value == was:
            values[field] = their_value
            if their_value != was:
                merged.append(field)
            continue
        values[field] = my_value
        if their_value not in (was, my_value):
            conflicts.append(Conflict(field, was, my_value, their_value))
    return MergeResult(values, tuple(conflicts), tuple(merged))


def merge_elements(
    base: Mapping[str, object], mine: Mapping[str, object], theirs: Mapping[str, object]
) -> MergeResult:
    """Join two changes of a list: each element by its id (``stay/17``, ``stay/new1``) is one field.

    Whoever adds, changes or removes an element does so as a whole. ``values`` holds the elements
    that are left: in the order of theirs, then those that only I have.
    """
    keys = dict.fromkeys((*theirs, *mine, *base))
    full = [{key: elements.get(key) for key in keys} for elements in (base, mine, theirs)]
    joined = merge(*full)
    left = {key: joined.values[key] for key in keys if joined.values[key] is not None}
    return MergeResult(left, joined.conflicts, joined.merged)
