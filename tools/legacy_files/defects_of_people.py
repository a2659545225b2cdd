"""What goes wrong with guests, companions and rooms, and with text in any column."""

from __future__ import annotations

from datetime import date
from typing import Any

from tools.legacy_files.workshop import Defect, Workshop, each, one_of

_WORDS = ("bep", "PIG", "duvoresejuto", "unbekannt", "keine")
_OPTIONAL = (
    *("strasse", "plz", "ort", "mitgliedsnummer", "notizen", "beruf", "bundesland", "dienststelle"),
    *("fax", "geburtsdatum", "tags", "rechnungs_email", "telefon_mobil"),
)
_BIRTHS = ("guests", "guest_companions", "accompanying_guests")
_MOMENTS = {"guests": "created_at", "bookings": "created_at", "email_logs": "sent_at"}
_TRUTHS = (("guests", "dpolg_mitglied"), ("bookings", "bezahlt"), ("bookings", "ist_stiftungsfall"))


def _noemail(work: Workshop, number: int) -> dict[str, str]:
    (name,) = work.row("guests", number, "nachname")
    return {"email": f"{name.lower().replace(' ', '')}@noemail.local"}


def _empty(work: Workshop, _: int) -> dict[str, str]:
    present = [column for column in _OPTIONAL if work.file.has("guests", column)]
    return dict.fromkeys(work.rng.sample(present, work.rng.randint(1, len(present))), "")


def _birth_dates(*written: str) -> Any:
    """Birth dates of guests, companions and those who came along; a form with % or fixed text."""

    def spoil(work: Workshop, rate: float) -> None:
        for table in _BIRTHS:
            for number in work.pick(table, rate, "geburtsdatum IS NOT NULL", needs=("geburtsdatum",)):
                known = date.fromisoformat(work.row(table, number, "geburtsdatum")[0])
                work.set(table, number, {"geburtsdatum": known.strftime(work.rng.choice(written))})

    return spoil


def _truths(*values: Any) -> Any:
    def spoil(work: Workshop, rate: float) -> None:
        for table, column in _TRUTHS:
            for number in work.pick(table, rate, needs=(column,)):
                work.set(table, number, {column: work.rng.choice(values)})

    return spoil


def _raw(*choices: tuple[str, str, bytes]) -> Any:
    """Bytes stored as TEXT; a choice is table, column, bytes."""

    def spoil(work: Workshop, rate: float) -> None:
        for table, column, raw in choices:
            for number in work.pick(table, rate, needs=(column,)):
                work.set(table, number, {column: raw}, as_text=True)

    return spoil


def _moments(work: Workshop, rate: float) -> None:
    for table, column in _MOMENTS.items():
        for number in work.pick(table, rate, f"{column} IS NOT NULL", needs=(column,)):
            (text,) = work.row(table, number, column)
            work.set(table, number, {column: f"{text}.{work.rng.randrange(1000000):06}+00"})


def _same_room(work: Workshop, rate: float) -> None:
    free = work.free("rooms") if rate > 0 else []
    for index in range(min(max(1, round(rate * len(free))), len(free) // 2)):
        first, second = free[2 * index : 2 * index + 2]
        work.leave_alone("rooms", first)
        name, kind, place = work.row("rooms", first, "name, gebaeude_typ, ort")
        work.set("rooms", second, {"name": name, "gebaeude_typ": kind, "ort": place})


def _null_required(work: Workshop, rate: float) -> None:
    for number in work.pick("guests", rate):
        work.set("guests", number, {work.rng.choice(("nachname", "email", "telefon", "vorname")): None})
    for number in work.pick("bookings", rate):
        work.set("bookings", number, {work.rng.choice(("checkin_date", "status", "gesamtpreis")): None})


DEFECTS = (
    Defect("email_word", "a bare word as e-mail address", each("guests", one_of("email", *_WORDS))),
    Defect("noemail", "<name>@noemail.local as e-mail address", each("guests", _noemail)),
    Defect(
        "plz_word",
        "a word or a foreign code as postal code",
        each("guests", one_of("plz", *_WORDS, "A-6020")),
    ),
    Defect("phone_word", "a word as telephone number", each("guests", one_of("telefon", *_WORDS))),
    Defect("empty_strings", "'' in optional columns of guests", each("guests", _empty)),
    Defect("empty_name", "'' or blanks as last name", each("guests", one_of("nachname", "", "   "))),
    Defect("german_birth_date", "geburtsdatum as DD.MM.YYYY", _birth_dates("%d.%m.%Y")),
    Defect(
        "partial_birth_date",
        "geburtsdatum incomplete or impossible",
        _birth_dates("%Y", "%m.%Y", "00.00.%Y", "%d.%m.", "31.02.%Y", "ca. %Y"),
    ),
    Defect("boolean_text", "'true' or 'false' where 0 or 1 belongs", _truths("true", "false", "TRUE")),
    Defect("null_boolean", "NULL where 0 or 1 belongs", _truths(None), loosens=("guests",)),
    Defect(
        "null_required",
        "NULL in columns that must have a value",
        _null_required,
        loosens=("guests", "bookings"),
    ),
    Defect(
        "long_text", "notes of 12,000 characters", each("guests", lambda *_: {"notizen": "Länge " * 2000})
    ),
    Defect("long_name", "a last name of 150 characters", each("guests", one_of("nachname", "Langer" * 25))),
    Defect(
        "invalid_utf8",
        "Latin-1 bytes as text",
        _raw(
            ("guests", "notizen", "Grüße".encode("latin-1")), ("bookings", "bemerkungen", b"\xff\xfe kaputt")
        ),
    ),
    Defect(
        "nul_byte",
        "NUL inside a text",
        _raw(("guests", "notizen", b"vor\x00nach"), ("bookings", "bemerkungen", b"\x00")),
    ),
    Defect(
        "blob_in_text",
        "a BLOB where text belongs",
        each("guests", one_of("notizen", b"\x89PNG\x00\xff", b"")),
    ),
    Defect("fraction_in_moment", "moments carry .ffffff+00", _moments),
    Defect(
        "lowercase_category",
        "app, dz … as gebaeude_typ",
        each("rooms", one_of("gebaeude_typ", "app", "dz", "fewo")),
    ),
    Defect("bad_capacity", "a room for nobody or for less", each("rooms", one_of("capacity", 0, -2))),
    Defect("same_room_name", "two rooms alike in name, building and place", _same_room),
)
