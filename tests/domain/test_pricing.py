"""The price of a stay: each night alone, the fee once, every line to the cent."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.domain.models import Room
from dpolg_tui.domain.pricing import (
    PriceKind,
    PriceLine,
    Season,
    price_nights,
    price_stay,
    round_cents,
    total_of,
)

FEW = settings(max_examples=80, deadline=None)
WINTER = Season("Winter", (12, 20), (1, 6))
SUMMER = Season("Sommer", (7, 1), (8, 31))
ARRIVALS = st.dates(date(2025, 1, 1), date(2028, 12, 31))
MONEY = st.decimals(min_value=0, max_value=999, places=2)
DAY = st.tuples(st.integers(1, 12), st.integers(1, 28))
SEASONS = st.lists(st.builds(Season, st.just("x"), DAY, DAY, st.booleans()), max_size=3)


def room(low: str | Decimal = "80.00", high: str | Decimal = "100.00", fee: str | Decimal = "45.00") -> Room:
    return Room(
        id=1,
        name="1 Zugspitze",
        category="DZ",
        building=None,
        place="Brannenburg",
        capacity=2,
        price_low=Decimal(low),
        price_high=Decimal(high),
        final_cleaning_fee=Decimal(fee),
    )


def test_a_stay_across_the_edge_of_a_season() -> None:
    price = price_stay(room(), date(2026, 6, 29), date(2026, 7, 3), [SUMMER])
    assert [(line.kind, line.quantity, line.amount) for line in price.lines] == [
        (PriceKind.NIGHTS_LOW, 2, Decimal("160.00")),
        (PriceKind.NIGHTS_HIGH, 2, Decimal("200.00")),
        (PriceKind.FINAL_CLEANING, 1, Decimal("45.00")),
    ]
    assert price.total == Decimal("405.00")
    assert price.nights == Decimal("360.00")


def test_the_last_night_of_a_season_is_the_last_high_one() -> None:
    nights = price_nights(room(), date(2026, 8, 30), date(2026, 9, 2), [SUMMER])
    assert [night.high for night in nights] == [True, True, False]
    assert [night.night for night in nights] == [date(2026, 8, 30), date(2026, 8, 31), date(2026, 9, 1)]


def test_a_season_crosses_new_year() -> None:
    nights = price_nights(room(), date(2026, 12, 19), date(2027, 1, 8), [WINTER])
    assert {night.night for night in nights if not night.high} == {date(2026, 12, 19), date(2027, 1, 7)}


def test_a_season_switched_off_has_no_effect() -> None:
    off = Season("Sommer", (7, 1), (8, 31), active=False)
    assert price_stay(room(), date(2026, 7, 1), date(2026, 7, 3), [off]).nights == Decimal("160.00")


def test_no_line_for_what_costs_nothing() -> None:
    kinds = [line.kind for line in price_stay(room(fee="0"), date(2026, 3, 1), date(2026, 3, 2)).lines]
    assert kinds == [PriceKind.NIGHTS_LOW]


def test_half_a_cent_is_rounded_up() -> None:
    assert round_cents(Decimal("0.005")) == Decimal("0.01")
    assert round_cents(Decimal("0.125")) == Decimal("0.13")
    assert round_cents(Decimal("-0.005")) == Decimal("-0.01")


def test_a_total_is_never_below_zero() -> None:
    line = PriceLine(PriceKind.NIGHTS_LOW, "Rabatt", 1, Decimal("-9.00"), Decimal("-9.00"))
    assert total_of([line]).total == Decimal("0.00")
    assert total_of([]).total == Decimal("0.00")


@FEW
@given(ARRIVALS, st.integers(1, 60), st.integers(1, 60), MONEY, MONEY, MONEY, SEASONS)
def test_parts_of_a_stay_cost_what_the_whole_costs(
    arrival: date, before: int, after: int, low: Decimal, high: Decimal, fee: Decimal, seasons: list[Season]
) -> None:
    subject, middle = room(low, high, fee), arrival + timedelta(before)
    departure = middle + timedelta(after)
    whole = price_stay(subject, arrival, departure, seasons)
    first = price_stay(subject, arrival, middle, seasons, final_cleaning=False)
    second = price_stay(subject, middle, departure, seasons, final_cleaning=False)
    assert whole.nights == first.total + second.total
    assert whole.total == first.total + second.total + fee
    assert whole.total == sum(line.amount for line in whole.lines)
    assert whole.nights == sum(night.price for night in price_nights(subject, arrival, departure, seasons))


@FEW
@given(st.dates(date(2024, 1, 1), date(2027, 12, 31)), DAY, DAY)
def test_a_window_and_its_complement_cover_every_night_once(
    night: date, first: tuple[int, int], last: tuple[int, int]
) -> None:
    day = (night.month, night.day)
    inside = Season("x", first, last).covers(night)
    if first <= last:
        assert inside == (first <= day <= last)
    else:
        # what a window across New Year leaves out is the time between its ends
        assert inside != (last < day < first)
    assert inside == Season("x", first, last).covers(date(2028, night.month, night.day))
