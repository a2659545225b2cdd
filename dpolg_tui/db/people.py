"""Accounts, sessions and places: the calls of a desk. ``db.writes`` changes and deletes accounts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from dpolg_tui.db import rows
from dpolg_tui.db.connection import Database, call_sql
from dpolg_tui.db.login import Parameters, Secret
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import Role
from dpolg_tui.domain.people import Account, Session

USERS = "SELECT * FROM app.users()"
SESSIONS = "SELECT * FROM app.sessions($1)"
HERE = call_sql("app.here", 2)


def account(row: Mapping[str, Any]) -> Account:
    """A row of app.users or auth.accounts."""
    return rows.known(Account, row, role=Role(row["role"]))


async def users(database: Database) -> list[Account]:
    """Everybody, in the order of their user names. Raises NotAllowed for non-admins."""
    return [account(row) for row in await database.fetch(USERS)]


async def sessions(database: Database, person_id: int) -> list[Session]:
    """Open sessions, the newest first; those of others for admins only."""
    return [rows.known(Session, row) for row in await database.fetch(SESSIONS, person_id)]


async def login_settings(database: Database) -> Parameters:
    """What a new password costs."""
    return Parameters(**await database.call("app.login_settings"))


async def save_login_settings(database: Database, parameters: Parameters) -> None:
    """What new passwords cost from now on; raises RuleViolated outside the bounds."""
    await database.call("app.save_login_settings", uuid4(), *_costs(parameters), write=True)


async def create(
    database: Database, changes: Changes, secret: Secret, *, request: UUID | None = None
) -> dict[str, Any]:
    """Create a user who must change this password; the jsonb answer of the function."""
    answer: dict[str, Any] = await database.call(
        "app.create_user",
        request or uuid4(),
        rows.changes_argument(changes),
        secret.salt,
        *_costs(secret.parameters),
        secret.verifier,
        write=True,
    )
    return answer


async def reset_password(database: Database, person_id: int, secret: Secret) -> dict[str, Any]:
    """Give a password that must be changed; ends the sessions and lifts a lock."""
    answer: dict[str, Any] = await database.call(
        "app.reset_password",
        uuid4(),
        person_id,
        secret.salt,
        *_costs(secret.parameters),
        secret.verifier,
        write=True,
    )
    return answer


async def lift_lock(database: Database, person_id: int) -> dict[str, Any]:
    answer: dict[str, Any] = await database.call("app.lift_lock", uuid4(), person_id, write=True)
    return answer


async def end_session(database: Database, session_id: int) -> dict[str, Any]:
    """End one session besides the own current one."""
    answer: dict[str, Any] = await database.call("app.end_session", uuid4(), session_id, write=True)
    return answer


async def end_sessions(database: Database, person_id: int) -> dict[str, Any]:
    """End all sessions of somebody, but never the one that asks."""
    answer: dict[str, Any] = await database.call("app.end_sessions", uuid4(), person_id, write=True)
    return answer


async def here(database: Database, screen: str, booking_id: int | None) -> None:
    """Tell the colleagues where this session is."""
    await database.fetchval(HERE, screen, booking_id)


def _costs(parameters: Parameters) -> tuple[int, int, int]:
    return parameters.memory_kib, parameters.iterations, parameters.parallelism
