"""German on the screen: formats, words, money, numbers and text."""

from __future__ import annotations

import subprocess
import sys
import time
import unicodedata
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from babel.dates import get_day_names, get_month_names
from hypothesis import given, settings
from hypothesis import strategies as st

from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.models import Kind, Role, Status

TODAY = date(2026, 11, 21)  # a Saturday

FEW = settings(max_examples=80, deadline=None)


# Formats


def test_names_are_those_of_babel() -> None:
    days = get_day_names("wide", locale="de_DE")
    short = get_day_names("short", context="stand-alone", locale="de_DE")
    months = get_month_names("wide", locale="de_DE")
    assert tuple(days[number] for number in range(7)) == german.WEEKDAYS
    assert tuple(short[number].rstrip(".") for number in range(7)) == german.WEEKDAYS_SHORT
    assert tuple(months[number] for number in range(1, 13)) == german.MONTHS


def test_formats() -> None:
    assert german.format_date(TODAY) == "21.11.2026"
    assert german.format_date(date(2026, 1, 2)) == "02.01.2026"
    assert german.format_day_month(TODAY) == "21.11."
    assert german.format_weekday_short(TODAY) == "Sa"
    assert german.format_weekday(TODAY) == "Samstag"
    assert german.format_month(date(2026, 3, 1)) == "März 2026"
    assert german.format_nights(1) == "1 Nacht"
    assert german.format_nights(3) == "3 Nächte"


@pytest.mark.parametrize(
    ("first", "last", "text"),
    [
        (date(2026, 11, 21), date(2026, 11, 24), "21.–24.11.2026"),
        (date(2026, 11, 28), date(2026, 12, 2), "28.11.–02.12.2026"),
        (date(2026, 12, 30), date(2027, 1, 2), "30.12.2026–02.01.2027"),
        (date(2026, 11, 3), date(2027, 11, 5), "03.11.2026–05.11.2027"),
        (date(2026, 11, 21), date(2026, 11, 21), "21.11.2026"),
    ],
)
def test_date_ranges_are_short_and_unambiguous(first: date, last: date, text: str) -> None:
    assert german.format_date_range(first, last) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("1234.56", "1.234,56 €"),
        ("0", "0,00 €"),
        ("-0.001", "0,00 €"),
        ("-12.5", "-12,50 €"),
        ("0.005", "0,01 €"),
        ("2.675", "2,68 €"),
        ("99999999.99", "99.999.999,99 €"),
    ],
)
def test_money(amount: str, text: str) -> None:
    assert german.format_money(Decimal(amount)) == text


def test_moments_are_shown_in_the_zone_of_the_house() -> None:
    assert german.format_datetime(datetime(2026, 11, 21, 13, 5, tzinfo=UTC)) == "21.11.2026 14:05"
    assert german.format_datetime(datetime(2026, 7, 1, 22, 30, tzinfo=UTC)) == "02.07.2026 00:30"
    with pytest.raises(ValueError, match="time zone"):
        german.format_datetime(datetime(2026, 7, 1))  # noqa: DTZ001 - the point of this test


def test_moments_of_today_are_short() -> None:
    moment = datetime(2026, 11, 21, 23, 5, tzinfo=UTC)
    assert german.format_datetime(moment, date(2026, 11, 22)) == "00:05"
    assert german.format_datetime(moment, date(2026, 11, 21)) == "22.11. 00:05"


def test_today_is_the_day_in_the_house() -> None:
    assert german.today(datetime(2026, 11, 20, 23, 30, tzinfo=UTC)) == TODAY
    assert german.today(datetime(2026, 6, 30, 21, 59, tzinfo=UTC)) == date(2026, 6, 30)
    assert german.today(datetime(2026, 6, 30, 22, 0, tzinfo=UTC)) == date(2026, 7, 1)
    assert abs(german.today() - datetime.now(UTC).date()) <= timedelta(1)


def test_every_value_has_its_word() -> None:
    assert [german.status_label(status) for status in Status] == [
        *("reserviert", "bestätigt", "eingecheckt", "ausgecheckt", "storniert")
    ]
    assert "".join(german.status_glyph(status) for status in Status) == "○◆●✓✗"
    assert [german.kind_label(kind) for kind in Kind] == ["Aufenthalt", "defekt", "Eigenbedarf"]
    assert [german.role_label(role) for role in Role] == ["Admin", "Benutzer"]


def test_importing_loads_neither_babel_nor_holidays() -> None:
    code = (
        "import sys, dpolg_tui.domain.german, dpolg_tui.domain.stay, dpolg_tui.domain.pricing,"
        " dpolg_tui.domain.merge, dpolg_tui.domain.holidays\n"
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'babel', 'holidays', 'textual'}))"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"


# Money and numbers


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("12,50", "12.50"),
        ("12,5", "12.50"),
        ("1.234,56 €", "1234.56"),
        ("1.234,56\u00a0€", "1234.56"),
        ("12.50", "12.50"),
        ("12.5", "12.50"),
        ("12", "12.00"),
        ("1.234", "1234.00"),
        ("1.234.567", "1234567.00"),
        ("1 234,5", "1234.50"),
        ("12,-", "12.00"),
        ("12,–", "12.00"),
        ("€ 12", "12.00"),
        ("12 EUR", "12.00"),
        ("12 Euro", "12.00"),
        ("0", "0.00"),
        ("-0", "0.00"),
        ("+5", "5.00"),
        ("99.999.999,99", "99999999.99"),
    ],
)
def test_amounts_may_be_typed_in_many_ways(text: str, amount: str) -> None:
    found = german.parse_money(text)
    assert str(found) == amount


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Der Betrag fehlt"),
        ("€", "Der Betrag fehlt"),
        ("zwölf", "„zwölf“ ist kein Betrag"),
        ("1,234.56", "ist kein Betrag"),
        ("12,345", "mehr als zwei Stellen"),
        ("1.23.4", "ist kein Betrag"),
        ("-5", "-5,00 € ist zu wenig: bitte einen Betrag ohne Minus eingeben."),
        ("−5", "-5,00 € ist zu wenig"),
        ("100000000", "ist zu viel: bitte höchstens 99.999.999,99 €"),
        ("NaN", "ist kein Betrag"),
        ("1e5", "ist kein Betrag"),
        ("9" * 500, "ist kein Betrag"),
        ("😀", "ist kein Betrag"),
    ],
)
def test_wrong_amounts_get_their_sentence(text: str, words: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        german.parse_money(text, field="price_low")
    assert words in caught.value.message
    assert "bitte" in caught.value.message
    assert caught.value.message.startswith("Preis Nebensaison: ")


def test_amounts_may_have_other_bounds() -> None:
    assert german.parse_money("-5,00", lowest=Decimal(-10)) == Decimal("-5.00")
    with pytest.raises(InvalidInput, match="mindestens -10,00 €"):
        german.parse_money("-11", lowest=Decimal(-10))
    with pytest.raises(InvalidInput, match="höchstens 10,00 €"):
        german.parse_money("10,01", highest=Decimal(10))


@FEW
@given(st.decimals(min_value=0, max_value=german.HIGHEST_AMOUNT, places=2))
def test_amounts_come_back(amount: Decimal) -> None:
    assert german.parse_money(german.format_money(amount)) == amount
    assert german.parse_money(f"{amount:.2f}") == amount


def test_whole_numbers() -> None:
    assert german.parse_int(" 2 ", 1, 4) == 2
    assert german.parse_int("4", 1, 4) == 4
    for text, words in (
        ("", "Die Zahl fehlt: bitte eine ganze Zahl von 1 bis 4 eingeben."),
        ("0", "0 ist zu klein: bitte eine ganze Zahl von 1 bis 4 eingeben."),
        ("5", "5 ist zu groß"),
        ("1,5", "„1,5“ ist keine passende Zahl"),
        ("zwei", "„zwei“ ist keine passende Zahl"),
        ("9" * 500, "ist keine passende Zahl"),
        ("²", "ist keine passende Zahl"),
    ):
        with pytest.raises(InvalidInput) as caught:
            german.parse_int(text, 1, 4, "persons")
        assert words in caught.value.message
        assert caught.value.message.startswith("Personen: ")
        assert caught.value.field == "persons"


# Text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Müller ", "Müller"),
        ("Müller\nLüdenscheidt", "Müller Lüdenscheidt"),
        ("a \r\n\t b", "a b"),
        ("a\x00b\x1b[31m", "a b [31m"),
        ("Mu\u0308ller", "Müller"),
        ("\ufeffName\u200b", "Name"),
        ("a\u202eb", "ab"),
        ("\ud800x", "x"),
        ("👨‍👩‍👧 Familie", "👨‍👩‍👧 Familie"),
        ("Müller [VIP] [/b]", "Müller [VIP] [/b]"),
        ("\n", ""),
    ],
)
def test_a_line_is_cleaned(text: str, line: str) -> None:
    assert german.clean_line(text) == line


def test_a_huge_paste_does_not_stall() -> None:
    start = time.monotonic()
    assert german.clean_line("ä" + " " * 200_000 + "\n" * 200_000 + "b") == "ä b"
    for parse in (german.parse_money, lambda text: german.parse_date(text, today=TODAY)):
        with pytest.raises(InvalidInput):
            parse("1" + " " * 50_000 + "." * 50_000 + "x")
    assert time.monotonic() - start < 2


@FEW
@given(st.text())
def test_a_clean_line_stays_as_it_is(text: str) -> None:
    line = german.clean_line(text)
    assert german.clean_line(line) == line
    assert line == line.strip()
    assert unicodedata.is_normalized("NFC", line)
    assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in line)


def test_spellings_of_a_name_have_one_search_key() -> None:
    assert len({german.search_key(name) for name in ("Müller", "Mueller", "MULLER", "Mu\u0308ller")}) == 1
    assert german.search_key("Groß") == german.search_key("GROSS") == german.search_key("Groẞ") == "gross"
    assert german.search_key("Łukasz Dvořák") == "lukasz dvorak"
    assert german.search_key("Işıl İnönü") == "isil inonu"
    assert german.search_key("Sørensen  Đorđe\tÆgir Þór ") == "sorensen dorde agir tor"
    assert german.search_key("ΟΔΟΣ") == "οδοσ"


@FEW
@given(st.text())
def test_search_keys_do_not_depend_on_case_or_normalisation_of_accents(text: str) -> None:
    assert german.search_key(unicodedata.normalize("NFD", text)) == german.search_key(text)
    assert german.search_key(unicodedata.normalize("NFC", text)) == german.search_key(text)


def test_natural_order() -> None:
    names = ["10 Watzmann", "Zimmer", "2 Wendelstein", "Äpfel", "Affe", "1 Zugspitze", "02 Alt", "Ärger", "B"]
    assert sorted(names, key=german.natural_key) == [
        *("1 Zugspitze", "02 Alt", "2 Wendelstein", "10 Watzmann"),
        *("Affe", "Äpfel", "Ärger", "B", "Zimmer"),
    ]
    assert german.natural_key("9" * 6000) < german.natural_key("1" + "0" * 6000)


@FEW
@given(st.text(), st.text())
def test_natural_keys_can_be_compared_and_tell_texts_apart(one: str, other: str) -> None:
    first, second = german.natural_key(one), german.natural_key(other)
    assert (first == second) == (one == other)
    assert (first < second) or (second < first) or one == other


@FEW
@given(st.integers(0, 10**30), st.integers(0, 10**30))
def test_numbers_are_in_the_order_of_their_value(one: int, other: int) -> None:
    assert (german.natural_key(f"Zimmer {one}") < german.natural_key(f"Zimmer {other}")) == (one < other)
