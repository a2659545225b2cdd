"""How the verification reads a cell of the old file: rules of its own, written without the mapping's SQL.

A reading turns a value as SQLite stores it into the text that the target must show for it. What it
cannot read it gives back as UNREADABLE; such a row is looked at cell by cell.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import lru_cache
from math import floor
from typing import Any
from unicodedata import normalize

from dpolg_tui.domain.zone import in_house

UNREADABLE = "\x00?"
"""No stored text can be this: PostgreSQL knows no NUL."""

_BLANKS = " \t\r\n\u00a0"
_CENT = Decimal("0.01")
_TOO_MUCH = Decimal(10) ** 20
_TRUE = frozenset(("1", "1.0", "true", "ja", "yes", "wahr", "t", "y", "j", "on"))
_FALSE = frozenset(("0", "0.0", "false", "nein", "no", "falsch", "f", "n", "off"))
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ].*)?", re.ASCII | re.DOTALL)
_ZONED = re.compile(r"[T ].*(?:Z|UTC|[+-]\d\d(?::?\d\d)?)$", re.ASCII | re.DOTALL)
_GERMAN = re.compile(r"(\d{1,2})\.\s*(\d{1,2})\.\s*(\d{4})", re.ASCII)
_JULIAN = re.compile(r"\d{7}(?:\.\d+)?", re.ASCII)
_MOMENT = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ] *(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?)?\s*"
    r"(Z|UTC|[+-]\d\d(?::?\d\d)?)?",
    re.ASCII | re.IGNORECASE,
)
_CATEGORIES = {"app": "App", "bu": "BU", "dz": "DZ", "ez": "EZ", "fewo": "FeWo"}
_STATUSES = {
    "reserviert": "reserviert", "gebucht": "reserviert", "vorläufig": "reserviert",
    "vorlaeufig": "reserviert", "angefragt": "reserviert", "bestaetigt": "bestaetigt",
    "bestätigt": "bestaetigt",
    "stiftungsfall": "bestaetigt", "eingecheckt": "eingecheckt", "aktiv": "eingecheckt",
    "ausgecheckt": "ausgecheckt", "abgeschlossen": "ausgecheckt", "storniert": "storniert",
}  # fmt: skip

_TEXTS = frozenset((str, type(None)))

Read = Callable[[Any], str]


@dataclass(frozen=True, slots=True)
class Reading:
    """How a kind of value is read, and which other texts in the target are the same value."""

    read: Read
    same: Callable[[Any, str], bool] = lambda value, stored: False  # noqa: ARG005 - only what ``read`` says
    usual: Callable[[Sequence[Any]], list[str]] | None = None
    """The usual form of many texts at once: what differs from it is read one by one."""

    def read_all(self, values: Sequence[Any]) -> Sequence[str]:
        """What the target must show for each of these values, nearly all of which have the usual form."""
        if self.usual is not None and set(map(type, values)) <= _TEXTS:
            return self.usual(values)
        return list(map(self.read, values))


def as_text(value: Any) -> str:
    """Any cell as the text a person would see."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return UNREADABLE
    return str(value)


def as_readable(value: Any) -> str:
    """Bytes that are no clean text, as they are stored: NUL replaced, Windows' letters, digits of others."""
    stored = value if isinstance(value, bytes) else as_text(value).encode("utf-8", "surrogateescape")
    marked = stored.replace(b"\0", "\ufffd".encode())
    for encoding in ("utf-8",) if isinstance(value, bytes) else ("utf-8", "cp1252"):
        try:
            return marked.decode(encoding)
        except UnicodeDecodeError:
            continue
    return stored.hex() if isinstance(value, bytes) else marked.decode("latin-1")


def _same_text(value: Any, stored: str) -> bool:
    """Blanks around it do not count, nor how a number in a text column is written."""
    written = as_text(value)
    if written.strip() == stored.strip():
        return True
    return isinstance(value, int | float) and _number(stored) == value


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@lru_cache(8192)
def as_date(value: Any) -> str:
    """A day: ISO, with or without a time, or the German way."""
    if value is None or value == "":
        return ""
    if isinstance(value, float | int) and not isinstance(value, bool):
        return _julian(float(value))
    text = as_text(value).strip(_BLANKS)
    if not text:
        return ""
    if _JULIAN.fullmatch(text):
        return _julian(float(text))
    if _ZONED.search(text):
        # A browser's local midnight, written in UTC: the day is the one on the wall in Berlin.
        moment = _moment(text)
        return UNREADABLE if moment is None else in_house(moment).date().isoformat()
    if found := _ISO.fullmatch(text):
        year, month, day = found.groups()
    elif found := _GERMAN.fullmatch(text):
        day, month, year = found.groups()
    else:
        return UNREADABLE
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return UNREADABLE


def _julian(number: float) -> str:
    """SQLite's day number; days begin at midnight, those numbers at noon."""
    if not 2_400_000 < number < 2_500_000:
        return UNREADABLE
    return (date(2000, 1, 1) + timedelta(days=floor(number - 2_451_544.5))).isoformat()


@lru_cache(8192)
def as_moment(value: Any) -> str:
    """A moment as PostgreSQL prints it in UTC; without a zone it is UTC already."""
    if value is None or value == "":
        return ""
    moment = _moment(as_text(value).strip(_BLANKS))
    if moment is None:
        return UNREADABLE
    written = f"{moment:%Y-%m-%d %H:%M:%S}"
    return (
        f"{written}.{moment.microsecond:06d}".rstrip("0") + "+00" if moment.microsecond else written + "+00"
    )


def _moment(text: str) -> datetime | None:
    found = _MOMENT.fullmatch(text)
    if found is None:
        return None
    *parts, fraction, zone = found.groups(default="0")
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = round(int(fraction) / 10 ** len(fraction) * 1_000_000)
    # The end of a day is the beginning of the next; and a minute may have a leap second.
    if minute > 59 or second > 60 or (hour, minute, second) > (24, 0, 0):
        return None
    try:
        moment = datetime(year, month, day, tzinfo=UTC) - _offset(zone)
        return moment + timedelta(hours=hour, minutes=minute, seconds=second, microseconds=microsecond)
    except (ValueError, OverflowError):
        return None


def _offset(zone: str) -> timedelta:
    if zone in ("0", "Z", "z") or zone.upper() == "UTC":
        return timedelta()
    digits = zone[1:].replace(":", "").ljust(4, "0")
    size = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    return -size if zone[0] == "-" else size


@lru_cache(8192)
def as_money(value: Any) -> str:
    """An amount to the cent, halves up."""
    if value is None or value == "":
        return ""
    text = repr(value) if isinstance(value, float) else _plain_amount(as_text(value))
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return UNREADABLE
    return cents(amount) if amount.is_finite() and abs(amount) < _TOO_MUCH else UNREADABLE


def _plain_amount(text: str) -> str:
    """As people type amounts: with a comma, thousands and a euro sign."""
    plain = text.replace("€", "").replace("EUR", "").replace("\u00a0", "").strip()
    return plain.replace(".", "").replace(",", ".") if "," in plain else plain


def cents(amount: Decimal) -> str:
    """An amount as numeric(…,2) prints it."""
    rounded = amount.quantize(_CENT, ROUND_HALF_UP)
    return f"{rounded if rounded else abs(rounded):f}"


@lru_cache(4096)
def as_money_or_none(value: Any) -> str:
    """An amount in a column that must have one: nothing is 0.00."""
    return as_money(value) or "0.00"


@lru_cache(4096)
def as_whole(value: Any) -> str:
    """A whole number."""
    if value is None or value == "":
        return ""
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() else UNREADABLE
    text = as_text(value).strip()
    found = re.fullmatch(r"([+-]?\d{1,19})(?:\.0+)?", text, re.ASCII)
    return str(int(found[1])) if found else UNREADABLE


@lru_cache(4096)
def as_boolean(value: Any) -> str:
    """Yes or no, or nothing."""
    if value is None or value == "":
        return ""
    text = as_text(value).strip(_BLANKS).lower()
    if text in _TRUE:
        return "true"
    return "false" if text in _FALSE else UNREADABLE


@lru_cache(4096)
def as_yes_or_no(value: Any) -> str:
    """Yes or no; nothing is no."""
    return as_boolean(value) or "false"


@lru_cache(4096)
def as_status(value: Any) -> str:
    """The status that an old word stands for."""
    return _STATUSES.get(normalize("NFC", as_text(value)).strip(_BLANKS).lower(), UNREADABLE)


def as_summer_moment(value: Any) -> str:
    """The one column that the old program wrote two hours ahead of UTC, unless it says its zone."""
    if value is None or value == "":
        return ""
    text = as_text(value).strip(_BLANKS)
    return as_moment(text if _ZONED.search(text) else f"{text}+02")


def same_number(value: Any, stored: str) -> bool:
    """The same number, however it is written; nothing and 0 are both "not given"."""
    written = as_money(value)
    if written in ("", "0.00"):
        return True
    number, other = _number(as_text(value).replace(",", ".")), _number(stored)
    return number is not None and number == other


def as_month_and_day(value: Any) -> str:
    """A day of the year, also from a whole date."""
    found = re.fullmatch(r"(?:\d{4}-)?(\d\d-\d\d)", as_text(value).strip(), re.ASCII)
    return found[1] if found else UNREADABLE


def as_kind_of_room(value: Any) -> str:
    """A category, or a building: the old program had one column for both."""
    written = as_text(value).strip(_BLANKS)
    return _CATEGORIES.get(written.lower(), f"in {written}" if written else "Zimmer")


def _same_kind_of_room(value: Any, stored: str) -> bool:
    return stored.startswith("in ") and _same_text(value, stored.removeprefix("in "))


def _same_email(value: Any, stored: str) -> bool:
    """@noemail.local was how the old program said that there is none."""
    written = as_text(value).strip()
    return written == stored or (not stored and written.lower().endswith("@noemail.local"))


def one_of(words: dict[str, str], otherwise: str = UNREADABLE) -> Reading:
    """A word that stands for another."""

    def read(value: Any) -> str:
        written = as_text(value).strip(_BLANKS).lower()
        return words.get(written, otherwise)

    return Reading(lru_cache(256)(read))


def _as_they_are(values: Sequence[Any]) -> list[str]:
    return [value or "" for value in values]


def _with_zone(values: Sequence[Any]) -> list[str]:
    return [f"{value}+00" if value else "" for value in values]


TEXT = Reading(as_text, _same_text, _as_they_are)
EMAIL = Reading(as_text, _same_email, _as_they_are)
DATE = Reading(as_date, usual=_as_they_are)
MOMENT = Reading(as_moment, usual=_with_zone)
MONEY = Reading(as_money)
MONEY_OR_NONE = Reading(as_money_or_none)
WHOLE = Reading(as_whole)
BOOLEAN = Reading(as_boolean)
YES_OR_NO = Reading(as_yes_or_no)
STATUS = Reading(as_status)
SUMMER_MOMENT = Reading(as_summer_moment)
NUMBER = Reading(as_money, same_number)
MONTH_AND_DAY = Reading(as_month_and_day)
KIND_OF_ROOM = Reading(as_kind_of_room, _same_kind_of_room)
