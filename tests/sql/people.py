"""What tests of users in the database do again and again."""

from __future__ import annotations

import os
from collections.abc import Coroutine
from typing import Any
from uuid import uuid4

import asyncpg

from tests.sql.stage import Desk, Stage, new

ROUNDS = 15


async def user_id(stage: Stage, username: str) -> int:
    return int(await stage.superuser.fetchval("SELECT id FROM auth.users WHERE username = $1", username))


async def create(desk: Desk, **fields: object) -> dict[str, Any]:
    answer: dict[str, Any] = await desk.call(
        "create_user", uuid4(), new(**fields), os.urandom(16), 19456, 2, 1, os.urandom(32)
    )
    return answer


async def reset(desk: Desk, person: int) -> dict[str, Any]:
    answer: dict[str, Any] = await desk.call(
        "reset_password", uuid4(), person, os.urandom(16), 19456, 2, 1, os.urandom(32)
    )
    return answer


async def refused(call: Coroutine[Any, Any, object]) -> str:
    """The name of the rule that refuses a call, or its SQLSTATE; "done" if none does."""
    try:
        await call
    except asyncpg.PostgresError as error:
        return str(error.constraint_name or error.sqlstate)
    return "done"
