"""The rows of every table of an invented house, in the order of the columns in ``schema.TABLES``."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dpolg_tui.operations import house_names as names
from tools.legacy_files import settings_rows
from tools.legacy_files.bookings import (
    DISCOUNTS,
    SERVICES,
    TODAY,
    Booking,
    Room,
    day,
    moment,
    plan,
)
from tools.legacy_files.layout import Layout

Row = tuple[Any, ...]
METHODS = ("Überweisung", "Überweisung", "Barzahlung", "EC-Karte", "Kreditkarte", "PayPal")
#: Category, beds, prices and cleaning in cents; early files have buildings in place of categories.
_KINDS = (
    ("App", 2, 5100, 5950, 4000),
    ("EZ", 1, 2550, 3400, 2000),
    ("EZ", 1, 2975, 3825, 2500),
    ("DZ", 2, 4250, 5100, 3500),
    ("BU", 4, 8500, 9350, 6000),
    ("BU", 6, 10200, 11475, 6500),
    ("FeWo", 5, 8075, 8925, 6000),
    ("FeWo", 4, 5950, 7650, 5500),
)
_BUILDINGS = ("Hauptgebäude", "Nebengebäude", "Gartenhaus")
_MAILS = ("confirmation", "reminder", "invoice", "payment_reminder", "cancellation")
_AUTOMATIC = ("auto_payment", "auto_checkin", "auto_incomplete_data", "auto_invoice")
_FORENAMES = names.WOMEN + names.MEN + names.TURKISH_WOMEN + names.POLISH_MEN
_SURNAMES = names.SURNAMES + names.TURKISH_SURNAMES + names.POLISH_SURNAMES + names.LONG_SURNAMES


@dataclass(slots=True)
class House:
    """What the tables refer to; made once, then read table by table."""

    rng: random.Random
    file: Layout
    room_count: int
    guest_count: int
    booking_count: int
    mail_count: int
    log_count: int
    rooms: list[Room] = field(default_factory=list)
    guests: list[tuple[int, bool]] = field(default_factory=list)
    bookings: list[Booking] = field(default_factory=list)
    pool: dict[int, list[int]] = field(default_factory=dict)
    room_names: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        for index in range(self.room_count):
            _, beds, low, high, cleaning = _KINDS[index % len(_KINDS)]
            if not self.file.has("rooms", "hauptsaison_preis"):
                high = low
            self.rooms.append(Room(index + 1, beds, low, high, cleaning))
            self.room_names.append(f"{index + 1} - {names.MOUNTAINS[index % len(names.MOUNTAINS)]}")
        guest = 0
        for _ in range(self.guest_count):
            guest += 1 if self.rng.random() > 0.03 else 2 + int(self.rng.random() * 6)
            self.guests.append((guest, self.rng.random() < 0.35))
        self.bookings = plan(self.rng, self.file, self.rooms, self.guests, self.booking_count)

    def payers(self) -> int:
        """How many there are."""
        return 3 + self.booking_count // 200

    def rows(self, table: str) -> Iterator[Row]:
        """The rows of a table, ids ascending."""
        made = _OF_TABLE.get(table)
        return made(self) if made is not None else settings_rows.rows(table, self.rooms)


def _rooms(house: House) -> Iterator[Row]:
    early = not house.file.has("pricing_settings")
    for room, name in zip(house.rooms, house.room_names, strict=True):
        category = _KINDS[(room.id - 1) % len(_KINDS)][0]
        kind = _BUILDINGS[room.id % 3] if early else category
        place = ("Rosenberg", "Rosenberg", "Talheim")[room.id * 3 // (house.room_count + 1)]
        key = f"S{4711 + room.id * 37}#{room.id}" if room.id % 3 else None
        address = (f"Almweg {room.id}", "83735", place) if room.id % 4 == 0 else (None, None, None)
        notes = "Zweites Bett auf Wunsch." if room.id % 7 == 0 else None
        old = (room.low / 100, round(room.low / 85, 2))
        seasons = (room.low / 100, room.high / 100, room.cleaning / 100)
        yield (room.id, name, kind, room.capacity, *old, place, key, *seasons, *address, notes)


def _guests(house: House) -> Iterator[Row]:
    chance = house.rng.random

    def one_of(values: Sequence[Any]) -> Any:
        return values[int(chance() * len(values))]

    for guest, member in house.guests:
        first, last = one_of(_FORENAMES), one_of(_SURNAMES)
        code, city, state = one_of(names.CITIES)
        mail = f"{names.plain(first)}.{names.plain(last).replace(' ', '')}{guest}@example.org"
        yield (
            guest,
            first,
            last,
            mail,
            f"{one_of(names.LANDLINES)}{int(chance() * 1000):03}",
            int(member),
            f"{one_of(names.STREETS)} {1 + int(chance() * 90)}" if chance() < 0.9 else None,
            code,
            city,
            f"DP-{guest:06}" if member else None,
            one_of(names.GUEST_NOTES) + ("\nZweite Zeile: ä ß € 🐶" if chance() < 0.2 else "")
            if chance() < 0.2
            else None,
            one_of(names.PROFESSIONS) if member else None,
            state if chance() < 0.3 else None,
            one_of(names.DUTY_STATIONS) if member and chance() < 0.7 else None,
            moment((TODAY - 30 - guest % 400, 36000 + int(chance() * 30000))),
            one_of(("Herr", "Frau", "xxx")),
            one_of(("male", "female", None, None)),
            "Deutschland",
            None,
            None,
            one_of(names.MOBILES) if chance() < 0.5 else None,
            None,
            _birth(chance()) if chance() < 0.8 else None,
            None,
            one_of(("de", "Deutsch", "en", None, None)),
            None,
            None,
            str(490000 + guest) if chance() < 0.05 else None,
            f"XX-YZ {guest % 1000}" if chance() < 0.05 else None,
            f"rechnung{guest}@example.org" if chance() < 0.03 else None,
            one_of((0, 0, 1, None)),
            None,
            None,
            f"F = {first};" if chance() < 0.02 else None,
            one_of((None, None, None, 1, 0)),
            None,
        )


def _birth(chance: float) -> str:
    return day(date(1945, 1, 1).toordinal() + int(chance * 22000))


def _bookings(house: House) -> Iterator[Row]:
    chance = house.rng.random
    early = house.file.stage == 1
    payers = house.payers()
    for booking in house.bookings:
        year = day(booking.created[0])[:4]
        past = booking.departure <= TODAY
        paid = booking.total > 0 and chance() < (0.8 if past else 0.15) and booking.status != "storniert"
        invoiced = past and chance() < 0.5
        paid_on = max(booking.created[0], min(booking.arrival, TODAY) - int(chance() * 20))
        yield (
            booking.id,
            booking.room.id,
            booking.guest,
            f"RES-{year}-{booking.id:03}" if early else f"{year}-{booking.id}",
            day(booking.arrival),
            day(booking.departure),
            booking.persons,
            booking.status,
            booking.total / 100,
            names.BOOKING_NOTES[int(chance() * len(names.BOOKING_NOTES))] if chance() < 0.15 else None,
            moment(booking.created),
            booking.persons - 1,
            booking.base / 100,
            booking.services / 100,
            booking.discount / 100,
            booking.nights,
            moment((booking.created[0], booking.created[1] + 600)),
            int(paid),
            day(paid_on) if paid else None,
            METHODS[int(chance() * len(METHODS))] if paid else None,
            day(min(booking.departure + 20, TODAY)) if past and not paid and chance() < 0.1 else None,
            day(booking.departure) if invoiced else None,
            f"gast{booking.guest}@example.org" if invoiced else None,
            int(booking.foundation),
            1 + int(chance() * payers) if chance() < 0.05 and house.file.has("payment_recipients") else None,
            day(booking.departure + 1) if chance() < 0.03 else None,
            int(booking.member),
        )


def _accompanying(house: House) -> Iterator[Row]:
    chance, number = house.rng.random, 0
    for booking in house.bookings:
        for index in range(booking.persons - 1 if chance() < 0.5 else 0):
            number += 1
            pool = house.pool.get(booking.guest, ())
            yield (
                number,
                booking.id,
                _FORENAMES[int(chance() * len(_FORENAMES))],
                _SURNAMES[int(chance() * len(_SURNAMES))],
                _birth(chance()) if chance() < 0.7 else None,
                pool[index] if index < len(pool) else None,
            )


def _companions(house: House) -> Iterator[Row]:
    chance, number = house.rng.random, 0
    kinds = ("Lebensgefährte", "Ehefrau", "Kind", None)
    for guest, _ in house.guests:
        for _ in range(1 + int(chance() * 2) if chance() < 0.15 else 0):
            number += 1
            house.pool.setdefault(guest, []).append(number)
            first = _FORENAMES[int(chance() * len(_FORENAMES))]
            last = _SURNAMES[int(chance() * len(_SURNAMES))]
            kind = kinds[int(chance() * len(kinds))]
            made = moment((TODAY - int(chance() * 300), 40000))
            yield (number, guest, first, last, _birth(chance()), kind, None, made)


def _free_services(house: House) -> Iterator[Row]:
    lines = ((booking, line) for booking in house.bookings for line in booking.free_services)
    for number, (booking, (name, cents, percent)) in enumerate(lines, 1):
        kind = ("percent", float(percent)) if percent else ("fixed", cents / 100)
        yield (number, booking.id, name, cents / 100, moment(booking.created), *kind, "overnight_price")


def _free_discounts(house: House) -> Iterator[Row]:
    lines = ((booking, line) for booking in house.bookings for line in booking.free_discounts)
    for number, (booking, (name, cents, percent)) in enumerate(lines, 1):
        kind = ("percent", float(percent)) if percent else ("fixed", cents / 100)
        yield (number, booking.id, name, *kind, moment(booking.created))


def _linked_services(house: House) -> Iterator[Row]:
    links = ((booking.id, link) for booking in house.bookings for link in booking.links)
    for number, (booking, (kind, cents)) in enumerate(links, 1):
        yield (number, booking, kind + 1, cents / 100)


def _linked_discounts(house: House) -> Iterator[Row]:
    links = ((booking.id, link) for booking in house.bookings for link in booking.discount_links)
    for number, (booking, (kind, cents)) in enumerate(links, 1):
        yield (number, booking, kind + 1, cents / 100)


def _service_templates(house: House) -> Iterator[Row]:
    typed = house.file.has("service_templates", "price_type")
    looks = (("🛏️", 0, 1), ("🐶", 1, 0), ("🥓", 0, 0), (None, 0, 0))
    for number, (name, cents, percent) in enumerate(SERVICES[: 4 if typed else 3], 1):
        emoji, dog, bedding = looks[number - 1]
        price = float(percent) if percent else cents / 100
        made = moment((TODAY - 200, 50000 + number))
        kind = "percent" if percent else "fixed"
        where = (emoji, "#3b82f6", int(number < 3), ("start", "end")[number % 2], dog, bedding, 0)
        yield (number, name, None, price, 1, made, made, *where, kind, "overnight_price")


def _discount_templates(_: House) -> Iterator[Row]:
    for number, (name, percent, cents) in enumerate(DISCOUNTS, 1):
        kind = ("percent", float(percent)) if percent else ("fixed", cents / 100)
        made = moment((TODAY - 200, 50100 + number))
        yield (number, name, None, *kind, 1, made, made, None, None, 0, "start", "total_price")


def _payers(house: House) -> Iterator[Row]:
    for number in range(1, house.payers() + 1):
        code, city, _ = names.CITIES[number % len(names.CITIES)]
        made = moment((TODAY - 100, 45000))
        company = "Landesverband" if number % 2 else None
        street = f"{names.STREETS[number % len(names.STREETS)]} {number}"
        yield (
            *(number, f"Kasse {number}", company, street, code, city, "Deutschland"),
            *(None, None, made, made),
        )


def _credit(house: House) -> Iterator[Row]:
    chance, number = house.rng.random, 0
    last = {booking.guest: booking.id for booking in house.bookings}
    for guest, _ in house.guests:
        if chance() < 0.97:
            continue
        amount = 10.0 * (1 + int(chance() * 9))
        made = TODAY - int(chance() * 100)
        number += 1
        yield (number, guest, amount, "added", None, "Gutschrift", "System", moment((made - 5, 36000)))
        if chance() < 0.5:
            number += 1
            used = (number, guest, -amount, "used", last.get(guest), f"Verrechnet #{number}")
            yield (*used, "System", moment((made, 40000)))


def _reminders(house: House) -> Iterator[Row]:
    chance, number = house.rng.random, 0
    for booking in house.bookings:
        if chance() > 0.25:
            continue
        number += 1
        by_hand = chance() < 0.3
        kind = "manual" if by_hand else _AUTOMATIC[int(chance() * 4)]
        done = int(booking.status in ("storniert", "ausgecheckt") or chance() < 0.3)
        made = moment(booking.created)
        snoozed = not done and chance() < 0.2
        yield (
            number,
            None if by_hand and chance() < 0.3 else booking.id,
            kind,
            "Rückruf wegen Anreise" if by_hand else "Buchung prüfen",
            None,
            day(booking.arrival - 3),
            ("low", "medium", "high")[int(chance() * 3)],
            done,
            made if done else None,
            int(snoozed),
            day(booking.arrival - 1) if snoozed else None,
            made,
            made,
            "System" if done else None,
        )


def _mails(house: House) -> Iterator[Row]:
    chance = house.rng.random
    newer = house.file.stage > 21
    count = house.mail_count if house.bookings else 0
    for number in range(1, count + 1):
        booking = house.bookings[int(chance() * len(house.bookings))]
        failed = chance() < 0.02
        old, new = ("fehler", "failed") if failed else ("gesendet", "sent")
        template = _MAILS[int(chance() * len(_MAILS))]
        yield (
            number,
            booking.id,
            booking.guest,
            template,
            f"gast{booking.guest}@example.org",
            f"Ihre Buchung {booking.id}",
            new if newer and chance() < 0.5 else old,
            "550 Mailbox unavailable" if failed else "",
            moment((min(booking.arrival, TODAY), 30000 + int(chance() * 50000))),
        )


def _log(house: House) -> Iterator[Row]:
    chance = house.rng.random
    count = house.log_count if house.bookings else 0
    for number in range(1, count + 1):
        booking = house.bookings[int(chance() * len(house.bookings))]
        kind = ("CREATE", "UPDATE", "UPDATE", "DELETE")[int(chance() * 4)]
        data = json.dumps(
            {"id": booking.id, "guest_id": booking.guest, "status": booking.status, "nachname": "Müller"},
            ensure_ascii=False,
        )
        old = None if kind == "CREATE" else data
        new = None if kind == "DELETE" else data
        made = moment((booking.created[0], 30000 + int(chance() * 50000)))
        action = f"Buchung {booking.id} geändert"
        yield (number, kind, "bookings", booking.id, old, new, action, made, int(kind != "CREATE"))


def _assignments(house: House) -> Iterator[Row]:
    made = moment((TODAY, 40000))
    some = house.bookings[:3] if house.file.stage > 21 else []
    return ((number, booking.id, 1, made) for number, booking in enumerate(some, 1))


_OF_TABLE: dict[str, Callable[[House], Iterator[Row]]] = {
    "rooms": _rooms,
    "guests": _guests,
    "bookings": _bookings,
    "guest_companions": _companions,
    "accompanying_guests": _accompanying,
    "additional_services": _free_services,
    "discounts": _free_discounts,
    "booking_services": _linked_services,
    "booking_discounts": _linked_discounts,
    "service_templates": _service_templates,
    "discount_templates": _discount_templates,
    "payment_recipients": _payers,
    "guest_credit_transactions": _credit,
    "reminders": _reminders,
    "booking_attribute_assignments": _assignments,
    "email_logs": _mails,
    "transaction_log": _log,
}
