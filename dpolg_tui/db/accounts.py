"""Users made by the owner of the database: init-db, the command line, the demo and the tests."""

from __future__ import annotations

from dataclasses import dataclass, field

import asyncpg

from dpolg_tui.db import errors
from dpolg_tui.db.login import Parameters, new_secret
from dpolg_tui.domain.models import Role


@dataclass(frozen=True, slots=True)
class NewUser:
    """A member of staff to be."""

    username: str
    password: str = field(repr=False)
    full_name: str | None = None
    email: str | None = None
    role: Role = Role.USER
    must_change_password: bool = True
    parameters: Parameters = field(default_factory=Parameters)


async def create_user(owner: asyncpg.Connection | str, user: NewUser) -> int:
    """Create ``user`` over a connection of the owner, or a DSN of it; returns its id."""
    secret = await new_secret(user.password, user.parameters)
    connection = await asyncpg.connect(owner) if isinstance(owner, str) else owner
    try:
        user_id = await connection.fetchval(
            "SELECT auth.create_user($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
            user.username.strip(),
            user.full_name,
            user.email,
            user.role.value,
            secret.salt,
            secret.verifier,
            secret.parameters.memory_kib,
            secret.parameters.iterations,
            secret.parameters.parallelism,
            user.must_change_password,
        )
    except errors.DRIVER_ERRORS as error:
        raise errors.translate(error) from None
    finally:
        if connection is not owner:
            await connection.close()
    return int(user_id)
