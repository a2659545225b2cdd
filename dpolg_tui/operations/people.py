"""``user …``: members of staff from the server's shell, for the owner of the database."""

from __future__ import annotations

import asyncio
import getpass
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.db.accounts import NewUser
from dpolg_tui.db.login import Parameters
from dpolg_tui.db.owner_accounts import OwnerAccounts, owner_accounts
from dpolg_tui.domain.german import clean_line, format_datetime, role_label
from dpolg_tui.domain.models import Role
from dpolg_tui.domain.passwords import check_password, generate_password
from dpolg_tui.domain.people import Account, Session
from dpolg_tui.operations.passwords import Passwords
from dpolg_tui.setting_types import ConfigError

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings

FINE = 0
_NEVER = "nie"


@dataclass(frozen=True, slots=True)
class UserOptions:
    """What ``user`` was asked to do. Fields that are None were not named."""

    action: str
    username: str = ""
    values: Mapping[str, str | None] = field(default_factory=dict)
    """username, full_name, email, role: what is to be written."""
    password_file: Path | None = None
    parameters: Mapping[str, int | None] = field(default_factory=dict)


def run(settings: DatabaseSettings, options: UserOptions) -> int:
    """Do it and say what was done. Returns the exit code."""
    asyncio.run(_run(settings, options))
    return FINE


async def _run(settings: DatabaseSettings, options: UserOptions) -> None:
    password = _given_password(options)
    async with owner_accounts(settings, _actor()) as accounts:
        match options.action:
            case "list":
                said = _listed(await accounts.all())
            case "add":
                said = await _add(accounts, options, password)
            case "parameters":
                said = await _parameters(accounts, options)
            case action:
                said = await _on_account(
                    accounts, await accounts.named(options.username), action, options, password
                )
    # Only what is committed is said: a password that does not work must not be handed out.
    sys.stdout.write(f"{said}\n")


async def _on_account(
    accounts: OwnerAccounts, person: Account, action: str, options: UserOptions, password: str | None
) -> str:
    name = clean_line(person.username)
    match action:
        case "edit":
            values = {key: value or None for key, value in options.values.items() if value is not None}
            if not values:
                raise ConfigError("Es fehlt, was sich ändern soll: siehe dpolg-tui user edit --help.")
            await accounts.save(person, values)
            return f"{name} wurde geändert."
        case "deactivate" | "reactivate":
            await accounts.save(person, {"active": action == "reactivate"})
            done = "wieder aktiv" if action == "reactivate" else "deaktiviert und überall abgemeldet"
            return f"{name} ist {done}."
        case "reset-password":
            if password is not None:
                check_password(password, person.username, full_name=person.full_name)
            chosen = password or generate_password()
            await accounts.reset_password(person, chosen)
            return f"{name} ist überall abgemeldet. {_told(chosen, generated=password is None)}"
        case "sessions":
            return _sessions(await accounts.sessions(person))
        case "end-sessions":
            return f"{name}: {await accounts.end_sessions(person)} Sitzungen beendet."
        case "lift-lock":
            await accounts.lift_lock(person)
            return f"{name} kann sich wieder anmelden."
        case _:
            raise ConfigError(f"user {action} gibt es nicht.")


async def _add(accounts: OwnerAccounts, options: UserOptions, password: str | None) -> str:
    full_name = options.values.get("full_name") or None
    if password is not None:
        check_password(password, options.username, full_name=full_name)
    chosen = password or generate_password()
    await accounts.create(
        NewUser(
            username=options.username,
            password=chosen,
            full_name=full_name,
            email=options.values.get("email") or None,
            role=Role(options.values.get("role") or Role.USER),
            parameters=await accounts.parameters(),
        )
    )
    return f"{clean_line(options.username)} ist angelegt. {_told(chosen, generated=password is None)}"


def _told(password: str, *, generated: bool) -> str:
    given = f"Erstes Passwort: {password}\n" if generated else ""
    return f"{given}Es muss bei der ersten Anmeldung geändert werden."


async def _parameters(accounts: OwnerAccounts, options: UserOptions) -> str:
    now = await accounts.parameters()
    wanted = replace(now, **{key: value for key, value in options.parameters.items() if value is not None})
    if wanted != now:
        await accounts.save_parameters(wanted)
    return _costs(wanted)


def _costs(parameters: Parameters) -> str:
    return (
        f"argon2id: {parameters.memory_kib} KiB, {parameters.iterations} Durchläufe, "
        f"{parameters.parallelism} Fäden. Ältere Passwörter werden bei der nächsten Anmeldung angehoben."
    )


def _given_password(options: UserOptions) -> str | None:
    """From a file or the environment; without either one is made."""
    if options.action not in ("add", "reset-password"):
        return None
    passwords = Passwords({"user": options.password_file})
    return passwords.get("user") if passwords.given("user") else None


def _actor() -> str:
    """Whom the audit log names: the account of the operating system."""
    try:
        name = getpass.getuser()
    except (OSError, KeyError):
        name = "?"
        if sys.platform != "win32":
            name = str(os.getuid())
    return f"{name} (Shell)"


def _listed(people: Sequence[Account]) -> str:
    rows = [
        ("Benutzer", "Name", "E-Mail", "Rolle", "Zugang", "Letzte Anmeldung", "Sitzungen", "Fehlversuche")
    ]
    for person in people:
        rows.append(
            (
                person.username,
                person.full_name or "",
                person.email or "",
                role_label(person.role),
                _access(person),
                format_datetime(person.last_login) if person.last_login else _NEVER,
                str(person.open_sessions),
                str(person.recent_failures),
            )
        )
    return _table(rows)


def _access(person: Account) -> str:
    if not person.active:
        return "deaktiviert"
    if person.locked:
        return "gesperrt"
    return "neues Passwort nötig" if person.must_change_password else "aktiv"


def _sessions(sessions: Sequence[Session]) -> str:
    rows = [("Arbeitsplatz", "Adresse", "Angemeldet seit", "Letztes Lebenszeichen", "Seite")]
    for session in sessions:
        rows.append(
            (
                session.host or session.desk,
                session.address or "",
                format_datetime(session.created_at),
                format_datetime(session.last_seen),
                session.screen or "",
            )
        )
    return _table(rows)


def _table(rows: Sequence[Sequence[str]]) -> str:
    """Columns side by side; nothing that somebody typed can steer the terminal."""
    clean = [[clean_line(cell) for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in clean) for column in range(len(clean[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in clean
    )
