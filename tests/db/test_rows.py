"""Values of an answer in their types, and what is none of its type."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from dpolg_tui.db.rows import json_value
from dpolg_tui.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("field", "text", "value"),
    [
        ("arrival", "2026-11-22", date(2026, 11, 22)),
        ("created_at", "2026-11-22T03:00:00+00:00", datetime(2026, 11, 22, 3, tzinfo=UTC)),
        ("amount", "12.5", Decimal("12.50")),
        ("quantity", "2.125", Decimal("2.125")),
        ("notes", "31.11.2026", "31.11.2026"),
        ("arrival", None, None),
        ("stay/7", {"departure": "2026-11-23"}, {"departure": date(2026, 11, 23)}),
    ],
)
def test_the_name_of_the_field_tells_the_type(field: str, text: object, value: object) -> None:
    assert json_value(field, text) == value


@pytest.mark.parametrize(
    ("field", "text", "label"),
    [
        ("arrival", "31.11.2026", "Anreise"),
        ("date_of_birth", "1970-02-30", "Geburtsdatum"),
        ("checked_in_at", "gestern", "Eingecheckt am"),
        ("amount", "viel", "Betrag"),
        ("quantity", "", "Menge"),
        ("stay/7", {"departure": "bald"}, "Abreise"),
    ],
)
def test_what_is_unreadable_is_named_but_not_repeated(field: str, text: object, label: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        json_value(field, text)
    said = refused.value.message
    assert said == f"{label}: der Wert ist nicht lesbar, bitte dieses Feld neu eingeben."
    assert refused.value.field == field.partition("/")[0].replace("stay", "departure")
