"""What is paid of a booking: it follows from the total and the payments, and is never stored."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

NOTHING = Decimal("0.00")


class PaymentState(StrEnum):
    """How much of a total is paid; the value is the word on the screen."""

    OPEN = "offen"
    PARTLY = "teilweise"
    PAID = "bezahlt"
    OVERPAID = "überzahlt"


_GLYPHS = {
    PaymentState.OPEN: "€",
    PaymentState.PARTLY: "◐",
    PaymentState.PAID: "✓",
    PaymentState.OVERPAID: "!",
}


def payment_state(total: Decimal, paid: Decimal) -> PaymentState:
    """The state of a booking. Where nothing is to be paid and nothing was, it is paid."""
    if paid > max(total, NOTHING):
        return PaymentState.OVERPAID
    if paid >= total:
        return PaymentState.PAID
    return PaymentState.PARTLY if paid > NOTHING else PaymentState.OPEN


def open_amount(total: Decimal, paid: Decimal) -> Decimal:
    """What is still to be paid; negative: to be paid back."""
    return total - paid


def payment_glyph(state: PaymentState) -> str:
    """One cell for the state, beside its word."""
    return _GLYPHS[state]
