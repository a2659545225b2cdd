# ruff: noqa: E501 - one statement a line reads best
"""Whatever goes wrong between the mapping and the commit, the second reading finds it and nothing is written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dpolg_tui.legacy import verify
from dpolg_tui.legacy.errors import DifferencesFound
from tests.databases import TestDatabase
from tests.legacy.migration import migrate, move_away, state
from tools.make_legacy_sqlite import LATE, build

# What each does to the target behind the mapping's back: the table that the complaint must name.
TAMPERINGS: dict[str, tuple[str, str]] = {
    "a guest is lost": ("guests", "DELETE FROM app.guests g WHERE NOT EXISTS (SELECT FROM app.bookings b WHERE b.guest_id = g.id) AND NOT EXISTS (SELECT FROM app.companions c WHERE c.guest_id = g.id) AND NOT EXISTS (SELECT FROM app.credit_transactions c WHERE c.guest_id = g.id) AND NOT EXISTS (SELECT FROM app.email_log c WHERE c.guest_id = g.id)"),
    "a guest too many": ("guests", "INSERT INTO app.guests (last_name) VALUES ('Niemand')"),
    "a name": ("guests", "UPDATE app.guests SET last_name = last_name || '.' WHERE id = (SELECT min(id) FROM app.guests)"),
    "names swapped": ("guests", "UPDATE app.guests SET last_name = first_name, first_name = last_name WHERE id = (SELECT min(id) FROM app.guests WHERE first_name <> last_name AND first_name <> '')"),
    "a town emptied": ("guests", "UPDATE app.guests SET city = NULL WHERE id = (SELECT min(id) FROM app.guests WHERE city IS NOT NULL)"),
    "two columns swapped": ("guests", "UPDATE app.guests SET city = street, street = city WHERE id = (SELECT min(id) FROM app.guests WHERE city <> street)"),
    "notes cut": ("guests", "UPDATE app.guests SET notes = left(notes, length(notes) - 1) WHERE id = (SELECT min(id) FROM app.guests WHERE length(notes) > 1)"),
    "notes added": ("guests", "UPDATE app.guests SET notes = coalesce(notes, '') || 'x' WHERE id = (SELECT min(id) FROM app.guests)"),
    "membership": ("guests", "UPDATE app.guests SET is_member = NOT is_member WHERE id = (SELECT min(id) FROM app.guests)"),
    "a moment": ("guests", "UPDATE app.guests SET created_at = created_at + interval '1 second' WHERE id = (SELECT min(id) FROM app.guests)"),
    "a number": ("bookings", "UPDATE app.bookings SET number = number || 'x' WHERE id = (SELECT min(id) FROM app.bookings)"),
    "numbers swapped": ("bookings", "UPDATE app.bookings SET number = 'zwischen' WHERE id = (SELECT min(id) FROM app.bookings)"),
    "an arrival": ("bookings", "UPDATE app.occupancies SET arrival = arrival - 1, room_id = NULL WHERE id = (SELECT min(id) FROM app.occupancies)"),
    "a departure": ("bookings", "UPDATE app.occupancies SET departure = departure + 1, room_id = NULL WHERE id = (SELECT min(id) FROM app.occupancies)"),
    "a room lost": ("bookings", "UPDATE app.occupancies SET room_id = NULL WHERE id = (SELECT min(id) FROM app.occupancies WHERE active)"),
    "another guest": ("bookings", "UPDATE app.bookings SET guest_id = (SELECT max(id) FROM app.guests) WHERE id = (SELECT min(id) FROM app.bookings WHERE guest_id <> (SELECT max(id) FROM app.guests))"),
    "a status": ("bookings", "UPDATE app.bookings SET status = 'ausgecheckt' WHERE id = (SELECT min(id) FROM app.bookings WHERE status = 'bestaetigt')"),
    "persons": ("bookings", "UPDATE app.bookings SET persons = persons + 1 WHERE id = (SELECT min(id) FROM app.bookings)"),
    "a cent": ("bookings", "UPDATE app.price_lines SET amount = amount + 0.01 WHERE id = (SELECT min(id) FROM app.price_lines)"),
    "a line lost": ("additional_services", "DELETE FROM app.price_lines WHERE id IN (SELECT target_id FROM migration_fate WHERE source_table = 'additional_services' LIMIT 1)"),
    "a payment lost": ("payments", "DELETE FROM app.payments WHERE id = (SELECT min(id) FROM app.payments)"),
    "cents moved between bookings": ("bookings", "UPDATE app.price_lines SET amount = amount + CASE id WHEN (SELECT min(id) FROM app.price_lines WHERE kind = 'nights') THEN 1 ELSE -1 END WHERE id IN ((SELECT min(id) FROM app.price_lines WHERE kind = 'nights'), (SELECT max(id) FROM app.price_lines WHERE kind = 'nights'))"),
    "payment of another day": ("bookings", "UPDATE app.payments SET paid_on = paid_on + 1 WHERE id = (SELECT min(p.id) FROM app.payments p)"),
    "credit": ("guest_credit_transactions", "UPDATE app.credit_transactions SET amount = -amount WHERE id = (SELECT min(id) FROM app.credit_transactions)"),
    "a key code": ("rooms", "UPDATE app.rooms SET key_code = '0000' WHERE id = (SELECT min(id) FROM app.rooms)"),
    "a price": ("rooms", "UPDATE app.rooms SET price_high = price_high + 1 WHERE id = (SELECT min(id) FROM app.rooms)"),
    "category": ("rooms", "UPDATE app.rooms SET category = 'XX' WHERE id = (SELECT min(id) FROM app.rooms)"),
    "mail password": ("email_config", "UPDATE app.email_settings SET smtp_password = 'x'"),
    "a template": ("email_templates", "UPDATE app.email_templates SET body = replace(body, '{', '[') WHERE id = (SELECT min(id) FROM app.email_templates WHERE body LIKE '%{%')"),
    "bank account": ("payment_settings", "UPDATE app.company_settings SET iban = reverse(iban)"),
    "a season": ("pricing_settings", "UPDATE app.seasons SET last_day = '12-24'"),
    "the log": ("transaction_log", "DELETE FROM legacy.kept_rows WHERE ctid IN (SELECT ctid FROM legacy.kept_rows WHERE table_name = 'transaction_log' LIMIT 1)"),
    "a word of the log": ("transaction_log", """UPDATE legacy.kept_rows SET data = jsonb_set(data, '{user_action,1}', '"x"') WHERE table_name = 'transaction_log'"""),
    "quarantine": ("bookings", "UPDATE legacy.quarantine SET data = data - 'checkin_date' WHERE source_table = 'bookings'"),
    "quarantine emptied": ("bookings", "DELETE FROM legacy.quarantine WHERE source_table = 'bookings'"),
    "a kept column": ("company_settings", "DELETE FROM legacy.kept_rows WHERE table_name = 'company_settings'"),
    "sequence": ("guests", "ALTER SEQUENCE app.guests_id_seq RESTART WITH 1"),
    "counter": ("Reservierungsnummern", "UPDATE app.number_counters SET last = 0"),
}  # fmt: skip


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A house with all that is looked at."""
    return build(tmp_path / "alt.sqlite", LATE, guests=60, bookings=60, defects={"bad_date": 0.05}).path


def test_every_difference_is_found_and_named(
    file: Path, database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    complaints: dict[str, str] = {}
    honest = verify.check

    async def after_each_tampering(connection: Any, *rest: Any) -> Any:
        for what, (_, statement) in TAMPERINGS.items():
            attempt = connection.transaction()
            await attempt.start()
            done = await connection.execute(statement)
            assert not done.endswith(" 0"), f"{what}: nothing was tampered with"
            try:
                await honest(connection, *rest)
            except DifferencesFound as error:
                complaints[what] = error.message
            await attempt.rollback()
        return await honest(connection, *rest)

    monkeypatch.setattr(verify, "check", after_each_tampering)
    assert migrate(database, file, tmp_path / "run", "--dry-run").code == 0
    unnoticed = [what for what, (table, _) in TAMPERINGS.items() if table not in complaints.get(what, "")]
    assert not unnoticed


def test_a_difference_rolls_everything_back(
    file: Path,
    database: TestDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    move_away(monkeypatch, "id <= 3")
    before = state(database)
    result = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert result.code == 1
    assert "3 Unterschiede gefunden" in result.err
    assert "guests 2: Spalte ort" in result.err
    assert state(database) == before
    assert not list((tmp_path / "run" / "backups").iterdir())
