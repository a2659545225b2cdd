"""Dates as people type them: in many ways, and what is wrong gets its sentence."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput

TODAY = date(2026, 11, 21)  # a Saturday
FEW = settings(max_examples=80, deadline=None)

DAYS = st.dates(date(german.FIRST_YEAR, 1, 1), date(german.LAST_YEAR, 12, 31))

NEAR_DAYS = st.dates(date(2001, 1, 1), date(2098, 12, 31))


def parsed(text: str) -> date:
    return german.parse_date(text, today=TODAY)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("21.11.2026", date(2026, 11, 21)),
        ("3.4.", date(2027, 4, 3)),
        ("3.4", date(2027, 4, 3)),
        ("3.4.26", date(2026, 4, 3)),
        ("03.04.2026", date(2026, 4, 3)),
        ("2026-04-03", date(2026, 4, 3)),
        ("3/4/2026", date(2026, 4, 3)),
        ("3,4,26", date(2026, 4, 3)),
        ("3 4 2026", date(2026, 4, 3)),
        ("3. 4. 2026", date(2026, 4, 3)),
        ("030426", date(2026, 4, 3)),
        ("010100", date(2000, 1, 1)),
        ("03042026", date(2026, 4, 3)),
        ("0304", date(2027, 4, 3)),
        ("3. April 2027", date(2027, 4, 3)),
        ("3.apr", date(2027, 4, 3)),
        ("1. März", date(2027, 3, 1)),
        ("1 maerz 27", date(2027, 3, 1)),
        ("heute", TODAY),
        ("HEUTE ", TODAY),
        ("morgen", date(2026, 11, 22)),
        ("übermorgen", date(2026, 11, 23)),
        ("Uebermorgen", date(2026, 11, 23)),
        ("u\u0308bermorgen", date(2026, 11, 23)),
        ("gestern", date(2026, 11, 20)),
        ("+2", date(2026, 11, 23)),
        ("+ 2 Tage", date(2026, 11, 23)),
        ("mo", date(2026, 11, 23)),
        ("Montag", date(2026, 11, 23)),
        ("fr.", date(2026, 11, 27)),
        ("sa", date(2026, 11, 28)),
        ("Sonnabend", date(2026, 11, 28)),
        ("so", date(2026, 11, 22)),
        ("Sa 21.11.2026", TODAY),
        ("Mo, 23.11.", date(2026, 11, 23)),
        ("21.11.2026\n", TODAY),
        ("22.5.", date(2026, 5, 22)),
        ("21.5.", date(2027, 5, 21)),
        ("29.2.28", date(2028, 2, 29)),
    ],
)
def test_dates_may_be_typed_in_many_ways(text: str, day: date) -> None:
    assert parsed(text) == day


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("31.02.", "Den 31.02. gibt es nicht: bitte ein Datum wie 28.02. eingeben."),
        ("31.2.2026", "Den 31.02.2026 gibt es nicht: bitte ein Datum wie 28.02.2026 eingeben."),
        ("29.2.", "Den 29.02.2027 gibt es nicht: bitte ein Datum wie 28.02.2027 eingeben."),
        ("31.4.", "Den 31.04. gibt es nicht: bitte ein Datum wie 30.04. eingeben."),
        ("0.4.", "Den 00.04. gibt es nicht"),
        ("1.13.", "Den Monat 13 gibt es nicht"),
        ("1.0.2026", "Den Monat 0 gibt es nicht"),
        ("1.1.0026", "Das Jahr 0026 passt nicht"),
        ("1.1.9999", "Das Jahr 9999 passt nicht"),
        ("2026-02-30", "Den 30.02.2026 gibt es nicht"),
        ("So 21.11.2026", "Der 21.11.2026 ist ein Samstag, kein Sonntag"),
        ("", "Das Datum fehlt: bitte"),
        (" \n\t", "Das Datum fehlt: bitte"),
        ("bald", "„bald“ ist kein Datum: bitte zum Beispiel 21.11., +2 oder „morgen“ eingeben."),
        ("[/b]", "„[/b]“ ist kein Datum"),
        ("😀", "„😀“ ist kein Datum"),
        ("٣.٤.", "ist kein Datum"),
        ("+99999", "ist kein Datum"),
        ("1.1.20266", "ist kein Datum"),
        ("x" * 500, "„" + "x" * 19 + "…“ ist kein Datum"),
    ],
)
def test_wrong_dates_get_their_sentence(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        parsed(text)
    assert caught.value.message.startswith(words) or words in caught.value.message
    assert "bitte" in caught.value.message
    assert len(caught.value.message) < 120


def test_a_sentence_names_the_field_when_it_is_known() -> None:
    with pytest.raises(InvalidInput) as caught:
        german.parse_date("31.2.", today=TODAY, field="arrival")
    assert caught.value.field == "arrival"
    assert caught.value.message.startswith("Anreise: Den 31.02.")


@FEW
@given(DAYS)
def test_what_is_formatted_can_be_typed(day: date) -> None:
    assert parsed(german.format_date(day)) == day
    assert parsed(day.isoformat()) == day
    assert parsed(f"{german.format_weekday_short(day)} {german.format_date(day)}") == day
    assert parsed(f"{day.day}. {german.MONTHS[day.month - 1]} {day.year}") == day


@FEW
@given(day=NEAR_DAYS, reference=NEAR_DAYS)
def test_a_date_without_year_lies_in_the_year_around_the_reference(day: date, reference: date) -> None:
    try:
        found = german.parse_date(german.format_day_month(day), today=TODAY, reference=reference)
    except InvalidInput:
        assert (day.month, day.day) == (2, 29)
        return
    assert (found.month, found.day) == (day.month, day.day)
    assert -183 <= (found - reference).days <= 183


@FEW
@given(reference=NEAR_DAYS, number=st.integers(0, 6))
def test_a_weekday_is_the_next_one(reference: date, number: int) -> None:
    found = german.parse_date(german.WEEKDAYS_SHORT[number], today=TODAY, reference=reference)
    assert found.weekday() == number
    assert 1 <= (found - reference).days <= 7


@FEW
@given(st.text(max_size=20))
def test_any_text_is_a_date_or_has_a_sentence(text: str) -> None:
    try:
        parsed(text)
    except InvalidInput as error:
        sentence = error.message
    else:
        sentence = "bitte"
    assert "bitte" in sentence
    assert german.clean_line(sentence) == sentence


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("+3", date(2027, 1, 2)),
        ("3N", date(2027, 1, 2)),
        ("3 n", date(2027, 1, 2)),
        ("3 Nächte", date(2027, 1, 2)),
        ("3 naechte", date(2027, 1, 2)),
        ("1 Nacht", date(2026, 12, 31)),
        ("+2 Nächte", date(2027, 1, 1)),
        ("2.1.", date(2027, 1, 2)),
        ("29.12.", date(2026, 12, 29)),
        ("fr", date(2027, 1, 1)),
        ("mi", date(2027, 1, 6)),
        ("morgen", date(2026, 11, 22)),
        ("2.1.2027", date(2027, 1, 2)),
    ],
)
def test_departures_count_from_the_arrival(text: str, day: date) -> None:
    assert german.parse_departure(text, arrival=date(2026, 12, 30), today=TODAY) == day


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("3.4.58", date(1958, 4, 3)),
        ("3.4.1958", date(1958, 4, 3)),
        ("3.4.05", date(2005, 4, 3)),
        ("22.11.26", date(1926, 11, 22)),
        ("21.11.26", TODAY),
        ("1905-01-02", date(1905, 1, 2)),
    ],
)
def test_birth_dates_lie_in_the_past(text: str, day: date) -> None:
    assert german.parse_birth_date(text, today=TODAY) == day


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("3.4.", "Jahr fehlt"),
        ("22.11.2026", "in der Zukunft"),
        ("morgen", "in der Zukunft"),
        ("x", "kein Datum"),
    ],
)
def test_wrong_birth_dates_get_their_sentence(text: str, words: str) -> None:
    with pytest.raises(InvalidInput, match=words):
        german.parse_birth_date(text, today=TODAY, field="date_of_birth")
