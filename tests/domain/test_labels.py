"""German words of fields and values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from dpolg_tui.domain.booked import LineKind
from dpolg_tui.domain.german import format_number
from dpolg_tui.domain.labels import field_label, value_label
from dpolg_tui.domain.models import HistoryEntry, Priority, Reminder
from dpolg_tui.domain.words import history_lines


def test_the_table_decides_where_a_name_means_two_things() -> None:
    assert field_label("kind") == "Art der Sperre"
    assert field_label("kind", "reminders") == "Art"
    assert field_label("stay/17") == "Zimmer und Zeitraum"
    assert field_label("nobody_knows") == "nobody_knows"


def test_every_kind_and_priority_has_a_word() -> None:
    for kind in LineKind:
        assert value_label("kind", kind)[0].isupper(), kind
    assert [value_label("priority", each) for each in Priority] == ["niedrig", "mittel", "hoch"]
    assert value_label("kind", "new_one") == "new_one"


@pytest.mark.parametrize(("number", "words"), [("3.0", "3"), ("2.50", "2,5"), ("100", "100"), ("0", "0")])
def test_numbers(number: str, words: str) -> None:
    assert format_number(Decimal(number)) == words


def test_the_history_names_the_record_before_the_field() -> None:
    entry = HistoryEntry(
        1,
        datetime(2026, 11, 21, 12, tzinfo=UTC),
        "Ben",
        "reminders",
        7,
        "INSERT",
        None,
        {
            "title": "Anruf",
            "due_date": "2026-11-24",
            "priority": "high",
            "kind": "manual",
            "completed": False,
            "position": 3,
            "booking_id": 4,
        },
    )
    lines = [(line.what, line.after) for line in history_lines([entry], {})]
    assert lines == [
        ("Erinnerung angelegt", ""),
        ("Erinnerung: Art", "von Hand"),
        ("Erinnerung: Titel", "Anruf"),
        ("Erinnerung: Fällig am", "24.11.2026"),
        ("Erinnerung: Vorrang", "hoch"),
    ]
    of_itself = [line.what for line in history_lines([entry], {}, own="reminders")]
    assert of_itself == ["Erinnerung angelegt", "Art", "Titel", "Fällig am", "Vorrang"]


def test_a_reminder_is_overdue_or_hidden_only_while_it_is_open() -> None:
    today = date(2026, 11, 21)
    late = Reminder(1, None, "x", date(2026, 11, 20), snoozed_until=date(2026, 11, 22))
    assert late.overdue(today)
    assert late.snoozed(today)
    assert not late.snoozed(date(2026, 11, 22))
    done = Reminder(1, None, "x", date(2026, 11, 20), completed=True, snoozed_until=date(2026, 11, 22))
    assert not done.overdue(today)
    assert not done.snoozed(today)
