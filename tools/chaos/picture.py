"""What a desk's screen shows, cell by cell, compared with what the database holds.

Reads the text of the screen alone, as a person does: room names, days, the two ends of each bar, its
glyph and the beginning of its name, the figures below.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from dpolg_tui.domain import german
from dpolg_tui.domain.models import Status

NOTHING = frozenset(" │┃[]")
"""A free night: lines between the days, and the cursor."""
_DAYS = re.compile(r"^ Zimmer +(Mo|Di|Mi|Do|Fr|Sa|So)")
_ZOOM = 4


@dataclass(frozen=True)
class Stored:
    """A stay or block in a room, as the database holds it."""

    room: str
    arrival: date
    departure: date
    status: str | None
    last_name: str


def differences(shown: Mapping[str, Any], rooms: Iterable[str], stored: Iterable[Stored]) -> list[str]:
    """What is wrong on the screen, in words; ``shown``: its lines, its first day and what covers it."""
    if shown["covered_by"]:
        return [f"the chart is covered by {shown['covered_by']}"]
    lines: list[str] = shown["lines"]
    top = next((number for number, line in enumerate(lines) if _DAYS.match(line)), None)
    if top is None:
        return ["no days on the screen"]
    left = _DAYS.match(lines[top]).start(1)  # type: ignore[union-attr]  # it has just matched
    days = _days(lines[top][left:], date.fromisoformat(shown["first"]))
    if days is None:
        return ["the days on the screen are not those that it should show"]
    by_room: dict[str, list[Stored]] = {room: [] for room in rooms}
    for one in stored:
        by_room[one.room].append(one)
    found = []
    seen = set()
    for line in lines[top + 1 :]:
        room = re.match(r"^[ ▸](Zimmer \d+) ", line)
        if room is not None and room[1] in by_room:
            seen.add(room[1])
            wrong = _line(line[left:], days, by_room[room[1]])
            found += [f"{room[1]}: {one}" for one in wrong]
        elif line.startswith(" frei "):
            found += _free(line[left:], days, by_room)
    found += [f"{room} is not there" for room in sorted(by_room.keys() - seen)]
    return found


def _days(text: str, first: date) -> list[date] | None:
    """The days that are in sight in full; None if they are not what the screen says."""
    days = []
    for number in range(len(text) // _ZOOM):
        cell, day = text[number * _ZOOM : (number + 1) * _ZOOM], first + timedelta(number)
        if cell.strip() == "":
            break
        if cell != f"{german.format_weekday_short(day)}{day.day:2}":
            return None
        days.append(day)
    return days


def _line(text: str, days: list[date], stored: list[Stored]) -> list[str]:
    """What is wrong in the line of a room."""
    width = len(days) * _ZOOM
    text = text[:width].ljust(width)
    taken = [False] * width
    found = []
    for one in stored:
        start, end = ((day - days[0]).days * _ZOOM + _ZOOM // 2 for day in (one.arrival, one.departure))
        begin, stop = max(0, start), min(width, end)
        if begin >= stop:
            continue
        taken[begin:stop] = [True] * (stop - begin)
        wrong = _bar(text[begin:stop], one, begins=start == begin, ends=end == stop)
        if wrong:
            found.append(f"{one.arrival} to {one.departure} {wrong}: {text[begin:stop]!r}")
    for column, cell in enumerate(text):
        if not taken[column] and cell not in NOTHING:
            found.append(f"{days[column // _ZOOM]} is free in the database: {text!r}")
            break
    return found


def _bar(text: str, stored: Stored, *, begins: bool, ends: bool) -> str:
    """What is wrong with a bar, as far as it is in sight."""
    if len(text) < _ZOOM:
        return "is not there" if set(text) <= NOTHING else ""
    # Where it leaves the screen at the right, a part of a day may follow.
    if text[0] != ("▐" if begins else "◀") or (ends and text[-1] != "▌"):
        return "has other ends"
    glyph = german.BLOCK_GLYPH if stored.status is None else german.status_glyph(Status(stored.status))
    if text[1] != glyph:
        return f"has not the glyph {glyph}"
    name = text[2:-1].split()
    if stored.status is not None and name and not stored.last_name.startswith(name[0].rstrip("…")):
        return f"does not bear the name {stored.last_name}"
    return ""


def _free(text: str, days: list[date], by_room: Mapping[str, list[Stored]]) -> list[str]:
    """What is wrong in the line of free rooms."""
    for number, day in enumerate(days):
        taken = sum(any(one.arrival <= day < one.departure for one in stays) for stays in by_room.values())
        said = text[number * _ZOOM : (number + 1) * _ZOOM].strip()
        if said != str(len(by_room) - taken):
            return [f"{len(by_room) - taken} rooms are free on {day}, it says {said!r}"]
    return []
