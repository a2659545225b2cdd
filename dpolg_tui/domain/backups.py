"""How the backups of the house stand, and what is worth saying about it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dpolg_tui.domain.german import format_datetime
from dpolg_tui.domain.models import Role


@dataclass(frozen=True, slots=True)
class BackupState:
    """What the database tells of its backups; the last three: None where there was none of the kind yet."""

    last_good: datetime | None
    last_verified: datetime | None
    overdue: bool
    """No good backup for more than a day, nor since the house was set up."""
    newest_ok: bool | None = None
    verification_ok: bool | None = None
    copy_ok: bool | None = None

    def warning(self, role: Role) -> str | None:
        """The sentence for somebody of this role, None if all is well.

        What is not urgent and what only an admin can mend is for admins alone.
        """
        admin = role is Role.ADMIN
        if self.overdue:
            return self._overdue(admin)
        if not admin:
            return None
        if self.verification_ok is False:
            return (
                "Die letzte Sicherung ließ sich bei der Probe nicht wiederherstellen: bitte auf dem Server "
                "dpolg-tui backup verify ausführen und dem Hinweis folgen."
            )
        if self.newest_ok is False:
            return (
                "Der letzte Versuch einer Sicherung ist gescheitert: bitte auf dem Server dpolg-tui backup "
                "ausführen und dem Hinweis folgen."
            )
        if self.copy_ok is False:
            return (
                "Die letzte Sicherung liegt nur auf dem Server, ihre Kopie ist gescheitert: bitte dort "
                "[backup] copy_command prüfen."
            )
        return None

    def _overdue(self, admin: bool) -> str:
        if self.last_good is None:
            what = "Dieses Haus hat noch keine Sicherung"
        else:
            what = f"Die letzte Sicherung ist vom {format_datetime(self.last_good)}"
        if not admin:
            return (
                f"{what}: bitte einer Person mit der Rolle Admin Bescheid geben. Sie können weiterarbeiten."
            )
        if self.last_good is None:
            return f"{what}: bitte auf dem Server dpolg-tui backup einrichten (docs/backup.md)."
        return f"{what}: bitte auf dem Server dpolg-tui backup ausführen und dem Hinweis folgen."
