"""What a desk says about the backups, and to whom."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dpolg_tui.domain.backups import BackupState
from dpolg_tui.domain.models import Role

GOOD = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)
FINE = BackupState(GOOD, GOOD, overdue=False, newest_ok=True, verification_ok=True, copy_ok=True)
NEVER = BackupState(None, None, overdue=True)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("state", [FINE, BackupState(None, None, overdue=False)])
def test_nothing_is_said_when_nothing_is_wrong(state: BackupState, role: Role) -> None:
    assert state.warning(role) is None


def test_staff_are_told_whom_to_tell() -> None:
    assert BackupState(GOOD, GOOD, overdue=True).warning(Role.USER) == (
        "Die letzte Sicherung ist vom 20.11.2026 03:00: bitte einer Person mit der Rolle Admin Bescheid "
        "geben. Sie können weiterarbeiten."
    )
    assert (NEVER.warning(Role.USER) or "").startswith("Dieses Haus hat noch keine Sicherung: ")


def test_admins_are_told_what_to_do() -> None:
    assert BackupState(GOOD, GOOD, overdue=True).warning(Role.ADMIN) == (
        "Die letzte Sicherung ist vom 20.11.2026 03:00: bitte auf dem Server dpolg-tui backup ausführen und "
        "dem Hinweis folgen."
    )
    assert "einrichten (docs/backup.md)" in (NEVER.warning(Role.ADMIN) or "")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"verification_ok": False}, "bei der Probe nicht wiederherstellen"),
        ({"newest_ok": False}, "Der letzte Versuch einer Sicherung ist gescheitert"),
        ({"copy_ok": False}, "liegt nur auf dem Server"),
    ],
)
def test_what_is_not_urgent_is_for_admins(wrong: dict[str, bool], words: str) -> None:
    state = BackupState(GOOD, GOOD, overdue=False, **wrong)
    assert words in (state.warning(Role.ADMIN) or "")
    assert state.warning(Role.USER) is None
