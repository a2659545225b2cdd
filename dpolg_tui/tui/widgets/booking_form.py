"""The fields of a booking, and the facts that stand beside them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, cast

from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.models import Booking, FreeRoom, InTheWay, Room, Status
from dpolg_tui.domain.payments import open_amount
from dpolg_tui.domain.pricing import StayPrice, price_stay
from dpolg_tui.domain.stay import TRANSITIONS, check_persons, check_stay
from dpolg_tui.domain.words import WITHOUT_ROOM, room_label, stay_text
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.widgets.field import Field
from dpolg_tui.tui.widgets.fields import YES_NO, ChoiceField, DateField, NotesField, NumberField
from dpolg_tui.tui.widgets.form import Form
from dpolg_tui.tui.widgets.guest_field import GuestField

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

MOST_PERSONS = 200
STAY = ("room_id", "arrival", "departure")
NEW_STAY = "stay/new"
FIELDS = (
    "guest_id",
    "status",
    "persons",
    "option_expires",
    "foundation_case",
    "cleaning_date",
    "notes",
)


class BookingForm(Form):
    """Guest, room, dates and the rest. Of several stays the first is edited here."""

    def __init__(self) -> None:
        self.guest = GuestField()
        self.room = ChoiceField("room_id", [Option(WITHOUT_ROOM, None)])
        self.arrival = DateField("arrival", self._parse_day, required=True)
        self.departure = DateField("departure", self._parse_departure, required=True)
        self.persons = NumberField("persons", 1, MOST_PERSONS, required=True)
        self._status = ChoiceField("status", _status_options((Status.CONFIRMED, Status.RESERVED)))
        self._free: list[FreeRoom] | None = None
        super().__init__(
            self.guest,
            self.arrival,
            self.departure,
            self.room,
            self.persons,
            self._status,
            DateField("option_expires", self._parse_day),
            ChoiceField("foundation_case", YES_NO),
            DateField("cleaning_date", self._parse_cleaning),
            NotesField("notes", max_length=10_000),
            id="booking-form",
        )

    @property
    def _rooms(self) -> Mapping[int, Room]:
        return cast("DeskApp", self.app).desk.store.rooms

    @property
    def _today(self) -> date:
        return cast("DeskApp", self.app).desk.today()

    # Typed dates

    def _parse_day(self, text: str) -> date:
        return german.parse_date(text, today=self._today)

    def _parse_departure(self, text: str) -> date:
        arrival = self.arrival.day
        if arrival is None and text.lstrip().startswith("+"):
            raise InvalidInput(
                "Nächte zählen ab der Anreise: bitte zuerst die Anreise eingeben.", "departure"
            )
        return german.parse_departure(text, arrival=arrival or self._today, today=self._today, field=None)

    def _parse_cleaning(self, text: str) -> date:
        return german.parse_date(text, today=self._today, reference=self.departure.day)

    # Loading

    def load_new(self, wish: Mapping[str, object]) -> None:
        """A new booking; what is wished for counts as typed by the program, not by the user."""
        self.load(
            {
                NEW_STAY: wish,
                "status": Status.CONFIRMED,
                "persons": 1,
                "foundation_case": False,
            },
            {NEW_STAY: STAY},
        )
        self.offer_rooms(None)

    def load_booking(self, booking: Booking, wanted: str = "") -> None:
        """Show a stored booking. ``wanted``: the stay that shall be edited, if it is still there."""
        self.guest.learn(booking.guest_id, booking.guest_name)
        self._offer_statuses(booking.status)
        shown = wanted if wanted in _stays_of(booking) else f"stay/{booking.stays[0].id}"
        self.load(_values(booking, shown), {shown: STAY})
        self.offer_rooms(None)

    def stay_gone(self, booking: Booking, *, wanted: bool) -> None:
        """The stay that is edited here was removed: it is made anew, or the first that is left is shown."""
        if wanted:
            self.groups = {NEW_STAY: STAY}
        else:
            shown = f"stay/{booking.stays[0].id}"
            self.load({shown: _values(booking)[shown]}, {shown: STAY})

    @property
    def originals(self) -> dict[str, object]:
        """Nothing is stored of a new stay."""
        stored = super().originals
        return {**stored, NEW_STAY: None} if NEW_STAY in self.groups else stored

    def follow(self, booking: Booking, by: str) -> tuple[list[str], list[str]]:
        """A colleague saved it: labels of the fields (refreshed, only marked)."""
        self.guest.learn(booking.guest_id, booking.guest_name)
        self._offer_statuses(booking.status)
        if NEW_STAY in self.groups:  # in place of one that was removed: no stored one stands for it
            return self.colleague_saved({name: getattr(booking, name) for name in FIELDS}, by)
        shown = next((key for key in self.groups if key in _stays_of(booking)), None)
        if shown is None:
            # The stay that was edited here was joined with another: the first that is left stands for it.
            self.groups = {f"stay/{booking.stays[0].id}": STAY}
        return self.colleague_saved(_values(booking, shown), by)

    def _offer_statuses(self, status: Status) -> None:
        allowed = [new for new in Status if new == status or new in TRANSITIONS[status]]
        chosen = self._status.raw
        if isinstance(chosen, Status) and chosen not in allowed and self._status.touched:
            allowed.append(chosen)
        self._status.choice.set_options(_status_options(allowed))

    # What is typed

    @property
    def status(self) -> object:
        """The chosen status."""
        return self._status.raw

    @property
    def room_id(self) -> int | None:
        """The chosen room."""
        return cast("int | None", self.room.raw)

    @property
    def period(self) -> tuple[date, date] | None:
        """Arrival and departure, once they make a stay."""
        arrival, departure = self.arrival.day, self.departure.day
        if arrival is None or departure is None:
            return None
        try:
            check_stay(arrival, departure)
        except InvalidInput:
            return None
        return arrival, departure

    def judge(self, booking: Booking | None) -> None:
        """The rules of a stay, before anything is sent. Raises ``InvalidInput`` at the field."""
        self.values()
        arrival, departure, persons = self.arrival.day, self.departure.day, self.persons.number
        if arrival is not None and departure is not None:
            check_stay(arrival, departure)
        # Older bookings may break a rule made later; of several stays the database adds up the beds.
        if persons is not None and (booking is None or self.persons.touched or self.room.touched):
            room = self._rooms.get(self.room_id or 0)
            several = booking is not None and len(booking.stays) > 1
            check_persons(persons, None if room is None or several else room.capacity)

    # Rooms

    def offer_rooms(self, free: list[FreeRoom] | None) -> None:
        """Offer the rooms that are free, and the chosen one; None: not known yet, offer all."""
        self._free = free
        rooms = self._rooms
        fits = {room.room_id: room.fits for room in free or ()}
        if free is None:
            persons = self.persons.number or 1
            fits = {room.id: room.capacity >= persons for room in rooms.values() if room.retired_from is None}
        options = [Option(WITHOUT_ROOM, None)]
        ordered = sorted(
            (rooms[room_id] for room_id in fits if room_id in rooms),
            key=lambda room: (not fits[room.id], german.natural_key(room.name)),
        )
        options += [
            Option(_room_words(room, "" if fits[room.id] else "zu klein"), room.id) for room in ordered
        ]
        chosen = self.room_id
        if chosen is not None and chosen not in fits:
            room = rooms.get(chosen)
            words = _room_words(room, "belegt") if room else room_label(chosen, rooms)
            options.insert(1, Option(words, chosen))
        self.room.choice.set_options(options)

    def taken_sentence(self, in_the_way: Iterable[InTheWay]) -> str:
        """Who has the room."""
        way = ", ".join(
            f"{other.label} ({german.format_date_range(other.arrival, other.departure)})"
            for other in in_the_way
        )
        room = room_label(self.room_id, self._rooms)
        return f"Zimmer {room} ist belegt: {way}. Bitte ein anderes Zimmer oder andere Tage wählen."

    # Facts

    def on_field_left(self, event: Field.Left) -> None:
        """A day that was typed in short stands there in full now: its note need not repeat it."""
        if event.field in (self.arrival, self.departure):
            self.note_dates()

    def note_dates(self) -> None:
        """Weekday and nights beside the dates."""
        self.arrival.note = _day_words(self.arrival)
        words = _day_words(self.departure)
        arrival, departure = self.arrival.day, self.departure.day
        if arrival and departure and departure > arrival:
            words += f" · {german.format_nights((departure - arrival).days)}"
        self.departure.note = words

    def facts(self, booking: Booking | None) -> str:
        """What stands beside the fields: period, price as information, other stays, stamps."""
        lines: list[str] = []
        period = self.period
        if period is not None:
            arrival, departure = period
            lines += [
                f"{_day(arrival)} · {german.format_nights((departure - arrival).days)}",
                f"bis {_day(departure)}",
                "",
            ]
        lines.append("Preis")
        if booking is not None and booking.price_lines:
            lines += _stored_price(booking)
        else:
            lines += self._price_as_information()
        if booking is not None:
            lines += self._booking_facts(booking)
        return "\n".join(lines)

    @property
    def price(self) -> StayPrice | None:
        """What the room costs in the period that is typed; None until both are known."""
        period, room = self.period, self._rooms.get(self.room_id or 0)
        return None if period is None or room is None else price_stay(room, *period)

    def _price_as_information(self) -> list[str]:
        price = self.price
        if price is None:
            missing = "der Zeitraum feststeht" if self.room_id else "Zimmer und Zeitraum feststehen"
            return [f"sobald {missing}"]
        lines: list[str] = []
        for line in price.lines:
            lines += [line.label, f"{line.quantity} × {german.format_money(line.unit_price)}".rjust(12)]
            lines[-1] += german.format_money(line.amount).rjust(max(1, 26 - len(lines[-1])))
        lines += ["─" * 26, "Summe" + german.format_money(price.total).rjust(21)]
        return [*lines, "Nur Information, wird noch nicht gespeichert"]

    def _booking_facts(self, booking: Booking) -> list[str]:
        lines = ["", f"{booking.number} · {german.status_label(booking.status)}"]
        if booking.cancellation_reason and booking.status == Status.CANCELLED:
            lines.append(f"Stornogrund: {german.clean_line(booking.cancellation_reason)}")
        for stay in booking.stays:
            if f"stay/{stay.id}" in self.groups:
                continue
            lines.append("auch: " + stay_text(stay.room_id, stay.arrival, stay.departure, self._rooms))
        for word, moment, who in (
            ("angelegt", booking.created_at, booking.created_by),
            ("geändert", booking.updated_at, booking.updated_by),
            ("eingecheckt", booking.checked_in_at, None),
            ("ausgecheckt", booking.checked_out_at, None),
        ):
            if moment is not None:
                lines.append(f"{word} {german.format_datetime(moment)}{f' {who}' if who else ''}")
        return lines


def _stored_price(booking: Booking) -> list[str]:
    """The sums only: the lines have a section of their own."""
    total = booking.total or Decimal(0)
    amounts = (("Summe", total), ("bezahlt", booking.paid), ("offen", open_amount(total, booking.paid)))
    return [word + german.format_money(amount).rjust(26 - len(word)) for word, amount in amounts]


def _stays_of(booking: Booking) -> set[str]:
    return {f"stay/{stay.id}" for stay in booking.stays}


def _values(booking: Booking, shown: str | None = None) -> dict[str, object]:
    """The stored values; of several stays that under the key ``shown``, or the first."""
    first = next((stay for stay in booking.stays if f"stay/{stay.id}" == shown), booking.stays[0])
    return {
        **{name: getattr(booking, name) for name in FIELDS},
        f"stay/{first.id}": {
            "room_id": first.room_id,
            "arrival": first.arrival,
            "departure": first.departure,
        },
    }


def _status_options(statuses: Iterable[Status]) -> list[Option]:
    return [
        Option(f"{german.status_glyph(status)} {german.status_label(status)}", status) for status in statuses
    ]


def _room_words(room: Room, remark: str) -> str:
    parts = [
        german.clean_line(room.name),
        f"{room.capacity} P",
        german.format_money(room.price_low),
        german.clean_line(room.category),
    ]
    if remark:
        parts.insert(1, remark)
    return " · ".join(parts)


def _day(day: date) -> str:
    return f"{german.format_weekday_short(day)} {german.format_date(day)}"


def _day_words(field: DateField) -> str:
    """The weekday of what is typed; the day too while it is typed short."""
    if field.day is None:
        return ""
    weekday = german.format_weekday_short(field.day)
    return (
        weekday if field.raw == field.write(field.day) else f"{weekday} {german.format_day_month(field.day)}"
    )
