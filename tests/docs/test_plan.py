"""docs/plan.md names only what exists, and covers everything that the client's two plans name."""

from __future__ import annotations

import re
from dataclasses import dataclass

import pytest

from dpolg_tui.db.live import _ACTIONS, _KINDS
from dpolg_tui.settings import BY_NAME
from tests.databases import TestDatabase
from tests.docs.names import ROOT, catalogue, every_test, problem

PLAN = ROOT / "docs" / "plan.md"
HEADINGS = ("plan item", "plan", "here", "note")
LATER: frozenset[str] = frozenset()
"""Names of steps that are still to come, for `later: …` in a note."""

# What the plans name. The plans themselves are not in this repository.
COLUMNS = {
    "bookings": "id guest_id room_id checkin_date checkout_date status created_at created_by version",
    "users": "id username password_hash full_name email role active created_at last_login",
    "audit_log": "id table_name operation record_id old_data new_data user_id username timestamp",
    "reminders": "due_date completed booking_id",
    "rooms": "id",
    "guests": "id",
    "email_config": "",
}
INDEXES = (
    "idx_bookings_dates idx_bookings_room idx_bookings_guest idx_bookings_status idx_reminders_due "
    "idx_reminders_booking idx_audit_timestamp idx_audit_user"
)
EVENTS = "booking-created booking-updated booking-deleted guest-updated room-updated reminder-created"
CONFIG_KEYS = "host port database username password ssl_mode"
POOL = "max_connections(10) max_connections(20) min_connections(5) connect_timeout idle_timeout"
TUNING = (
    "shared_buffers effective_cache_size maintenance_work_mem work_mem max_connections "
    "checkpoint_completion_target wal_buffers default_statistics_target random_page_cost "
    "log_min_duration_statement listen_addresses"
)
WORDS = (
    "DPolG Buchungssystem|Benutzername|Passwort|Anmelden|Anmelden...|Angemeldet als: |Abmelden|"
    "Zimmer löschen|Datenbankverbindung|Server-IP|Verbindung testen|Speichern|Verbindung erfolgreich!|"
    "Verbindung fehlgeschlagen: |Konfiguration gespeichert!|Echtzeit-Sync verbunden|Verbindungsfehler|"
    "Benutzer nicht gefunden|Falsches Passwort|Benutzer deaktiviert"
)
ITEMS = {
    "Test scenarios": "Lokaler PostgreSQL Test|Single-Client Test|Multi-Client Test|Stress-Test|Load Testing|"
    "Conflict Resolution Test|Booking erstellt|Langsame Query",
    "Deployment checklist": "Backup aktuelle SQLite DBs|Oracle VM provisioniert|"
    "PostgreSQL installiert & konfiguriert|Firewall Ports geöffnet|SSL Zertifikat|"
    "132 Commands auf async migriert|WebSocket Server implementiert|Frontend Real-time Hooks|"
    "Login System implementiert|Config System fertig|Single-User Test bestanden|Multi-User Test bestanden|"
    "Conflict Resolution getestet|Performance akzeptabel (< 200ms)|WebSocket Reconnect funktioniert|"
    "Daten migriert|Alle User Accounts erstellt|Config.toml an Clients verteilt|Monitoring aktiviert|"
    "Backup Cron Job läuft|24h Monitoring|User Feedback sammeln|Performance Baseline erstellen|"
    "Dokumentation aktualisiert",
    "Success criteria": "Alle 5 Clients können sich verbinden|Login-System funktioniert|"
    "Buchungen werden sofort synchronisiert|Keine Daten gehen verloren|Performance ist gut (< 200ms|"
    "Backups laufen automatisch",
    "Risks": "Oracle Firewall blockiert|Performance-Probleme|Connection Timeouts|Daten-Konflikte|"
    "Migration schlägt fehl",
    "Costs and size": "5-10 gleichzeitige User|100.000+ Buchungen|24/7 Verfügbarkeit|Always Free",
    "Lessons learned": "Settings-Dialog statt manueller config.toml|Connection Pooling|"
    "Tägliche Backups in Cron Job|Login beim App-Start|Offline-Mode|Automatische Reconnect|"
    "Conflict Resolution",
    "Tips from practice": "Start klein|Backup alles|Monitor früh|User Training|Fallback Plan",
    "Data migration": "migrate.py|setval|convert_query|tools/convert_commands.py",
    "Database and roles": "dpolg_booking|booking_user|GRANT ALL|uuid-ossp",
    "Tables and columns": "audit_booking_changes|booking_audit|user_bookings|app.user_id|app.username",
}


@dataclass(frozen=True)
class Row:
    """A row of a table of the document."""

    line: int
    section: str
    item: str
    plan: str
    here: str
    note: str

    @property
    def names(self) -> list[str]:
        return re.findall(r"`([^`]+)`", self.here)


def rows() -> list[Row]:
    """All rows; complains about a malformed one."""
    found = []
    section = ""
    for number, line in enumerate(PLAN.read_text("utf-8").splitlines(), start=1):
        if line.startswith("## "):
            section = line.removeprefix("## ")
        if not line.startswith("|") or line.startswith("|---"):
            continue
        cells = tuple(cell.strip() for cell in line.strip().strip("|").split("|"))
        assert len(cells) == len(HEADINGS), f"line {number}: {line}"
        if cells != HEADINGS:
            found.append(Row(number, section, *cells))
    return found


async def test_every_name_exists(database: TestDatabase) -> None:
    events = {f"{kind}-{action}" for kind in _KINDS.values() for action in _ACTIONS.values()}
    known = await catalogue(database) | every_test() | events | set(BY_NAME)
    wrong = [
        f"line {row.line}: {name}: {why}"
        for row in rows()
        for name in row.names
        if (why := problem(name, known))
    ]
    assert not wrong, "\n".join(wrong)


def test_every_row_says_where_when_or_why() -> None:
    for row in rows():
        assert re.fullmatch("A|B|AB", row.plan), row
        assert row.names or row.here == "—", row
        assert row.names or row.note, row
        for step in re.findall(r"later: ([a-z ]+)", row.note):
            assert step.strip() in LATER, row


def test_no_item_twice() -> None:
    items = [(row.section, row.item) for row in rows()]
    assert sorted(items) == sorted(set(items))


def named_in_the_plans() -> list[tuple[str, str]]:
    """(section or empty, how the row begins or what it holds)."""
    found = [("Tables and columns", f"table `{table}`") for table in COLUMNS]
    for table, columns in COLUMNS.items():
        found += [("Tables and columns", f"column `{table}.{column}`") for column in columns.split()]
    found += [("Indexes", f"`{index}`") for index in INDEXES.split()]
    found += [("Events and live updates", f"event `{event}`") for event in EVENTS.split()]
    found += [("Configuration", f"config key `{key}`") for key in CONFIG_KEYS.split()]
    found += [("Configuration", f"`{word}`") for word in POOL.split()]
    found += [("Server settings", f"`{setting} = ") for setting in TUNING.split()]
    found += [("", f'"{word}') for word in WORDS.split("|")]
    found += [(section, item) for section, items in ITEMS.items() for item in items.split("|")]
    return found


@pytest.mark.parametrize(("section", "item"), named_in_the_plans())
def test_everything_in_the_plans_has_its_row(section: str, item: str) -> None:
    assert [row for row in rows() if item in row.item and section in (row.section, "")], item


def test_checks_would_find_a_wrong_name() -> None:
    for name in (
        "no/such/file.py",
        "dpolg_tui/cli.py::no_such_function",
        "dpolg_tui/cli.py: no such text",
        "make no-such-target",
        "dpolg-tui no-such-verb",
        "app.no_such_table",
        "test_that_nobody_wrote",
    ):
        assert problem(name, set()) is not None, name
    assert problem("Makefile", set()) is None
    assert problem("make test", set()) is None
    assert problem("dpolg-tui demo", set()) is None
