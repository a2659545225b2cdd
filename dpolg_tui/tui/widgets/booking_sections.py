"""What stands around a booking, one section a tab: prices, payments, companions, reminders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import ClassVar, Literal

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from dpolg_tui.domain import german
from dpolg_tui.domain.booked import BookedLine
from dpolg_tui.domain.labels import value_label
from dpolg_tui.domain.models import Booking, Priority, Reminder
from dpolg_tui.domain.payments import PaymentState, open_amount, payment_glyph, payment_state
from dpolg_tui.domain.pricing import StayPrice
from dpolg_tui.domain.queued import MARK
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.widgets.record_table import Column, RecordTable, Row

MONEY = 13
"""Columns of an amount, which stands at their right end."""

NOT_SAVED = "Die Buchung ist noch nicht gespeichert."


class SectionTable(RecordTable):
    """A table in a tab: left and right turn to the other tabs."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "screen.turn_tab(-1)", "Abschnitt zurück", show=False),
        Binding("right", "screen.turn_tab(1)", "Abschnitt weiter", show=False),
        Binding("home", "scroll_top", "zum Anfang", show=False),
        Binding("end", "scroll_bottom", "zum Ende", show=False),
    ]


class ReminderTable(SectionTable):
    """Reminders, with keys to add, open and complete one."""

    BINDINGS: ClassVar[list[BindingType]] = bindings("reminders")

    @dataclass
    class Wanted(Message):
        """The user wants a new reminder, or something done with the marked one."""

        what: Literal["new", "open", "complete"]
        reminder_id: int | None

    def action_new(self) -> None:
        """A new reminder."""
        self.post_message(self.Wanted("new", None))

    def action_open(self) -> None:
        """All fields of the marked reminder."""
        self.post_message(self.Wanted("open", self.record_id))

    def action_complete(self) -> None:
        """The marked reminder is done."""
        self.post_message(self.Wanted("complete", self.record_id))


class BookingSection(Vertical):
    """Some words and a table below them. Made when its tab is first looked at."""

    COLUMNS: ClassVar[tuple[Column, ...]]

    def __init__(self) -> None:
        super().__init__()
        self.table = self.make_table()
        self._says = Static("", classes="section-says", markup=False)

    def make_table(self) -> SectionTable:
        """The table of this section."""
        return SectionTable(self.COLUMNS)

    def compose(self) -> ComposeResult:
        yield self._says
        yield self.table

    def show(self, booking: Booking | None, price: StayPrice | None, today: date) -> None:
        """Show a booking (None: not saved yet) and what the typed stay would cost, as information."""
        words, rows = self.content(booking, price, today)
        self._says.update(words)
        self.table.show(list(rows))

    def content(
        self, booking: Booking | None, price: StayPrice | None, today: date
    ) -> tuple[str, Iterable[Row]]:
        """The words above the table, and its rows."""
        # Not abstract: mypy lets only whole classes into ``query_one(BookingSection)``.
        raise NotImplementedError


class PricesSection(BookingSection):
    """The stored price lines; without any, what the stay would cost."""

    COLUMNS = (
        Column("Leistung", 24, share=1),
        Column("Menge".rjust(7), 7),
        Column("Einzelpreis".rjust(MONEY), MONEY),
        Column("Betrag".rjust(MONEY), MONEY),
    )

    def content(
        self,
        booking: Booking | None,
        price: StayPrice | None,
        today: date,  # noqa: ARG002
    ) -> tuple[str, Iterable[Row]]:
        if booking is not None and booking.price_lines:
            lines = [f"{_sums(booking)}", *_payer_and_credit(booking)]
            return "\n".join(lines), map(_stored_line, booking.price_lines)
        if price is None:
            return "Ein Preis steht fest, sobald Zimmer und Zeitraum gewählt sind.", ()
        words = (
            f"Summe {german.format_money(price.total)} · nur Information aus Zimmer und Nächten, "
            "noch nicht gespeichert"
        )
        return words, (
            _price_row(number, line.label, Decimal(line.quantity), _money(line.unit_price), line.amount)
            for number, line in enumerate(price.lines, start=1)
        )


class PaymentsSection(BookingSection):
    """What was paid, and what is still open."""

    COLUMNS = (
        Column("Gezahlt am", 13),
        Column("Betrag".rjust(MONEY), MONEY),
        Column("Zahlungsart", 16),
        Column("Notiz", 16, share=1),
    )

    def content(
        self,
        booking: Booking | None,
        price: StayPrice | None,  # noqa: ARG002
        today: date,  # noqa: ARG002
    ) -> tuple[str, Iterable[Row]]:
        if booking is None:
            return NOT_SAVED, ()
        lines = [_sums(booking), *_payer_and_credit(booking), *_sent(booking)]
        if not booking.payments:
            lines.append("Noch keine Zahlung eingetragen.")
        return "\n".join(lines), (
            (
                payment.id,
                (
                    _day(payment.paid_on),
                    _money(payment.amount),
                    german.clean_line(payment.method),
                    german.clean_line(payment.notes or ""),
                ),
                "",
            )
            for payment in booking.payments
        )


class CompanionsSection(BookingSection):
    """Who comes along."""

    COLUMNS = (Column("Nachname", 20, share=1), Column("Vorname", 20, share=1), Column("Geboren am", 12))

    def content(
        self,
        booking: Booking | None,
        price: StayPrice | None,  # noqa: ARG002
        today: date,  # noqa: ARG002
    ) -> tuple[str, Iterable[Row]]:
        if booking is None:
            return NOT_SAVED, ()
        named = len(booking.companions)
        words = "Keine Begleitpersonen eingetragen." if not named else f"{named} eingetragen"
        words += f" · {booking.persons} {'Person' if booking.persons == 1 else 'Personen'} gebucht"
        return words, (
            (
                companion.id,
                (
                    german.clean_line(companion.last_name),
                    german.clean_line(companion.first_name),
                    german.format_date(companion.date_of_birth) if companion.date_of_birth else "",
                ),
                "",
            )
            for companion in booking.companions
        )


class RemindersSection(BookingSection):
    """What is to be done, and what is done."""

    COLUMNS = (
        Column("Fällig", 13),
        Column("Stand", 27, share=1),
        Column("Erinnerung", 20, share=2),
        Column("Art", 15, wide_from=110),
        Column("Beschreibung", 10, share=1, wide_from=110),
    )

    def make_table(self) -> SectionTable:
        return ReminderTable(self.COLUMNS)

    def content(
        self,
        booking: Booking | None,
        price: StayPrice | None,  # noqa: ARG002
        today: date,
    ) -> tuple[str, Iterable[Row]]:
        if booking is None:
            return f"{NOT_SAVED} Erinnerungen gibt es danach.", ()
        open_ones = sum(not reminder.completed for reminder in booking.reminders)
        words = f"{open_ones} offen" if booking.reminders else "Keine Erinnerungen. n legt eine an."
        ordered = sorted(booking.reminders, key=lambda reminder: (reminder.completed, reminder.due_date))
        return words, (
            (
                reminder.id,
                (
                    _day(reminder.due_date),
                    reminder_state(reminder, today),
                    german.clean_line(reminder.title),
                    value_label("kind", reminder.kind),
                    german.clean_line(reminder.description or ""),
                ),
                "dim" if reminder.completed else "bold" if reminder.overdue(today) else "",
            )
            for reminder in ordered
        )


def reminder_state(reminder: Reminder, today: date) -> str:
    """Glyph and word: what is the matter with a reminder; what waits to be sent has the glyph of that."""
    words = _stored_state(reminder, today)
    return f"{MARK}{words[1:]} · vorgemerkt" if reminder.queued else words


def _stored_state(reminder: Reminder, today: date) -> str:
    if reminder.completed:
        by = f" {german.clean_line(reminder.completed_by)}" if reminder.completed_by else ""
        return f"✓ erledigt{by}"
    if reminder.snoozed(today) and reminder.snoozed_until is not None:
        return f"◷ zurück bis {german.format_date(reminder.snoozed_until)}"
    urgent = f" · {value_label('priority', reminder.priority)}" if reminder.priority is Priority.HIGH else ""
    if reminder.overdue(today):
        return f"! überfällig{urgent}"
    return f"● heute fällig{urgent}" if reminder.due_date == today else f"○ offen{urgent}"


def _sums(booking: Booking) -> str:
    """The state of payment, total, paid and open amount."""
    if booking.total is None:
        return f"Noch kein Preis gespeichert · bezahlt {german.format_money(booking.paid)}"
    left = open_amount(booking.total, booking.paid)
    state = payment_state(booking.total, booking.paid)
    rest = f"zu viel {german.format_money(-left)}" if state is PaymentState.OVERPAID else _left(left)
    return (
        f"{payment_glyph(state)} {state} · Summe {german.format_money(booking.total)} · "
        f"bezahlt {german.format_money(booking.paid)} · {rest}"
    )


def _left(amount: Decimal) -> str:
    return f"offen {german.format_money(amount)}"


def _payer_and_credit(booking: Booking) -> list[str]:
    parts = []
    if booking.payer_name:
        parts.append(f"Zahler {german.clean_line(booking.payer_name)}")
    if booking.credit_balance:
        parts.append(f"Guthaben des Gastes {german.format_money(booking.credit_balance)}")
    return [" · ".join(parts)] if parts else []


def _sent(booking: Booking) -> list[str]:
    """What went out by mail."""
    parts = []
    if booking.invoice_sent_on or booking.invoice_sent_to:
        words = ["Rechnung verschickt"]
        if booking.invoice_sent_on:
            words.append(f"am {german.format_date(booking.invoice_sent_on)}")
        if booking.invoice_sent_to:
            words.append(f"an {german.clean_line(booking.invoice_sent_to)}")
        parts.append(" ".join(words))
    if booking.dunning_sent_on:
        parts.append(f"Zahlungserinnerung verschickt am {german.format_date(booking.dunning_sent_on)}")
    return [" · ".join(parts)] if parts else []


def _stored_line(line: BookedLine) -> Row:
    percentage = line.percentage
    unit = (
        _money(line.unit_price)
        if percentage is None
        else f"{german.format_number(percentage)} %".rjust(MONEY)
    )
    return _price_row(line.position, line.label, line.quantity, unit, line.amount)


def _price_row(number: int, label: str, quantity: Decimal, unit: str, amount: Decimal) -> Row:
    cells = (german.clean_line(label), german.format_number(quantity).rjust(7), unit, _money(amount))
    return number, cells, ""


def _money(amount: Decimal) -> str:
    return german.format_money(amount).rjust(MONEY)


def _day(day: date) -> str:
    return f"{german.format_weekday_short(day)} {german.format_date(day)}"
