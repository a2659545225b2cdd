"""What is paid of a booking."""

from __future__ import annotations

from decimal import Decimal

import pytest

from dpolg_tui.domain.payments import PaymentState, open_amount, payment_glyph, payment_state


@pytest.mark.parametrize(
    ("total", "paid", "state"),
    [
        ("285.00", "0.00", PaymentState.OPEN),
        ("285.00", "0.01", PaymentState.PARTLY),
        ("285.00", "284.99", PaymentState.PARTLY),
        ("285.00", "285.00", PaymentState.PAID),
        ("285.00", "285.01", PaymentState.OVERPAID),
        ("285.00", "-10.00", PaymentState.OPEN),
        ("0.00", "0.00", PaymentState.PAID),
        ("0.00", "10.00", PaymentState.OVERPAID),
        ("0.00", "-10.00", PaymentState.OPEN),
        ("-5.00", "0.00", PaymentState.PAID),
    ],
)
def test_state_follows_from_total_and_paid(total: str, paid: str, state: PaymentState) -> None:
    assert payment_state(Decimal(total), Decimal(paid)) is state


def test_open_amount_may_be_negative() -> None:
    assert open_amount(Decimal("100.00"), Decimal("40.00")) == Decimal("60.00")
    assert open_amount(Decimal("100.00"), Decimal("140.00")) == Decimal("-40.00")


def test_states_differ_without_colour() -> None:
    glyphs = {payment_glyph(state) for state in PaymentState}
    assert len(glyphs) == len(PaymentState)
    assert all(len(glyph) == 1 for glyph in glyphs)
