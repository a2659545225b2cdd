"""A house in the database and people at their desks, without the client between."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg

from dpolg_tui.db.connection import new_token, token_hash
from tests.databases import TestDatabase

DAY = date(2030, 3, 1)
"""Arrival of most bookings in these tests."""


def day(number: int) -> date:
    """The n-th day after ``DAY``."""
    return DAY + timedelta(days=number)


def stay(room_id: int | None, first: int, last: int) -> dict[str, Any]:
    """The value of a stay, as a write function takes it."""
    return {"room_id": room_id, "arrival": day(first).isoformat(), "departure": day(last).isoformat()}


def change(before: object, after: object) -> dict[str, object]:
    return {"from": before, "to": after}


def new(**values: object) -> dict[str, dict[str, object]]:
    """Changes that create something: ``stay`` is the stay of a new booking."""
    return {"stay/new" if name == "stay" else name: change(None, value) for name, value in values.items()}


async def connect(dsn: str, token: str | None = None) -> asyncpg.Connection:
    """A connection that exchanges jsonb as Python values."""
    settings = {} if token is None else {"app.session_token": token}
    connection = await asyncpg.connect(dsn, server_settings=settings)
    await connection.set_type_codec(
        "jsonb", schema="pg_catalog", encoder=json.dumps, decoder=json.loads, format="text"
    )
    return connection


@asynccontextmanager
async def connected(dsn: str, token: str | None = None) -> AsyncIterator[asyncpg.Connection]:
    connection = await connect(dsn, token)
    try:
        yield connection
    finally:
        connection.terminate()


async def open_session(
    superuser: asyncpg.Connection, username: str, *, client: str | None = None, token: str | None = None
) -> str:
    """A session without the cost of a login; returns its token."""
    token = token or new_token()
    await superuser.execute(
        "INSERT INTO auth.sessions (token_hash, user_id, client_id)"
        " SELECT $1, u.id, $3 FROM auth.users u WHERE u.username = $2",
        token_hash(token),
        username,
        client or f"{secrets.token_hex(4)}#{username}",
    )
    return token


@dataclass
class Desk:
    """Somebody signed in: calls the functions as booking_user."""

    username: str
    token: str
    connection: asyncpg.Connection = field(repr=False)

    async def call(self, function: str, *arguments: object) -> Any:
        places = ", ".join(f"${number}" for number in range(1, len(arguments) + 1))
        return await self.connection.fetchval(f"SELECT app.{function}({places})", *arguments)

    async def change_password(self, old_tag: bytes | None, verifier: bytes = bytes(32)) -> Any:
        """As the client does it, with parameters that do not matter."""
        return await self.connection.fetchval(
            "CALL app.change_password($1, $2, 19456, 2, 1, $3, NULL)", old_tag, bytes(16), verifier
        )

    async def rows(self, function: str, *arguments: object) -> list[dict[str, Any]]:
        places = ", ".join(f"${number}" for number in range(1, len(arguments) + 1))
        found = await self.connection.fetch(f"SELECT * FROM app.{function}({places})", *arguments)
        return [dict(row) for row in found]

    async def save(
        self, kind: str, record: int | None, changes: Mapping[str, Any], *, request: UUID | None = None
    ) -> dict[str, Any]:
        answer: dict[str, Any] = await self.call(f"save_{kind}", request or uuid4(), record, changes)
        return answer

    async def delete(self, kind: str, record: int, *, request: UUID | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = await self.call(f"delete_{kind}", request or uuid4(), record)
        return answer

    async def book(self, guest: int, *stays: Mapping[str, Any], **fields: object) -> dict[str, Any]:
        """Create a booking of these stays; the whole answer."""
        changes: dict[str, Any] = new(guest_id=guest, **fields)
        for number, value in enumerate(stays, start=1):
            changes[f"stay/new{number}"] = change(None, value)
        return await self.save("booking", None, changes)

    async def booking(self, record: int) -> dict[str, Any]:
        state: dict[str, Any] = await self.call("booking", record)
        return state

    async def heartbeat(self, snapshot: str | None = None) -> dict[str, Any]:
        answer: dict[str, Any] = await self.call("heartbeat", snapshot)
        return answer


class Stage:
    """One database with a small house; opens desks and closes everything at the end."""

    def __init__(self, database: TestDatabase, superuser: asyncpg.Connection) -> None:
        self.database = database
        self.superuser = superuser
        self.rooms: list[int] = []
        """Single, double, double, apartment for four."""
        self.guests: list[int] = []
        """Erika Müller, Jürgen Weiß."""
        self._connections: list[asyncpg.Connection] = []

    async def furnish(self) -> None:
        """Four rooms and two guests, made by the owner."""
        self.rooms = [
            await self.superuser.fetchval(
                "INSERT INTO app.rooms (name, category, building, place, capacity, price_low, price_high,"
                " key_code) VALUES ($1, $2, 'Haus A', 'Fall', $3, 40, 50, $4) RETURNING id",
                *room,
            )
            for room in (
                ("1", "EZ", 1, "geheim-1"),
                ("2", "DZ", 2, "geheim-2"),
                ("3", "DZ", 2, None),
                ("10", "App", 4, None),
            )
        ]
        self.guests = [
            await self.superuser.fetchval(
                "INSERT INTO app.guests (last_name, first_name, city, phone, email, is_member)"
                " VALUES ($1, $2, $3, $4, $5, $6) RETURNING id",
                *guest,
            )
            for guest in (
                ("Müller", "Erika", "München", "0171 / 123-4567", "erika@example.org", False),
                ("Weiß", "Jürgen", "Gießen", "+49 89 555 01", "weiss@example.org", True),
            )
        ]

    async def desk(self, username: str, *, client: str | None = None) -> Desk:
        """Sign somebody in."""
        token = await open_session(self.superuser, username, client=client)
        connection = await connect(self.database.dsn, token)
        self._connections.append(connection)
        return Desk(username, token, connection)

    async def stranger(self) -> asyncpg.Connection:
        """A holder of config.toml who has not signed in."""
        connection = await connect(self.database.dsn)
        self._connections.append(connection)
        return connection

    async def close(self) -> None:
        for connection in (*self._connections, self.superuser):
            connection.terminate()


async def open_stage(database: TestDatabase) -> Stage:
    stage = Stage(database, await connect(database.superuser_dsn))
    await stage.furnish()
    return stage
