"""The price of a stay: the one calculation for preview, saving and invoice.

Each night is priced alone: the high price in an active season, else the low one. The number of
persons has no influence. Every line is rounded half up to the cent; the total is their sum and
never below zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from enum import StrEnum

from dpolg_tui.domain.models import Room

CENT = Decimal("0.01")


class PriceKind(StrEnum):
    """What a price line is for; later kinds are services and discounts."""

    NIGHTS_LOW = "nights_low"
    NIGHTS_HIGH = "nights_high"
    FINAL_CLEANING = "final_cleaning"


_LABELS = {
    PriceKind.NIGHTS_LOW: "Übernachtung Nebensaison",
    PriceKind.NIGHTS_HIGH: "Übernachtung Hauptsaison",
    PriceKind.FINAL_CLEANING: "Endreinigung",
}


@dataclass(frozen=True, slots=True)
class Season:
    """A window of every year with the high price: (month, day) of its first and its last night.

    A window whose last night comes before its first one in the year crosses New Year.
    """

    name: str
    first: tuple[int, int]
    last: tuple[int, int]
    active: bool = True

    def covers(self, night: date) -> bool:
        """Whether the night that begins on this day is priced high."""
        if not self.active:
            return False
        day = (night.month, night.day)
        if self.first <= self.last:
            return self.first <= day <= self.last
        return day >= self.first or day <= self.last


@dataclass(frozen=True, slots=True)
class NightPrice:
    """One night, named by the day on which it begins."""

    night: date
    price: Decimal
    high: bool


@dataclass(frozen=True, slots=True)
class PriceLine:
    """One line of a price: ``quantity`` × ``unit_price``, rounded to the cent."""

    kind: PriceKind
    label: str
    quantity: int
    unit_price: Decimal
    amount: Decimal


@dataclass(frozen=True, slots=True)
class StayPrice:
    """The lines of a price and their sum."""

    lines: tuple[PriceLine, ...]
    total: Decimal

    @property
    def nights(self) -> Decimal:
        """The part for the nights alone: what percentages are taken of."""
        kinds = (PriceKind.NIGHTS_LOW, PriceKind.NIGHTS_HIGH)
        return sum((line.amount for line in self.lines if line.kind in kinds), Decimal("0.00"))


def round_cents(amount: Decimal) -> Decimal:
    """Half up to the cent, as every line of a price is rounded."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def price_nights(
    room: Room, arrival: date, departure: date, seasons: Iterable[Season] = ()
) -> tuple[NightPrice, ...]:
    """The price of every night of [arrival, departure)."""
    windows = tuple(seasons)
    prices: list[NightPrice] = []
    for offset in range((departure - arrival).days):
        night = arrival + timedelta(offset)
        high = any(season.covers(night) for season in windows)
        prices.append(NightPrice(night, room.price_high if high else room.price_low, high))
    return tuple(prices)


def price_stay(
    room: Room,
    arrival: date,
    departure: date,
    seasons: Iterable[Season] = (),
    *,
    final_cleaning: bool = True,
) -> StayPrice:
    """Lines and total of one stay: nights by season, then the final cleaning of the room.

    ``final_cleaning=False`` is for parts of a stay: the fee is due once.
    """
    nights = price_nights(room, arrival, departure, seasons)
    high = sum(night.high for night in nights)
    candidates = (
        (PriceKind.NIGHTS_LOW, len(nights) - high, room.price_low),
        (PriceKind.NIGHTS_HIGH, high, room.price_high),
        (
            PriceKind.FINAL_CLEANING,
            int(final_cleaning and room.final_cleaning_fee > 0),
            room.final_cleaning_fee,
        ),
    )
    return total_of(
        PriceLine(kind, _LABELS[kind], quantity, unit_price, round_cents(quantity * unit_price))
        for kind, quantity, unit_price in candidates
        if quantity
    )


def total_of(lines: Iterable[PriceLine]) -> StayPrice:
    """The price that these lines make together, never below zero."""
    fixed = tuple(lines)
    return StayPrice(fixed, max(Decimal("0.00"), sum((line.amount for line in fixed), Decimal("0.00"))))
