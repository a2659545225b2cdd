"""What figures mean: what cannot be brought about in a test on a real server, and the limits."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from dpolg_tui.domain.backups import BackupState
from dpolg_tui.domain.health import judge, summary, unreachable, worst
from dpolg_tui.domain.health_figures import (
    Authority,
    Check,
    HostFigures,
    ServerFigures,
    Slot,
    TerminalFigures,
)
from dpolg_tui.domain.problems import Problem, Status
from tests.snapshots.scenes_health import FIGURES, NOW, SERVER

GB = 1024**3
FINE = BackupState(NOW - timedelta(hours=3), NOW - timedelta(days=2), overdue=False, verification_ok=True)
HEALTHY = replace(
    FIGURES,
    hosts=(HostFigures("db:5432", False, 10.0, looked_for_tls=False),),
    server=replace(SERVER, backups=FINE, statistics=replace(SERVER.statistics, transactions=())),  # type: ignore[type-var]
    terminal=TerminalFigures(80, 24, 256, (), unicode=True, name="xterm-256color"),
)


def of(key: str, **changes: Any) -> list[Check]:
    """The lines of a key of a healthy system in which something is different."""
    return [check for check in judge(replace(HEALTHY, **changes)) if check.key == key]


def server(**changes: Any) -> ServerFigures:
    assert HEALTHY.server is not None
    return replace(HEALTHY.server, **changes)


def statistics(**changes: Any) -> ServerFigures:
    assert HEALTHY.server is not None
    assert HEALTHY.server.statistics is not None
    return server(statistics=replace(HEALTHY.server.statistics, **changes))


def test_a_healthy_system_has_nothing_to_say() -> None:
    checks = judge(HEALTHY)
    assert worst(checks) is Status.OK
    assert summary(checks) == "Alles in Ordnung"
    assert not [check for check in checks if check.remedy]


@pytest.mark.parametrize(
    ("key", "changes", "status", "words"),
    [
        ("host", {"hosts": (HostFigures("db:5432", False, 400.0),)}, Status.WARNING, "400,0 ms"),
        ("tls", {"hosts": (HostFigures("db:5432", False, 4.0),)}, Status.ERROR, "verschlüsselt nicht"),
        ("tls", {"hosts": (HostFigures("127.0.0.1:5432", True, 4.0),)}, Status.OK, "auf diesem Rechner"),
        (
            "primary",
            {"hosts": (HostFigures("db:5432", False, 4.0, standby=True),)},
            Status.ERROR,
            "speichern",
        ),
        ("server", {"server": server(major=13 + 1, version="14.9")}, Status.WARNING, "Fehlerkorrekturen"),
        ("checks", {"findings": ("hardening: open built-in function: x",)}, Status.WARNING, "1 Abweichung"),
        ("pages", {"server": statistics(checksum_failures=2)}, Status.ERROR, "2-mal"),
        ("vacuum", {"server": server(transaction_age=600_000_000)}, Status.WARNING, "600 Millionen"),
        ("vacuum", {"server": server(transaction_age=1_600_000_000)}, Status.ERROR, "1600 Millionen"),
        ("slots", {"server": server(slots=(Slot("s", False, 11 * GB),))}, Status.ERROR, "11,0 GB"),
        ("slots", {"server": server(slots=(Slot("s", True, 11 * GB),))}, Status.OK, "läuft mit"),
        (
            "size",
            {"server": server(bytes=3 * GB, sizes=((date(2026, 10, 25), GB),))},
            Status.WARNING,
            "+2,0 GB seit 25.10.2026",
        ),
        ("size", {"server": server(bytes=3 * GB, sizes=())}, Status.OK, "housekeeping"),
        ("archive", {"server": statistics(archiving=True, archived=NOW)}, Status.OK, "Zuletzt"),
    ],
)
def test_limits(key: str, changes: dict[str, Any], status: Status, words: str) -> None:
    [check] = of(key, **changes)
    assert check.status is status
    assert words in check.says
    assert bool(check.remedy) is (status is not Status.OK)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"columns": 79}, "79 × 24"),
        ({"colours": 8}, "8 Farben"),
        ({"missing_keys": ("F9", "Entf")}, "F9, Entf"),
        ({"unicode": False}, "UTF-8"),
    ],
)
def test_a_terminal_that_can_too_little(change: dict[str, Any], words: str) -> None:
    assert HEALTHY.terminal is not None
    [check] = of("terminal", terminal=replace(HEALTHY.terminal, **change))
    assert check.status is Status.WARNING
    assert words in check.says


def test_a_backup_may_take_its_time() -> None:
    assert SERVER.statistics is not None
    [slow] = SERVER.statistics.transactions
    of_backup = replace(slow, role="dpolg_backup", seconds=3 * 3600)
    [check] = of("transactions", server=statistics(transactions=(of_backup,)))
    assert check.status is Status.OK
    [check] = of("transactions", server=statistics(transactions=(replace(of_backup, seconds=5 * 3600),)))
    assert check.status is Status.WARNING


def test_a_house_whose_provider_makes_the_backups_is_not_warned() -> None:
    none = BackupState(None, None, overdue=False)
    given = server(backups=none, backups_elsewhere=True)
    assert [check.status for check in of("backup", server=given)] == [Status.OK]
    assert of("verification", server=given) == []


def test_what_the_house_accepts_is_a_warning_no_more_but_an_error_stays() -> None:
    both = replace(
        HEALTHY, server=replace(statistics(checksum_failures=1), major=14, version="14.9"), terminal=None
    )
    checks = judge(both, ("server.ended", "pages.damaged"))
    assert {check.key: check.status for check in checks if check.problem} == {
        "server": Status.ACCEPTED,
        "pages": Status.ERROR,
    }
    assert summary(checks) == "1 Fehler, 1 bekannt, 1 nicht geprüft"


def test_a_socket_whose_server_cannot_be_asked_for_its_certificate_says_why() -> None:
    host = HostFigures("/run/postgresql:5432", False, 0.1, tls_address="db:5432", no_tls="antwortet nicht")
    [check] = of("tls", hosts=(host,))
    assert (check.status, check.says) == (Status.UNKNOWN, "antwortet nicht")


def test_an_authority_s_file_that_cannot_be_read_is_said() -> None:
    checks = of("tls", authorities=(Authority("ca.crt", None),))
    assert [(check.subject, check.status) for check in checks][-1] == ("ca.crt", Status.UNKNOWN)


def test_both_reasons_of_a_vacuum_that_is_behind_are_told() -> None:
    checks = of("vacuum", server=server(transaction_age=600_000_000, autovacuum=False))
    assert [check.problem for check in checks] == [Problem.VACUUM_BEHIND, Problem.VACUUM_OFF]


def test_no_server_is_not_the_same_as_no_right() -> None:
    assert unreachable(replace(HEALTHY, hosts=(HostFigures("db:5432", False, error="still"),)))
    assert not unreachable(replace(HEALTHY, hosts=(HostFigures("db:5432", False, 1.0, error="Passwort"),)))
    unknown = judge(replace(HEALTHY, server=None, no_server="darf nicht"))
    assert {check.status for check in unknown if check.key in ("backup", "size")} == {Status.UNKNOWN}
