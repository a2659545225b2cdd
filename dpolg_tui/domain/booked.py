"""What belongs to a booking besides its nights: price lines, payments, companions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import StrEnum


class LineKind(StrEnum):
    """What a price line is for."""

    NIGHTS = "nights"
    FINAL_CLEANING = "final_cleaning"
    SERVICE = "service"
    DISCOUNT = "discount"
    MEMBER_DISCOUNT = "member_discount"
    DIFFERENCE = "difference"


@dataclass(frozen=True, slots=True)
class BookedLine:
    """A price line as it is stored with a booking. Discounts are negative."""

    position: int
    kind: LineKind
    label: str
    quantity: Decimal
    unit_price: Decimal
    amount: Decimal
    percentage: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Payment:
    """An amount received on a day; negative: paid back."""

    id: int
    amount: Decimal
    paid_on: date
    method: str
    notes: str | None = None


@dataclass(frozen=True, slots=True)
class Companion:
    """A person who comes along, as noted with the booking."""

    id: int
    last_name: str
    first_name: str
    date_of_birth: date | None = None
