"""The emergency list: the house on paper, a page per day, for when neither line nor server works."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Literal, cast

from dpolg_tui.domain import german
from dpolg_tui.domain.models import Kind, Status
from dpolg_tui.domain.words import WITHOUT_ROOM

PersonalData = Literal["names", "initials", "none"]
"""What of a guest stands on the list; without names the booking number leads to him."""

WIDTH = 80
PAGE_BREAK = "\f"
_NOTHING = "  –"
_ROOM = 20


@dataclass(frozen=True, slots=True)
class Taken:
    """A room taken for [arrival, departure): by a stay, or by a block, which has no number and no guest."""

    room_id: int | None
    room: str
    arrival: date
    departure: date
    kind: Kind
    reason: str
    number: str
    status: Status | None
    persons: int
    last_name: str
    first_name: str
    cleaning: date

    @property
    def is_stay(self) -> bool:
        return self.kind is Kind.STAY


@dataclass(frozen=True, slots=True)
class Emergency:
    """The days [first, last) as they were at ``made_at`` (timezone-aware)."""

    made_at: datetime
    first: date
    last: date
    taken: tuple[Taken, ...]


def read(answer: Mapping[str, Any]) -> Emergency:
    """The answer of the database as values."""
    return Emergency(
        datetime.fromisoformat(answer["made_at"]),
        date.fromisoformat(answer["first"]),
        date.fromisoformat(answer["last"]),
        tuple(map(_taken, answer["taken"])),
    )


def _taken(row: Mapping[str, Any]) -> Taken:
    where = ", ".join(filter(None, (row["building"], row["place"])))
    return Taken(
        row["room_id"],
        f"{row['room']} · {where}" if row["room_id"] else WITHOUT_ROOM,
        date.fromisoformat(row["arrival"]),
        date.fromisoformat(row["departure"]),
        Kind(row["kind"]),
        row["reason"] or "",
        row["number"] or "",
        Status(row["status"]) if row["status"] else None,
        row["persons"] or 0,
        row["last_name"] or "",
        row["first_name"] or "",
        date.fromisoformat(row["cleaning"]),
    )


def text(house: Emergency, personal_data: PersonalData) -> str:
    """All pages: lines of at most 80 columns, a form feed between two days."""
    days = [house.first + timedelta(n) for n in range((house.last - house.first).days)]
    pages = [
        "\n".join(_page(house, day, f"Seite {number} von {len(days)}", personal_data))
        for number, day in enumerate(days, start=1)
    ]
    return f"\n{PAGE_BREAK}".join(pages) + "\n"


def _page(house: Emergency, day: date, page: str, personal_data: PersonalData) -> Iterator[str]:
    stays = [one for one in house.taken if one.is_stay]
    blocks = [one for one in house.taken if not one.is_stay and one.arrival <= day < one.departure]
    arriving = [one for one in stays if one.arrival == day]
    leaving = [one for one in stays if one.departure == day]
    inside = [one for one in stays if one.arrival < day < one.departure or _overdue(one, day, house.first)]
    cleaned = [one for one in stays if one.cleaning == day and one.room_id is not None]
    yield _ends("NOTFALLLISTE", f"Stand {german.format_datetime(house.made_at)}")
    yield _ends(f"{german.format_weekday(day)}, {german.format_date(day)}", page)
    yield "=" * WIDTH

    def guests(until: Callable[[Taken], str]) -> Callable[[Taken], str]:
        return lambda one: _guest_line(one, until(one), personal_data)

    def leaves(one: Taken) -> str:
        return f"bis {german.format_day_month(one.departure)}"

    def came(one: Taken) -> str:
        return f"seit {german.format_day_month(one.arrival)}"

    yield from _section("Anreisen", arriving, guests(leaves))
    yield from _section("Abreisen", leaving, guests(came))
    yield from _section("Im Haus", inside, guests(leaves))
    yield from _section("Sperren", blocks, lambda one: _block_line(one, personal_data))
    again = {one.room_id for one in arriving}
    yield from _section("Reinigung", cleaned, lambda one: _cleaning_line(one, one.room_id in again))
    persons = sum(one.persons for one in (*arriving, *inside))
    rooms = len({one.room_id for one in (*arriving, *inside) if one.room_id is not None})
    yield ""
    yield f"Über Nacht belegt: {rooms} Zimmer, {persons} Personen."


def _overdue(one: Taken, day: date, first: date) -> bool:
    """Still in the house after the day of departure; told on the first day only: later it is a guess."""
    return day == first and one.status is Status.CHECKED_IN and one.departure < day


def _section(title: str, found: Iterable[Taken], line: Callable[[Taken], str]) -> Iterator[str]:
    lines = [line(one) for one in found]
    yield ""
    yield f"{title} ({len(lines)})"
    yield from lines or (_NOTHING,)


def _guest_line(one: Taken, until: str, personal_data: PersonalData) -> str:
    status = german.status_label(cast(Status, one.status))
    return _columns(
        (one.room, _ROOM),
        (one.number, 10),
        (_guest(one, personal_data), 16),
        (f"{one.persons} P.", 5),
        (until, 11),
        (status, 11),
    )


def _block_line(one: Taken, personal_data: PersonalData) -> str:
    # A reason is free text, in which people may be named.
    reason = one.reason if personal_data == "names" else ""
    return _columns(
        (one.room, _ROOM),
        (german.kind_label(one.kind), 12),
        (f"bis {german.format_day_month(one.departure)}", 10),
        (reason, 30),
    )


def _cleaning_line(one: Taken, again: bool) -> str:
    return _columns(
        (one.room, _ROOM),
        (f"{one.persons} P.", 5),
        ("eilig: heute Anreise" if again else "", 20),
        ("" if one.cleaning == one.departure else f"Abreise {german.format_day_month(one.departure)}", 14),
    )


def _guest(one: Taken, personal_data: PersonalData) -> str:
    match personal_data:
        case "names":
            return ", ".join(filter(None, (one.last_name, one.first_name)))
        case "initials":
            return " ".join(f"{name[0]}." for name in (one.first_name, one.last_name) if name)
        case "none":
            return ""


def _columns(*columns: tuple[str, int]) -> str:
    """Two spaces, then each text in its width; what is longer ends with an ellipsis."""
    return ("  " + " ".join(_fit(value, width) for value, width in columns)).rstrip()


def _fit(value: str, width: int) -> str:
    line = german.clean_line(value)
    return (line if len(line) <= width else f"{line[: width - 1]}…").ljust(width)


def _ends(left: str, right: str) -> str:
    return f"{left}{right:>{WIDTH - len(left)}}"
