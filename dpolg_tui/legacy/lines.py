"""What the target must show for the rows of an old table: a line of text for each, one hash for many."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from json.encoder import encode_basestring
from typing import Any, Final

from dpolg_tui.legacy import readings
from dpolg_tui.legacy.expectations import EXPECTATIONS
from dpolg_tui.legacy.places import Expectation, Place
from dpolg_tui.legacy.source import SourceFile, SourceTable
from dpolg_tui.legacy.totals import Money

Row = tuple[Any, ...]

BETWEEN: Final = "\x1f"
"""Between the places of a record."""
BEHIND: Final = "\x1e"
"""Between records."""


@dataclass(frozen=True, slots=True)
class Part:
    """Some rows of a table that follow one another, as the file has them."""

    rows: int
    first: int = 0
    last: int = 0
    digest: bytes | None = None
    """SHA-256 of their lines; None: they are no plain lines, and looked at one by one."""
    totals: Decimal = Decimal(0)
    paid: Decimal = Decimal(0)
    credit: Decimal = Decimal(0)


class TableLines:
    """One old table: the places of its columns in the target, and what must stand there."""

    def __init__(self, name: str, table: SourceTable) -> None:
        self.name = name
        self.columns = [column.name for column in table.columns]
        self.expected: Expectation | None = EXPECTATIONS.get(name)
        places = self.expected.places if self.expected else ()
        # A young file lacks columns: None stands for what it does not say, unless the mapping may choose.
        self.places: tuple[Place, ...] = tuple(
            place for place in places if place.column in self.columns or not place.needed
        )
        self.numbers = [
            self.columns.index(place.column) + 1 if place.column in self.columns else 0
            for place in self.places
        ]
        listed = {place.column for place in self.places} | {"id"}
        listed |= self.expected.derived if self.expected else set()
        self.kept_columns = [
            (number, column) for number, column in enumerate(self.columns, 1) if column not in listed
        ]
        # jsonb writes the shortest keys first.
        ordered = sorted(self.columns, key=lambda column: (len(column.encode()), column.encode()))
        self._cells = [(self.columns.index(column) + 1, encode_basestring(column)) for column in ordered]

    def lines(self, rows: Sequence[Row]) -> Iterable[str]:
        """What the server must write for each row. Column by column: nearly all of it happens in C."""
        if not rows or not self.places:
            return [""] * len(rows)
        columns = list(zip(*rows, strict=True))
        nothing = [None] * len(rows)
        # Column 0 is the row id: it stands for columns that this file does not have.
        read = [
            place.reading.read_all(columns[number] if number else nothing)
            for place, number in zip(self.places, self.numbers, strict=True)
        ]
        return map(BETWEEN.join, zip(*read, strict=True))

    def value(self, row: Row, column: str) -> Any:
        """A cell by the name of its column; None if the file has no such column."""
        return row[self.columns.index(column) + 1] if column in self.columns else None

    def add_money(self, rows: Iterable[Row], money: Money) -> None:
        """Add up the amounts that must arrive as they are."""
        if self.name == "bookings":
            for row in rows:
                total = self._amount(row, "gesamtpreis")
                money.totals += total
                if readings.as_yes_or_no(self.value(row, "bezahlt")) == "true":
                    money.paid += total
        elif self.name == "guest_credit_transactions":
            for row in rows:
                money.credit += self._amount(row, "amount")

    def _amount(self, row: Row, column: str) -> Decimal:
        """For the sums; one that is not readable here is a difference of its own row."""
        written = readings.as_money_or_none(self.value(row, column))
        return Decimal(0) if written == readings.UNREADABLE else Decimal(written)

    def digest(self, rows: Sequence[Row]) -> bytes | None:
        """SHA-256 of the lines of these rows; None if one is unreadable, or could be read in two ways."""
        ids = [row[0] for row in rows]
        if any(one >= other for one, other in pairwise(ids)):
            return None
        try:
            if self.expected is None:
                lines: Iterable[str] | None = self._kept(rows)
                signs = 1
            else:
                kept = any(row[number] not in (None, "") for number, _ in self.kept_columns for row in rows)
                lines, signs = None if kept else self.lines(rows), len(self.places)
            if lines is None:
                return None
            text = BEHIND.join([f"{row_id}{BETWEEN}{line}" for row_id, line in zip(ids, lines, strict=True)])
            if (
                "\0" in text
                or text.count(BETWEEN) != signs * len(rows)
                or text.count(BEHIND) != len(rows) - 1
            ):
                return None
            return hashlib.sha256(text.encode()).digest()
        except UnicodeEncodeError:
            return None  # no clean text: kept as bytes, or repaired

    def _kept(self, rows: Sequence[Row]) -> Iterable[str] | None:
        """Whole rows as jsonb prints them, each cell ``[storage class, text]``."""
        columns = list(zip(*rows, strict=True))
        written: list[list[str]] = []
        for number, name in self._cells:
            values = columns[number]
            if not set(map(type, values)) <= _JSON.keys() or "\0" in "".join(
                value for value in values if type(value) is str
            ):
                return None
            written.append([f"{name}: {_JSON[type(value)](value)}" for value in values])
        return (f"{{{', '.join(cells)}}}" for cells in zip(*written, strict=True))


_JSON: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: '["null", null]',
    int: lambda value: f'["integer", "{value}"]',
    float: lambda value: f'["real", "{value!r}"]',
    str: lambda value: f'["text", {encode_basestring(value)}]',
}


def parts_of(source: SourceFile, name: str) -> Iterator[Part]:
    """All rows of a table, in the batches that the file always comes in."""
    table = TableLines(name, source.tables[name])
    for rows in source.batches(name):
        digest = table.digest(rows)
        money = Money()
        if digest is not None:
            table.add_money(rows, money)
        yield Part(len(rows), rows[0][0], rows[-1][0], digest, money.totals, money.paid, money.credit)
