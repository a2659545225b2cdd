"""Rules of a stay: every wrong input of the desk has its sentence; ranges are half open."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.domain import stay
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.models import Kind, Occupancy, Status

TODAY = date(2026, 11, 21)
FEW = settings(max_examples=100, deadline=None)
STAYS = st.builds(
    lambda start, nights: (TODAY + timedelta(start), TODAY + timedelta(start + nights)),
    st.integers(0, 20),
    st.integers(1, 12),
)


def occupancy(
    status: Status | None, arrival: int = 0, departure: int = 2, option: int | None = None
) -> Occupancy:
    """A stay with its days counted from today; without a status a block."""
    return Occupancy(
        id=1,
        room_id=1,
        arrival=TODAY + timedelta(arrival),
        departure=TODAY + timedelta(departure),
        kind=Kind.STAY if status else Kind.OUT_OF_ORDER,
        booking_id=1 if status else None,
        status=status,
        option_expires=None if option is None else TODAY + timedelta(option),
    )


def nights_of(arrival: date, departure: date) -> set[date]:
    return {arrival + timedelta(offset) for offset in range((departure - arrival).days)}


@FEW
@given(STAYS, STAYS)
def test_stays_overlap_when_they_share_a_night(one: tuple[date, date], other: tuple[date, date]) -> None:
    assert stay.overlaps(*one, *other) == bool(nights_of(*one) & nights_of(*other))
    assert stay.overlaps(*one, *other) == stay.overlaps(*other, *one)


@FEW
@given(STAYS, st.integers(1, 12))
def test_the_day_of_departure_is_free_for_the_next_arrival(one: tuple[date, date], nights: int) -> None:
    arrival, departure = one
    assert stay.overlaps(*one, *one)
    assert not stay.overlaps(arrival, departure, departure, departure + timedelta(nights))
    assert not stay.overlaps(arrival, departure, arrival - timedelta(nights), arrival)


@pytest.mark.parametrize("nights", [1, 2, 365])
def test_stays_of_one_night_to_a_year_are_fine(nights: int) -> None:
    stay.check_stay(TODAY, TODAY + timedelta(nights))


@pytest.mark.parametrize(
    ("nights", "message"),
    [
        (
            -2,
            "Die Abreise 19.11.2026 liegt vor der Anreise 21.11.2026: bitte die Abreise später legen.",
        ),
        (0, "Anreise und Abreise sind beide am 21.11.2026: bitte mindestens eine Nacht buchen"),
        (366, "ergibt 366 Nächte: bitte höchstens 365 Nächte wählen"),
        (400, "Die Abreise 26.12.2027 ergibt 400 Nächte"),
    ],
)
def test_wrong_periods_get_their_sentence(nights: int, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        stay.check_stay(TODAY, TODAY + timedelta(nights))
    assert message in caught.value.message
    assert caught.value.field == "departure"


def test_persons_fit_into_the_beds() -> None:
    stay.check_persons(2, 2)
    stay.check_persons(9, None)
    for persons, capacity, words in (
        (3, 2, r"Für 3 Personen reicht der Platz nicht \(2 Betten\): bitte"),
        (2, 1, r"\(1 Bett\)"),
        (0, 2, "mindestens eine Person"),
        (-1, None, "mindestens eine Person"),
    ):
        with pytest.raises(InvalidInput, match=words) as caught:
            stay.check_persons(persons, capacity)
        assert caught.value.field == "persons"


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (" Müller ", "Müller"),
        ("Müller [VIP] [/b]", "Müller [VIP] [/b]"),
        ("Anna 😀", "Anna 😀"),
        ("😀", "😀"),
        ("Meier\nSchulze", "Meier Schulze"),
        ("x" * 100, "x" * 100),
    ],
)
def test_names_are_cleaned(text: str, name: str) -> None:
    assert stay.check_name(text, "last_name", 100) == name


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Nachname fehlt: bitte ausfüllen."),
        (" \n\t ", "Nachname fehlt: bitte ausfüllen."),
        ("\u200d\u0301", "Nachname fehlt: bitte ausfüllen."),
        ("\x00\u202e", "Nachname fehlt: bitte ausfüllen."),
        ("x" * 500, "Nachname ist mit 500 Zeichen zu lang: bitte auf 100 kürzen."),
    ],
)
def test_wrong_names_get_their_sentence(text: str, message: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        stay.check_name(text, "last_name", 100)
    assert caught.value.message == message
    assert caught.value.field == "last_name"


def test_text_may_be_absent() -> None:
    assert stay.check_text("  ", "city", 50) is None
    assert stay.check_text(" Ulm", "city", 50) == "Ulm"


def test_transitions() -> None:
    allowed = {(old, new) for old in Status for new in Status if old != new and stay.may_change(old, new)}
    arrow = "reserviert→bestaetigt,eingecheckt,storniert; bestaetigt→reserviert,eingecheckt,storniert;"
    arrow += "eingecheckt→reserviert,bestaetigt,ausgecheckt; ausgecheckt→eingecheckt;"
    arrow += "storniert→reserviert,bestaetigt"
    assert allowed == {
        (Status(old.strip()), Status(new))
        for old, _, targets in (part.partition("→") for part in arrow.split(";"))
        for new in targets.split(",")
    }
    assert all(stay.may_change(status, status) for status in Status)


@pytest.mark.parametrize(
    ("subject", "label"),
    [
        (occupancy(Status.CONFIRMED, -1), "Anreise überfällig"),
        (occupancy(Status.RESERVED, -1, 2, -1), "Anreise überfällig"),
        (occupancy(Status.CONFIRMED, 0), None),
        (occupancy(Status.CHECKED_IN, -3, -1), "Abreise überfällig"),
        (occupancy(Status.CHECKED_IN, -3, 0), None),
        (occupancy(Status.RESERVED, 5, 7, -1), "Option abgelaufen"),
        (occupancy(Status.RESERVED, 5, 7, 0), None),
        (occupancy(Status.RESERVED, 5, 7), None),
        (occupancy(Status.CONFIRMED, 5, 7, -1), None),
        (occupancy(Status.CHECKED_OUT, -9, -5), None),
        (occupancy(Status.CANCELLED, -9, -5, -20), None),
        (occupancy(None, -9, -5), None),
    ],
)
def test_what_is_late_is_shown(subject: Occupancy, label: str | None) -> None:
    assert stay.late_label(subject, TODAY) == label
