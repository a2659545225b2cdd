"""German on the screen: the only place that formats and parses dates, money and numbers.

Names of days and months stand here because the chart needs them for its first picture and
babel costs some 50 ms to import (a test holds them equal to babel's); money is babel's, loaded
when the first amount is shown. What is formatted for every repaint is cached.
"""

from __future__ import annotations

import re
import unicodedata
from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.models import Kind, Role, Status
from dpolg_tui.domain.zone import in_house

WEEKDAYS = ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag", "Sonntag")
WEEKDAYS_SHORT = ("Mo", "Di", "Mi", "Do", "Fr", "Sa", "So")
MONTHS = (
    *("Januar", "Februar", "März", "April", "Mai", "Juni"),
    *("Juli", "August", "September", "Oktober", "November", "Dezember"),
)
BLOCK_GLYPH = "╳"
FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years that a typed date may have: typing errors like 0226 are told, not stored."""

CENT = Decimal("0.01")
HIGHEST_AMOUNT = Decimal("99999999.99")
"""What numeric(10,2) holds."""
_PAST_DAYS = 183
"""A date without a year may lie this far in the past; earlier ones mean the next year."""

_STATUS_LABELS = {
    Status.RESERVED: "reserviert",
    Status.CONFIRMED: "bestätigt",
    Status.CHECKED_IN: "eingecheckt",
    Status.CHECKED_OUT: "ausgecheckt",
    Status.CANCELLED: "storniert",
}
_STATUS_GLYPHS = {
    Status.RESERVED: "○",
    Status.CONFIRMED: "◆",
    Status.CHECKED_IN: "●",
    Status.CHECKED_OUT: "✓",
    Status.CANCELLED: "✗",
}
_KIND_LABELS = {Kind.STAY: "Aufenthalt", Kind.OUT_OF_ORDER: "defekt", Kind.HOUSE_USE: "Eigenbedarf"}
_ROLE_LABELS = {Role.ADMIN: "Admin", Role.USER: "Benutzer"}


def status_label(status: Status) -> str:
    """``bestätigt`` for ``bestaetigt``: the word for the screen."""
    return _STATUS_LABELS[status]


def status_glyph(status: Status) -> str:
    """The sign that stands beside the colour of a status."""
    return _STATUS_GLYPHS[status]


def kind_label(kind: Kind) -> str:
    """``defekt``, ``Eigenbedarf`` or ``Aufenthalt``."""
    return _KIND_LABELS[kind]


def role_label(role: Role) -> str:
    """``Admin`` or ``Benutzer``."""
    return _ROLE_LABELS[role]


def today(clock: datetime | None = None) -> date:
    """The day in the house, now or at the moment ``clock`` (timezone-aware)."""
    return in_house(clock or datetime.now(UTC)).date()


# --- format ----------------------------------------------------------------------------------


@lru_cache(maxsize=4096)
def format_date(day: date) -> str:
    """``21.11.2026``"""
    return f"{day.day:02}.{day.month:02}.{day.year:04}"


@lru_cache(maxsize=1024)
def format_day_month(day: date) -> str:
    """``21.11.``"""
    return f"{day.day:02}.{day.month:02}."


@lru_cache(maxsize=4096)
def format_date_range(first: date, last: date) -> str:
    """``21.–24.11.2026``: as short as it stays unambiguous."""
    if first == last:
        return format_date(first)
    if first.year != last.year:
        return f"{format_date(first)}–{format_date(last)}"
    if first.month != last.month:
        return f"{format_day_month(first)}–{format_date(last)}"
    return f"{first.day:02}.–{format_date(last)}"


def format_weekday_short(day: date) -> str:
    """``Sa``"""
    return WEEKDAYS_SHORT[day.weekday()]


def format_weekday(day: date) -> str:
    """``Samstag``"""
    return WEEKDAYS[day.weekday()]


def format_month(day: date) -> str:
    """``November 2026``"""
    return f"{MONTHS[day.month - 1]} {day.year}"


def format_datetime(moment: datetime, today: date | None = None) -> str:
    """``21.11.2026 14:05`` in the zone of the house; with ``today`` just ``14:05``, else ``20.11. 14:05``."""
    local = in_house(moment)  # timezone-aware, or it refuses
    day = format_date(local.date()) if today is None else format_day_month(local.date())
    return f"{local:%H:%M}" if local.date() == today else f"{day} {local:%H:%M}"


def format_nights(nights: int) -> str:
    """``1 Nacht``, ``3 Nächte``"""
    return f"{nights} Nacht" if nights == 1 else f"{nights} Nächte"


@lru_cache(maxsize=4096)
def format_money(amount: Decimal) -> str:
    """``1.234,56 €``, rounded half up, with a plain space so that columns and searches fit."""
    from babel.numbers import format_currency  # loaded late: see above

    # adding zero turns -0.00 into 0.00
    rounded = amount.quantize(CENT, rounding=ROUND_HALF_UP) + Decimal(0)
    return format_currency(rounded, "EUR", locale="de_DE").replace("\N{NO-BREAK SPACE}", " ")


def format_number(number: Decimal) -> str:
    """``3``, ``2,5``"""
    return f"{number.normalize():f}".replace(".", ",")


# --- parse -----------------------------------------------------------------------------------

# Text, compiled when first used: the start of the program need not wait for it.
_ISO = r"([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})"
_NUMBERS = r"([0-9]{1,2})[./, -]+([0-9]{1,2})(?:[./, -]+([0-9]{4}|[0-9]{2}))?[.,]?"
_DIGITS = r"([0-9]{2})([0-9]{2})([0-9]{4}|[0-9]{2})?"
_MONTH_NAME = r"([0-9]{1,2})[. ]*([a-z]{3,})[. ]*([0-9]{4}|[0-9]{2})?"
_PLUS = r"\+ *([0-9]{1,4})(?: *(?:n|nacht|nachte|t|tag|tage))?"
_NIGHTS = r"\+? *([0-9]{1,4}) *(?:n|nacht|nachte)"
_WEEKDAY_FIRST = r"([a-z]{2,})[.,]* *([0-9].*)"
_RELATIVE = {"gestern": -1, "heute": 0, "morgen": 1, "ubermorgen": 2, "vorgestern": -2}


def parse_date(text: str, *, today: date, reference: date | None = None, field: str | None = None) -> date:
    """A date typed the German way.

    ``3.4.`` · ``3.4.26`` · ``03.04.2026`` · ``2026-04-03`` · ``030426`` · ``3. April`` · ``heute`` ·
    ``morgen`` · ``übermorgen`` · ``gestern`` · ``+2`` (days after ``reference``, else after today) ·
    ``mo`` (the next Monday after it). Without a year: the next such day that lies at most half a
    year before ``reference`` or today. Raises InvalidInput.
    """
    words = search_key(clean_line(text))
    base = reference or today
    if not words:
        raise _invalid("Das Datum fehlt: bitte ein Datum wie 21.11. oder „morgen“ eingeben.", field)
    if words in _RELATIVE:
        return today + timedelta(_RELATIVE[words])
    if plus := re.fullmatch(_PLUS, words):
        return base + timedelta(int(plus[1]))
    weekday = _weekday(words.rstrip("."))
    if weekday is not None:
        return base + timedelta((weekday - base.weekday() - 1) % 7 + 1)
    named = re.fullmatch(_WEEKDAY_FIRST, words)
    weekday = _weekday(named[1]) if named else None
    if named is None or weekday is None:
        return _calendar_date(words, text, base, field)
    day = _calendar_date(named[2], text, base, field)
    if day.weekday() != weekday:
        raise _invalid(
            f"Der {format_date(day)} ist ein {format_weekday(day)}, kein {WEEKDAYS[weekday]}:"
            " bitte Tag oder Datum berichtigen.",
            field,
        )
    return day


def parse_departure(text: str, *, arrival: date, today: date, field: str | None = None) -> date:
    """As parse_date counted from the arrival; ``+3``, ``3N`` and ``3 Nächte`` are nights.

    Whether the departure fits the arrival is for stay.check_stay.
    """
    if nights := re.fullmatch(_NIGHTS, search_key(clean_line(text))):
        return arrival + timedelta(int(nights[1]))
    return parse_date(text, today=today, reference=arrival, field=field)


def parse_birth_date(text: str, *, today: date, field: str | None = None) -> date:
    """A date with a year that is not in the future; ``58`` is the latest such year, 1958."""
    parts = _date_parts(search_key(clean_line(text)))
    if parts is not None and not parts[2]:
        wish = f"{parts[0]:02}.{parts[1]:02}.1980"
        raise _invalid(f"Das Jahr fehlt: bitte ein Datum wie {wish} eingeben.", field)
    day = parse_date(text, today=today, field=field)
    if day > today and parts is not None and len(parts[2]) == 2:
        day = _checked_date(day.year - 100, day.month, day.day, field)
    if day > today:
        raise _invalid(f"Der {format_date(day)} liegt in der Zukunft: bitte das Jahr prüfen.", field)
    return day


def _weekday(word: str) -> int | None:
    """Number of a weekday by its name or its beginning, from two letters on."""
    if word == "sonnabend":
        return 5
    if len(word) >= 2:
        for number, name in enumerate(WEEKDAYS):
            if name.lower().startswith(word):
                return number
    return None


def _month(word: str) -> int | None:
    for number, name in enumerate(MONTHS, start=1):
        if search_key(name).startswith(word):
            return number
    return None


def _date_parts(words: str) -> tuple[int, int, str] | None:
    """Day, month and the year as typed: of four digits, of two, or empty."""
    if iso := re.fullmatch(_ISO, words):
        return int(iso[3]), int(iso[2]), iso[1]
    if numbers := re.fullmatch(_NUMBERS, words) or re.fullmatch(_DIGITS, words):
        return int(numbers[1]), int(numbers[2]), numbers[3] or ""
    if named := re.fullmatch(_MONTH_NAME, words):
        month = _month(named[2])
        if month is not None:
            return int(named[1]), month, named[3] or ""
    return None


def _calendar_date(words: str, typed: str, base: date, field: str | None) -> date:
    parts = _date_parts(words)
    if parts is None:
        raise _invalid(
            f"„{_shortened(typed)}“ ist kein Datum: bitte zum Beispiel 21.11., +2 oder „morgen“ eingeben.",
            field,
        )
    day, month, typed_year = parts
    if not typed_year:
        earliest = base - timedelta(_PAST_DAYS)
        year = earliest.year + ((month, day) < (earliest.month, earliest.day))
        return _checked_date(year, month, day, field, year_typed=False)
    # two digits mean this century; four like 0026 are a typing error
    year = int(typed_year) + (2000 if len(typed_year) == 2 else 0)
    return _checked_date(year, month, day, field)


def _checked_date(year: int, month: int, day: int, field: str | None, *, year_typed: bool = True) -> date:
    """The date, or a sentence that says which part of it does not exist."""
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise _invalid(
            f"Das Jahr {year:04} passt nicht: bitte ein Jahr von {FIRST_YEAR} bis {LAST_YEAR} eingeben.",
            field,
        )
    if not 1 <= month <= 12:
        raise _invalid(
            f"Den Monat {month} gibt es nicht: bitte Tag.Monat.Jahr wie 21.11.{year} eingeben.", field
        )
    last = monthrange(year, month)[1]
    if not 1 <= day <= last:
        # the 29th of February is missing only in some years: then the year is part of the sentence
        shown = f"{month:02}.{year}" if year_typed or (month, day) == (2, 29) else f"{month:02}."
        raise _invalid(
            f"Den {day:02}.{shown} gibt es nicht: bitte ein Datum wie {last:02}.{shown} eingeben.", field
        )
    return date(year, month, day)


_MONEY = r"([+-]?)([0-9]{1,3}(?:[. '][0-9]{3})+|[0-9]+)(?:,([0-9]+|-+|–))?"
_MONEY_POINT = r"([+-]?)([0-9]+)\.([0-9]{1,2})"


def parse_money(
    text: str,
    *,
    lowest: Decimal = Decimal(0),
    highest: Decimal = HIGHEST_AMOUNT,
    field: str | None = None,
) -> Decimal:
    """An amount in euros with two places: ``12,50`` · ``1.234,56 €`` · ``12.50`` · ``12`` · ``12,-``.

    A point before three digits separates thousands (``1.234`` is 1234). Raises InvalidInput.
    """
    typed = clean_line(text).replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")
    bare = re.sub(r"(?i)€|eur(o)?\b", "", typed).strip()
    if not bare:
        raise _invalid("Der Betrag fehlt: bitte einen Betrag wie 12,50 eingeben.", field)
    match = re.fullmatch(_MONEY_POINT, bare) or re.fullmatch(_MONEY, bare)
    if match is None or len(match[2]) > 20:
        raise _invalid(f"„{_shortened(text)}“ ist kein Betrag: bitte zum Beispiel 12,50 eingeben.", field)
    cents = (match[3] or "").strip("-–")
    if len(cents) > 2:
        raise _invalid(
            f"„{_shortened(text)}“ hat mehr als zwei Stellen nach dem Komma: bitte auf Cent runden.", field
        )
    amount = Decimal(f"{match[1]}{re.sub('[^0-9]', '', match[2])}.{cents or 0}").quantize(CENT) + Decimal(0)
    if amount < lowest:
        wish = "einen Betrag ohne Minus" if lowest == 0 else f"mindestens {format_money(lowest)}"
        raise _invalid(f"{format_money(amount)} ist zu wenig: bitte {wish} eingeben.", field)
    if amount > highest:
        raise _invalid(
            f"{format_money(amount)} ist zu viel: bitte höchstens {format_money(highest)} eingeben.", field
        )
    return amount


def parse_int(text: str, lowest: int, highest: int, field: str | None = None) -> int:
    """A whole number between the two bounds, both allowed. Raises InvalidInput."""
    typed = clean_line(text)
    wish = f"bitte eine ganze Zahl von {lowest} bis {highest} eingeben."
    if not typed:
        raise _invalid(f"Die Zahl fehlt: {wish}", field)
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", typed):
        raise _invalid(f"„{_shortened(typed)}“ ist keine passende Zahl: {wish}", field)
    number = int(typed)
    if not lowest <= number <= highest:
        raise _invalid(f"{number} ist zu {'klein' if number < lowest else 'groß'}: {wish}", field)
    return number


def _invalid(message: str, field: str | None) -> InvalidInput:
    return InvalidInput(f"{field_label(field)}: {message}" if field else message, field)


def _shortened(text: str, longest: int = 20) -> str:
    line = clean_line(text)
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


# --- text ------------------------------------------------------------------------------------

# Control characters, line and paragraph separators, and surrogates, which no database takes.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")
# Invisible: zero-width space, byte-order mark, soft hyphen; and marks that turn the direction
# of writing, with which one name can be made to look like another.
_INVISIBLE = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]")
_COMBINING = re.compile("[\u0300-\u036f]+")
_LETTERS = str.maketrans("łıđøæðþ", "lidoadt")


def clean_line(text: str) -> str:
    """One line of text: newlines, tabs and control characters become a space; trimmed; NFC."""
    if text.isascii() and text.isprintable():
        return text.strip()
    # split and joined, as a pattern that also eats the spaces around takes quadratic time
    parts = (part.strip() for part in _CONTROL.split(_INVISIBLE.sub("", text)))
    return unicodedata.normalize("NFC", " ".join(filter(None, parts)))


def _plain(text: str) -> str:
    """Lower case without accents: ä as a, ß as ss."""
    if text.isascii():
        return text.lower()
    # letter by letter: unlike the database, str.lower treats a Greek sigma by its neighbours
    low = "".join(map(str.lower, unicodedata.normalize("NFC", text))).replace("ß", "ss")
    return _COMBINING.sub("", unicodedata.normalize("NFKD", low)).translate(_LETTERS)


def search_key(text: str) -> str:
    """What search compares, equal to app.search_key in the database: Müller, Mueller, MULLER are one."""
    bare = _plain(text).replace("ae", "a").replace("oe", "o").replace("ue", "u")
    return re.sub(r"\s+", " ", bare).strip(" ")


NaturalKey = tuple[tuple[tuple[int, int, str], ...], str]


@lru_cache(maxsize=4096)
def natural_key(text: str) -> NaturalKey:
    """Sort key in which 2 stands before 10 and ä beside a; equal only for equal texts."""
    parts = re.split("([0-9]+)", _plain(text))
    key: list[tuple[int, int, str]] = []
    for position, part in enumerate(parts):
        if position % 2:
            digits = part.lstrip("0")
            # compared by length, then digit by digit: no limit on how long a number is
            key.append((0, len(digits), digits))
        elif part:
            key.append((1, 0, part))
    return tuple(key), text
