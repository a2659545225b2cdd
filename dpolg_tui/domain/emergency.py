"""The emergency list: the house on paper, a page per day, for when neither line nor server works."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a section: its heading, and its width as text in characters."""

    title: str
    width: int


@dataclass(frozen=True, slots=True)
class Section:
    """What stands under one heading; every row has a cell per column."""

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[str, ...], ...]

    @property
    def heading(self) -> str:
        """With the number of rows."""
        return f"{self.title} ({len(self.rows)})"


@dataclass(frozen=True, slots=True)
class Day:
    """One day of the list: what every form of it, text or paper, says."""

    heading: str
    sections: tuple[Section, ...]
    total: str


TITLE = "NOTFALLLISTE"
_ROOM = Column("Zimmer", 20)
_PERSONS = Column("Personen", 5)
_OF_GUESTS = (
    _ROOM,
    Column("Buchung", 10),
    Column("Gast", 16),
    _PERSONS,
    Column("Aufenthalt", 11),
    Column("Status", 11),
)
_OF_BLOCKS = (_ROOM, Column("Art", 12), Column("Dauer", 10), Column("Grund", 30))
_OF_CLEANING = (_ROOM, _PERSONS, Column("Eile", 20), Column("Abreise", 14))


def made(house: Emergency) -> str:
    """The moment of the list in words."""
    return f"Stand {german.format_datetime(house.made_at)}"


def days(house: Emergency, personal_data: PersonalData) -> tuple[Day, ...]:
    """The content of the list, day by day; of guests it holds what ``personal_data`` allows."""
    return tuple(
        _day(house, house.first + timedelta(n), personal_data) for n in range((house.last - house.first).days)
    )


def text(house: Emergency, personal_data: PersonalData) -> str:
    """All days, a page each: lines of at most 80 columns, a form feed between two pages."""
    found = days(house, personal_data)
    pages = [
        "\n".join(_page(day, made(house), f"Seite {number} von {len(found)}"))
        for number, day in enumerate(found, start=1)
    ]
    return f"\n{PAGE_BREAK}".join(pages) + "\n"


def _page(day: Day, moment: str, number: str) -> Iterator[str]:
    yield _ends(TITLE, moment)
    yield _ends(day.heading, number)
    yield "=" * WIDTH
    for section in day.sections:
        yield ""
        yield section.heading
        widths = [column.width for column in section.columns]
        lines = ("  " + " ".join(map(_fit, row, widths)) for row in section.rows)
        yield from (line.rstrip() for line in lines) if section.rows else (_NOTHING,)
    yield ""
    yield day.total


def _day(house: Emergency, day: date, personal_data: PersonalData) -> Day:
    stays = [one for one in house.taken if one.is_stay]
    blocks = [one for one in house.taken if not one.is_stay and one.arrival <= day < one.departure]
    arriving = [one for one in stays if one.arrival == day]
    leaving = [one for one in stays if one.departure == day]
    inside = [one for one in stays if one.arrival < day < one.departure or _overdue(one, day, house.first)]
    cleaned = [one for one in stays if one.cleaning == day and one.room_id is not None]

    def guests(title: str, found: list[Taken], *, since: bool = False) -> Section:
        rows = tuple(_guest_row(one, personal_data, since) for one in found)
        return Section(title, _OF_GUESTS, rows)

    again = {one.room_id for one in arriving}
    persons = sum(one.persons for one in (*arriving, *inside))
    rooms = len({one.room_id for one in (*arriving, *inside) if one.room_id is not None})
    return Day(
        f"{german.format_weekday(day)}, {german.format_date(day)}",
        (
            guests("Anreisen", arriving),
            guests("Abreisen", leaving, since=True),
            guests("Im Haus", inside),
            Section("Sperren", _OF_BLOCKS, tuple(_block_row(one, personal_data) for one in blocks)),
            Section(
                "Reinigung", _OF_CLEANING, tuple(_cleaning_row(one, one.room_id in again) for one in cleaned)
            ),
        ),
        f"Über Nacht belegt: {rooms} Zimmer, {persons} Personen.",
    )


def _overdue(one: Taken, day: date, first: date) -> bool:
    """Still in the house after the day of departure; told on the first day only: later it is a guess."""
    return day == first and one.status is Status.CHECKED_IN and one.departure < day


def _guest_row(one: Taken, personal_data: PersonalData, since: bool) -> tuple[str, ...]:
    return _cleaned(
        one.room,
        one.number,
        _guest(one, personal_data),
        f"{one.persons} P.",
        f"seit {german.format_day_month(one.arrival)}" if since else _until(one),
        german.status_label(cast(Status, one.status)),
    )


def _block_row(one: Taken, personal_data: PersonalData) -> tuple[str, ...]:
    # A reason is free text, in which people may be named.
    reason = one.reason if personal_data == "names" else ""
    return _cleaned(one.room, german.kind_label(one.kind), _until(one), reason)


def _cleaning_row(one: Taken, again: bool) -> tuple[str, ...]:
    return _cleaned(
        one.room,
        f"{one.persons} P.",
        "eilig: heute Anreise" if again else "",
        "" if one.cleaning == one.departure else f"Abreise {german.format_day_month(one.departure)}",
    )


def _until(one: Taken) -> str:
    return f"bis {german.format_day_month(one.departure)}"


def _guest(one: Taken, personal_data: PersonalData) -> str:
    match personal_data:
        case "names":
            return ", ".join(filter(None, (one.last_name, one.first_name)))
        case "initials":
            return " ".join(f"{name[0]}." for name in (one.first_name, one.last_name) if name)
        case "none":
            return ""


def _cleaned(*cells: str) -> tuple[str, ...]:
    return tuple(german.clean_line(cell) for cell in cells)


def _fit(line: str, width: int) -> str:
    """The cell in its width; what is longer ends with an ellipsis."""
    return (line if len(line) <= width else f"{line[: width - 1]}…").ljust(width)


def _ends(left: str, right: str) -> str:
    return f"{left}{right:>{WIDTH - len(left)}}"
