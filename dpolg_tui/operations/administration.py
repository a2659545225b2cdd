"""init-db and upgrade-db: what the operator of the database runs, once and after each update."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from dpolg_tui.db import housekeeping, migrations
from dpolg_tui.db.accounts import NewUser
from dpolg_tui.domain.models import Role
from dpolg_tui.operations import backup_command

if TYPE_CHECKING:
    from dpolg_tui.operations.passwords import InitOptions
    from dpolg_tui.settings import BackupSettings, DatabaseSettings

FINE, FAILED = 0, 1


def init_database(settings: DatabaseSettings, options: InitOptions) -> int:
    """Make an empty database a house: roles, schema, first admin. Returns the exit code."""
    passwords = options.passwords
    missing = asyncio.run(migrations.missing_roles(settings))
    admin = NewUser(
        username=options.admin,
        password=passwords.get("admin"),
        full_name=options.admin_full_name,
        role=Role.ADMIN,
        must_change_password=False,
    )
    open_points = asyncio.run(
        migrations.initialise(
            settings,
            owner_password=passwords.get("owner") if migrations.OWNER in missing else None,
            booking_password=passwords.get("booking_user") if migrations.CLIENT in missing else None,
            backup_password=passwords.get("backup") if migrations.BACKUP in missing else None,
            admin=admin,
            managed=options.managed,
        )
    )
    _say(f"Die Datenbank {settings.database} ist eingerichtet; erste Anmeldung als {options.admin}.")
    for point in open_points:
        _say(f"Offen: {point}")
    return _report(settings, only_must=options.managed)


def upgrade_database(settings: DatabaseSettings, backup: BackupSettings | None) -> int:
    """Apply what is outstanding, then look whether everything is as it must be. Returns the exit code.

    A backup is made first, if there is anything to apply; ``backup`` of None does without.
    """
    applied = asyncio.run(_upgrade(settings, backup))
    _say("\n".join(f"Angewandt: {name}" for name in applied) or "Die Datenbank ist auf dem neuesten Stand.")
    return _report(settings, only_must=False)


async def _upgrade(settings: DatabaseSettings, backup: BackupSettings | None) -> list[str]:
    made = await backup_command.before_upgrade(settings, backup) if backup is not None else None
    if made is not None:
        backup_command.tell(made)
    applied = await migrations.upgrade(settings)
    if made is not None:
        await backup_command.record_late(settings, made)
    return applied


def keep_house(settings: DatabaseSettings) -> int:
    """Remove what has had its time. Returns the exit code."""
    removed = asyncio.run(housekeeping.keep_house(settings))
    _say(
        f"Gelöscht: {removed.audit} Protokolleinträge nach Ablauf der Frist; {removed.others} alte "
        "Anmeldeversuche, Sitzungen und Zwischenstände."
    )
    return FINE


def _report(settings: DatabaseSettings, *, only_must: bool) -> int:
    found = [
        finding
        for finding in asyncio.run(migrations.findings(settings))
        if not only_must or finding.kind == "must"
    ]
    for finding in found:
        sys.stderr.write(f"checks.sql: {finding.kind}: {finding.finding}: {finding.object}\n")
    return FAILED if found else FINE


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
