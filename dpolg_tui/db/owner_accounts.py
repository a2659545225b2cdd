"""Accounts as the owner of the database manages them from the shell, under the rules of an admin's desk."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from dpolg_tui.db import errors, rows
from dpolg_tui.db.accounts import NewUser, create_user
from dpolg_tui.db.login import Parameters, new_secret
from dpolg_tui.db.migrations import OWNER, Target, connect
from dpolg_tui.db.people import account
from dpolg_tui.domain.errors import Busy, NoSchema, RecordMissing
from dpolg_tui.domain.people import Account, Session

_SESSIONS = """
SELECT s.id, s.desk, s.host, s.address, s.created_at, s.last_seen, s.screen, false AS own
  FROM auth.open_sessions s WHERE s.user_id = $1 ORDER BY s.created_at DESC, s.id DESC"""


class OwnerAccounts:
    """Within one transaction. Raises RuleViolated, RecordMissing, NotAllowed."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    async def all(self) -> list[Account]:
        """Everybody, in the order of their user names."""
        return [account(row) for row in await self._connection.fetch("SELECT * FROM auth.accounts()")]

    async def named(self, username: str) -> Account:
        """The account of that name, however it is typed."""
        row = await self._connection.fetchrow(
            "SELECT a.* FROM auth.users u, auth.accounts(u.id) a WHERE lower(u.username) = auth.folded($1)",
            username,
        )
        if row is None:
            raise RecordMissing(f"Einen Benutzer {username} gibt es nicht: dpolg-tui user list zeigt alle.")
        return account(row)

    async def sessions(self, person: Account) -> list[Session]:
        """Open sessions, the newest first."""
        return [rows.known(Session, row) for row in await self._connection.fetch(_SESSIONS, person.id)]

    async def create(self, user: NewUser) -> None:
        await create_user(self._connection, user)

    async def save(self, person: Account, values: Mapping[str, object]) -> None:
        """Write these fields of the account."""
        changes = {field: {"from": getattr(person, field), "to": value} for field, value in values.items()}
        answer = await self._connection.fetchval("SELECT auth.save_user($1, $2)", person.id, changes)
        if answer["outcome"] == "conflict":
            raise Busy(f"{person.username} wurde gerade geändert: bitte noch einmal aufrufen.")

    async def reset_password(self, person: Account, password: str) -> None:
        """To be changed at the next sign-in; ends the sessions and lifts a lock."""
        secret = await new_secret(password, await self.parameters())
        await self._connection.execute(
            "SELECT auth.reset_password($1, $2, $3, $4, $5, $6)",
            person.id,
            secret.salt,
            secret.parameters.memory_kib,
            secret.parameters.iterations,
            secret.parameters.parallelism,
            secret.verifier,
        )

    async def end_sessions(self, person: Account) -> int:
        """How many there were."""
        ended = await self._connection.fetchval("SELECT auth.end_sessions($1, 'ended_by_admin')", person.id)
        return int(ended)

    async def lift_lock(self, person: Account) -> None:
        await self._connection.execute("SELECT auth.lift_lock($1)", person.id)

    async def parameters(self) -> Parameters:
        """What a new password costs."""
        return Parameters(**await self._connection.fetchval("SELECT auth.login_settings()"))

    async def save_parameters(self, parameters: Parameters) -> None:
        """What new passwords cost from now on, and old ones after their next use."""
        costs = (parameters.memory_kib, parameters.iterations, parameters.parallelism)
        # What no integer holds would not reach the rules of the database, which say what is wrong.
        await self._connection.execute(
            "SELECT auth.save_login_settings($1, $2, $3)", *(max(0, min(cost, 2**31 - 1)) for cost in costs)
        )


@asynccontextmanager
async def owner_accounts(database: Target, actor: str) -> AsyncIterator[OwnerAccounts]:
    """One transaction as the owner; the audit log names ``actor``."""
    connection = await connect(database)
    try:
        async with connection.transaction():
            if not await connection.fetchval("SELECT to_regprocedure('auth.accounts(bigint)') IS NOT NULL"):
                raise NoSchema(
                    "Die Datenbank ist nicht auf dem Stand dieses Programms: "
                    "bitte dpolg-tui upgrade-db ausführen, in einer leeren dpolg-tui init-db."
                )
            await connection.execute(f"SET LOCAL ROLE {OWNER}")
            await connection.execute("SELECT set_config('app.actor', $1, true)", actor)
            yield OwnerAccounts(connection)
    except errors.DRIVER_ERRORS as error:
        raise errors.translate(error) from None
    finally:
        await connection.close()
