"""What goes wrong with bookings: rooms taken twice, days, statuses, amounts, numbers."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from tools.legacy_files.bookings import day
from tools.legacy_files.workshop import Defect, Workshop, each, one_of

_ACTIVE = "status <> 'storniert'"
_SPELLINGS = ("gebucht", "aktiv", "abgeschlossen", "bestätigt", "vorläufig", "angefragt")
_PAIR = (("bookings", "checkin_date"), ("bookings", "checkout_date"))
_DAYS = ("checkin_date", "checkout_date")


def _stay(work: Workshop, number: int) -> tuple[int, int]:
    """Arrival and departure of a booking that is still sound, as ordinals."""
    arrival, departure = work.row("bookings", number, "checkin_date, checkout_date")
    return date.fromisoformat(arrival).toordinal(), date.fromisoformat(departure).toordinal()


def _groups(work: Workshop, rate: float, size: int) -> Iterator[list[int]]:
    """Active bookings in groups, each in the order in which they were made."""
    free = work.free("bookings", _ACTIVE) if rate > 0 else []
    work.rng.shuffle(free)
    for index in range(min(max(1, round(rate * len(free))), len(free) // size)):
        group = free[index * size : (index + 1) * size]
        yield sorted(group, key=lambda number: (*work.row("bookings", number, "created_at"), number))


def _move(work: Workshop, number: int, onto: int, arrival: int, departure: int) -> None:
    room, beds = work.database.execute(
        "SELECT r.id, r.capacity FROM bookings b JOIN rooms r ON r.id = b.room_id WHERE b.id = ?", (onto,)
    ).fetchone()
    (persons,) = work.row("bookings", number, "anzahl_gaeste")
    work.set(
        "bookings",
        number,
        {
            "room_id": room,
            "checkin_date": day(arrival),
            "checkout_date": day(departure),
            "anzahl_naechte": departure - arrival,
            "anzahl_gaeste": min(persons, beds),
        },
    )


def _overlap(size: int) -> Any:
    def spoil(work: Workshop, rate: float) -> None:
        for first, *later in _groups(work, rate, size):
            work.leave_alone("bookings", first)
            arrival, departure = _stay(work, first)
            for number in later:
                inside = departure - arrival > 2 and work.rng.random() < 0.5
                _move(work, number, first, arrival + inside, departure - inside)

    return spoil


def _overlap_chain(work: Workshop, rate: float) -> None:
    # Behind every other stay, where the three meet nobody but each other.
    (last,) = work.database.execute("SELECT max(checkout_date) FROM bookings").fetchone()
    start = date.fromisoformat(last).toordinal() if rate > 0 and last else 0
    for index, (first, second, third) in enumerate(_groups(work, rate, 3)):
        arrival = start + 10 * index + 1
        work.leave_alone("bookings", first)
        for offset, number in zip((2, 4), (second, third), strict=True):
            _move(work, number, first, arrival + offset, arrival + offset + 3)
        work.database.execute(
            "UPDATE bookings SET checkin_date = ?, checkout_date = ?, anzahl_naechte = 3 WHERE id = ?",
            (day(arrival), day(arrival + 3), first),
        )


def _other_departure(low: int, high: int) -> Any:
    def values(work: Workshop, number: int) -> dict[str, str]:
        arrival, _ = _stay(work, number)
        return {"checkout_date": day(arrival + work.rng.randint(low, high))}

    return values


def _bad_date(work: Workshop, _: int) -> dict[str, str]:
    words = ("2025-02-30", "2025-13-01", "0000-00-00", "morgen", "", "n/a", "2025-1", "31.02.2026")
    return {work.rng.choice(_DAYS): work.rng.choice(words)}


def _written(template: str) -> Any:
    """Both days written otherwise: the same days still."""

    def values(work: Workshop, number: int) -> dict[str, str]:
        return {
            column: date.fromisoformat(value).strftime(template)
            for column, value in zip(_DAYS, work.row("bookings", number, ", ".join(_DAYS)), strict=True)
        }

    return values


def _julian(work: Workshop, number: int) -> dict[str, float]:
    return dict(zip(_DAYS, (ordinal + 1721424.5 for ordinal in _stay(work, number)), strict=True))


def _far(work: Workshop, _: int) -> dict[str, str]:
    year = work.rng.choice(("0025", "1899", "2250", "9999"))
    return {"checkin_date": f"{year}-05-01", "checkout_date": f"{year}-05-03"}


def _three_decimals(work: Workshop, number: int) -> dict[str, float]:
    extra = work.rng.choice((0.005, 0.0025, 0.0075, 0.001))
    base, total = work.row("bookings", number, "grundpreis, gesamtpreis")
    return {"grundpreis": round(base + extra, 4), "gesamtpreis": round(total + extra, 4)}


def _mismatch(work: Workshop, number: int) -> dict[str, float]:
    (total,) = work.row("bookings", number, "gesamtpreis")
    return {"gesamtpreis": round(total + work.rng.choice((-4.5, 0.02, 3.99, 12.0, 50.0)), 2)}


def _integer_as_text(work: Workshop, number: int) -> dict[str, str]:
    column = work.rng.choice(("anzahl_gaeste", "room_id", "guest_id", "gesamtpreis"))
    return {column: str(work.row("bookings", number, column)[0])}


def _money_text(work: Workshop, number: int) -> dict[str, str]:
    (total,) = work.row("bookings", number, "gesamtpreis")
    german = f"{total:,.2f}".translate(str.maketrans(",.", ".,"))
    return {"gesamtpreis": german + work.rng.choice(("", " €"))}


def _too_many(work: Workshop, number: int) -> dict[str, int]:
    (beds,) = work.database.execute(
        "SELECT capacity FROM rooms JOIN bookings b ON rooms.id = b.room_id WHERE b.id = ?", (number,)
    ).fetchone()
    return {"anzahl_gaeste": beds + work.rng.randint(1, 3)}


def _placeholder(work: Workshop, rate: float) -> None:
    numbers = itertools.chain(("TEMP",), (f"{year}-TEMP" for year in itertools.count(2025)))
    for number, text in zip(work.pick("bookings", rate), numbers, strict=False):
        work.set("bookings", number, {"reservierungsnummer": text})


def _like_another(*forms: str) -> Any:
    """The number of another booking, nearly or exactly."""

    def spoil(work: Workshop, rate: float) -> None:
        free = work.free("bookings", "reservierungsnummer LIKE '20__-%'") if rate > 0 else []
        work.rng.shuffle(free)
        for index in range(min(max(1, round(rate * len(free))), len(free) // 2)):
            other, number = free[2 * index : 2 * index + 2]
            year, _, digits = work.row("bookings", other, "reservierungsnummer")[0].partition("-")
            form = work.rng.choice(forms)
            work.leave_alone("bookings", other)
            work.set("bookings", number, {"reservierungsnummer": form.format(year=year, digits=digits)})

    return spoil


def _unpaid_date(_: Workshop, __: int) -> Mapping[str, Any]:
    return {"bezahlt": 1, "bezahlt_am": None}


_NEVER = {"grundpreis": 0.0, "services_preis": 0.0, "rabatt_preis": 0.0, "anzahl_naechte": 0}
_DATES = ("bezahlt_am", "rechnung_versendet_am")

DEFECTS = (
    Defect("overlap", "a later-made booking has room and days of an earlier one", _overlap(2)),
    Defect("overlap_triple", "two later-made bookings lie on an earlier one and on each other", _overlap(3)),
    Defect("overlap_chain", "the second lies on the first, the third only on the second", _overlap_chain),
    Defect("zero_stay", "departure on the day of arrival", each("bookings", _other_departure(0, 0))),
    Defect("negative_stay", "departure before arrival", each("bookings", _other_departure(-9, -1))),
    Defect("long_stay", "more than 365 nights", each("bookings", _other_departure(366, 900))),
    Defect("bad_date", "check-in or check-out is no day at all", each("bookings", _bad_date)),
    Defect("far_date", "years 25, 1899, 2250 or 9999", each("bookings", _far)),
    Defect("german_date", "check-in and check-out as DD.MM.YYYY", each("bookings", _written("%d.%m.%Y"))),
    Defect(
        "datetime_in_date",
        "check-in and check-out as YYYY-MM-DD HH:MM:SS",
        each("bookings", _written("%Y-%m-%d 14:00:00")),
    ),
    Defect(
        "iso_z",
        "check-in and check-out as …T00:00:00.000Z",
        each("bookings", _written("%Y-%m-%dT00:00:00.000Z")),
    ),
    Defect(
        "julian_date", "check-in and check-out as Julian numbers", each("bookings", _julian), untyped=_PAIR
    ),
    Defect(
        "bad_optional_date",
        "bezahlt_am and rechnung_versendet_am are no days",
        each(
            "bookings",
            lambda work, _: dict.fromkeys(_DATES, work.rng.choice(("bald", "2025-02-31"))),
            "",
            *_DATES,
        ),
        first_stage=8,
    ),
    Defect(
        "unknown_status", "a status nobody knows", each("bookings", one_of("status", "wartet", "xyz", ""))
    ),
    Defect(
        "status_spelling",
        "an old spelling: gebucht, aktiv, abgeschlossen, bestätigt, vorläufig, angefragt",
        each("bookings", one_of("status", *_SPELLINGS), _ACTIVE),
    ),
    Defect(
        "stiftungsfall_status",
        "the status is stiftungsfall",
        each("bookings", one_of("status", "stiftungsfall"), _ACTIVE),
    ),
    Defect(
        "negative_price",
        "gesamtpreis below zero",
        each("bookings", one_of("gesamtpreis", -0.01, -45.5, -1200.0)),
    ),
    Defect(
        "huge_price",
        "gesamtpreis infinite or beyond any column",
        each("bookings", one_of("gesamtpreis", math.inf, 1e12, 123456789012.34)),
    ),
    Defect(
        "three_decimals",
        "gesamtpreis and grundpreis with more than two decimals",
        each("bookings", _three_decimals),
    ),
    Defect("money_text", "gesamtpreis as German text, 1.234,50 €", each("bookings", _money_text)),
    Defect("total_mismatch", "gesamtpreis is not the sum of its parts", each("bookings", _mismatch)),
    Defect(
        "never_computed",
        "parts and nights are 0, only gesamtpreis is there",
        each("bookings", lambda *_: _NEVER, "gesamtpreis > 0"),
    ),
    Defect("too_many_persons", "more persons than beds", each("bookings", _too_many)),
    Defect("bad_persons", "0, -1 or 999 persons", each("bookings", one_of("anzahl_gaeste", 0, -1, 999))),
    Defect("placeholder_number", "TEMP or YYYY-TEMP as reservation number", _placeholder),
    Defect(
        "similar_number",
        "another booking's number with a zero or a blank more",
        _like_another("{year}-0{digits}", "{year}-{digits} ", " {year}-{digits}"),
        first_stage=2,
    ),
    Defect(
        "duplicate_number",
        "the same reservation number twice",
        _like_another("{year}-{digits}"),
        first_stage=2,
        loosens=("bookings",),
    ),
    Defect(
        "integer_as_text",
        "room, guest, persons or gesamtpreis stored as text",
        each("bookings", _integer_as_text),
        untyped=tuple(("bookings", name) for name in ("anzahl_gaeste", "room_id", "guest_id", "gesamtpreis")),
    ),
    Defect(
        "paid_without_date",
        "bezahlt is 1, bezahlt_am NULL",
        each("bookings", _unpaid_date, "gesamtpreis > 0", "bezahlt"),
        first_stage=6,
    ),
)
