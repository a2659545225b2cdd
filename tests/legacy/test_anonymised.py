"""Who was anonymised here does not come back out of the old file."""

from __future__ import annotations

from pathlib import Path
from uuid import uuid4

import pytest

from tests.databases import TestDatabase, run
from tests.legacy.files import make
from tests.legacy.migration import migrate, query, source
from tests.sql.stage import Desk, connect, open_session

WORD = "qxzq"

_HOUSE = f"""
CREATE TABLE transaction_log (id INTEGER PRIMARY KEY, operation_type TEXT, table_name TEXT, record_id INTEGER,
    old_data TEXT, new_data TEXT, user_action TEXT, created_at TEXT);
CREATE TABLE booking_attributes (id INTEGER PRIMARY KEY, booking_id INTEGER, wert TEXT);
CREATE TABLE accompanying_guests (id INTEGER PRIMARY KEY, booking_id INTEGER, vorname TEXT, nachname TEXT,
    geburtsdatum TEXT);
CREATE TABLE reminders (id INTEGER PRIMARY KEY, booking_id INTEGER, reminder_type TEXT, title TEXT,
    description TEXT, due_date TEXT, priority TEXT, is_completed INTEGER, created_at TEXT);
UPDATE guests SET vorname = '{WORD} V', nachname = '{WORD} N', email = 'kein {WORD}', telefon = '{WORD}';
UPDATE bookings SET status = 'ausgecheckt';
INSERT INTO bookings VALUES (10, 3, 7, '2025-10', '2025-03-05', '{WORD}', 1, 'bestaetigt', 0.1,
    '2025-01-02 03:04:05'), (11, 3, 7, '2025-11', '2025-04-05', '2025-04-07', 1, 'ausgecheckt', 0.1,
    '2025-01-02 03:04:05');
INSERT INTO transaction_log VALUES
    (1, 'UPDATE', 'guests', 7, '{{"id": 7, "nachname": "{WORD}"}}', NULL, 'Gast {WORD} geändert',
     '2025-01-01 00:00:00'),
    (2, 'DELETE', 'bookings', 5, '{{"id": 5, "guest_id": 7, "bemerkungen": "{WORD}"}}', NULL,
     'Buchung gelöscht', '2025-01-01 00:00:00'),
    (3, 'CREATE', 'reminders', 8, NULL, '{{"id": 8,"booking_id":9,"title":"{WORD}"}}', '',
     '2025-01-01 00:00:00');
INSERT INTO booking_attributes VALUES (1, 9, '{WORD}');
INSERT INTO accompanying_guests VALUES (1, 9, '{WORD}', '{WORD}', 'im Mai {WORD}'), (2, 9, 'x', '', '{WORD}');
INSERT INTO reminders VALUES
    (1, 9, 'manual', '{WORD}', '{WORD}', '2025-01-05', '{WORD}', 1, '2025-01-01 00:00:00'),
    (2, 10, 'auto_payment', '{WORD}', NULL, '2025-01-05', 'high', 0, '2025-01-01 00:00:00');
"""


def _anonymise(database: TestDatabase, guest: int) -> str:
    async def work() -> str:
        superuser = await connect(database.superuser_dsn)
        admin = Desk("admin", "", await connect(database.dsn, await open_session(superuser, "admin")))
        try:
            outcome: str = (await admin.call("anonymise_guest", uuid4(), guest))["outcome"]
            return outcome
        finally:
            admin.connection.terminate()
            superuser.terminate()

    return run(work)


def _found(database: TestDatabase) -> set[str]:
    """Tables in which the word stands."""
    tables = query(
        database,
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname IN ('app', 'auth', 'legacy') AND c.relkind = 'r'",
    )
    return {
        name
        for (name,) in tables
        if query(database, f"SELECT EXISTS (SELECT FROM {name} t WHERE t::text LIKE '%{WORD}%')")[0][0]
    }


@pytest.mark.long
def test_he_is_gone_from_the_old_rows_and_stays_gone(
    database: TestDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = make(tmp_path / "alt.sqlite", _HOUSE)
    first = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert first.code == 0, first.err
    assert _found(database) >= {
        "app.guests", "app.booking_companions", "app.reminders",
        "legacy.kept_rows", "legacy.quarantine", "legacy.runs",
    }  # fmt: skip
    kept = query(database, "SELECT count(*) FROM legacy.kept_rows")[0][0]
    assert _anonymise(database, 7) == "done"
    assert _found(database) == set()
    assert query(database, "SELECT count(*) FROM legacy.kept_rows")[0][0] == kept
    again = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert again.code == 0, again.err
    assert _found(database) == set()
    # Also when the old program changed his rows since.
    with source(file) as connection:
        connection.execute("UPDATE guests SET telefon = telefon || '9'")
        connection.execute("UPDATE bookings SET anzahl_gaeste = 2 WHERE id <> 10")
    updated = migrate(database, file, tmp_path / "run", "--update", capsys=capsys)
    assert updated.code == 0, updated.err
    assert _found(database) == set()
    assert query(database, "SELECT last_name FROM app.guests")[0][0] == "anonymisiert"
    assert {row[0] for row in query(database, "SELECT persons FROM app.bookings")} == {1}
