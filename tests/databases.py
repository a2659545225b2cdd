"""Databases for tests: one server per version, a template on each, a clone per test."""

from __future__ import annotations

import asyncio
import itertools
import os
import secrets
import shutil
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import asyncpg

from dpolg_tui.domain.models import Role
from dpolg_tui.operations.binaries import Binaries, Kind, find_embedded, find_system
from dpolg_tui.operations.embedded import Cluster, Options
from dpolg_tui.operations.shared import SharedServer, temporary_directory

TEMPLATE = "dpolg_template"
OWNER, CLIENT, BACKUP = "dpolg_owner", "booking_user", "dpolg_backup"
OPTIONS = Options(durable=False, max_connections=120, settings={"shared_buffers": "128MB"})
_PLENTY = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class TestUser:
    """Somebody who can sign in."""

    __test__: ClassVar[bool] = False

    username: str
    password: str
    role: Role


def _user(username: str, role: Role = Role.USER) -> TestUser:
    return TestUser(username, secrets.token_urlsafe(12), role)


USERS: Mapping[str, TestUser] = {
    user.username: user
    for user in (
        *map(_user, ("anna", "ben", "clara", "david", "emil")),
        _user("admin", Role.ADMIN),
    )
}


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """A database with schema and users, of one test alone."""

    __test__: ClassVar[bool] = False

    name: str
    kind: Kind
    superuser_dsn: str
    owner_dsn: str
    dsn: str
    """As booking_user, the role of the clients."""
    backup_dsn: str
    users: Mapping[str, TestUser]
    """By username: anna, ben, clara, david, emil (role user) and admin."""


PRIVILEGES = """
SELECT a.grantee::regrole::text, a.privilege_type FROM pg_database, aclexplode(datacl) a
 WHERE datname = $1 AND a.grantee <> 0"""


class Server:
    """A running server of one version."""

    _numbers = itertools.count(1)

    def __init__(self, kind: Kind, shared: SharedServer) -> None:
        self.kind = kind
        self._shared = shared
        self._has_template = False
        self._privileges: list[asyncpg.Record] = []
        """Role and privilege, as hardening.sql gave them to the template."""
        self._dropping = ThreadPoolExecutor(1)
        self._drops: deque[Future[None]] = deque()

    @property
    def cluster(self) -> Cluster:
        """The server itself: addresses, passwords, start and stop."""
        return self._shared.cluster

    def clone(self) -> TestDatabase:
        """A new database from the template."""
        if not self._has_template:
            run(self._make_template)
            self._has_template = True
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        run(lambda: self._clone(name))
        return TestDatabase(
            name=name,
            kind=self.kind,
            superuser_dsn=self.cluster.dsn(name),
            owner_dsn=self.cluster.dsn(name, OWNER),
            dsn=self.cluster.dsn(name, CLIENT),
            backup_dsn=self.cluster.dsn(name, BACKUP),
            users=USERS,
        )

    def empty(self) -> TestDatabase:
        """A new database without schema; the roles' addresses work once it has one."""
        name = f"empty_{os.getpid()}_{next(self._numbers)}"
        self.execute(f'CREATE DATABASE "{name}"')
        return TestDatabase(
            name=name,
            kind=self.kind,
            superuser_dsn=self.cluster.dsn(name),
            owner_dsn=self.cluster.dsn(name, OWNER),
            dsn=self.cluster.dsn(name, CLIENT),
            backup_dsn=self.cluster.dsn(name, BACKUP),
            users={},
        )

    def found_again(self, database: TestDatabase) -> TestDatabase:
        """The database where it is now: a server that is started again may have got another port."""
        return replace(
            database,
            superuser_dsn=self.cluster.dsn(database.name),
            owner_dsn=self.cluster.dsn(database.name, OWNER),
            dsn=self.cluster.dsn(database.name, CLIENT),
            backup_dsn=self.cluster.dsn(database.name, BACKUP),
        )

    def drop(self, database: TestDatabase) -> None:
        """Removes a database, whoever is still connected, while the next test begins."""
        statement = f'DROP DATABASE IF EXISTS "{database.name}" WITH (FORCE)'
        self._drops.append(self._dropping.submit(lambda: asyncio.run(self._execute(statement))))
        while self._drops and self._drops[0].done():
            self._drops.popleft().result()

    def execute(self, *statements: str) -> None:
        """Runs statements as superuser in the maintenance database, each on its own."""
        run(lambda: self._execute(*statements))

    def close(self) -> None:
        """Stops the server and removes it, with what was still to be dropped."""
        self._dropping.shutdown(cancel_futures=True)
        run(self._shared.close)

    async def _execute(self, *statements: str) -> None:
        connection = await asyncpg.connect(self.cluster.dsn())
        try:
            for statement in statements:
                await connection.execute(statement)
        finally:
            await connection.close()

    async def _make_template(self) -> None:
        from dpolg_tui.db.accounts import NewUser, create_user
        from dpolg_tui.db.login import Parameters
        from dpolg_tui.db.migrations import initialise

        cluster = self.cluster
        await self._execute(f"CREATE DATABASE {TEMPLATE}")
        await initialise(
            cluster.dsn(TEMPLATE),
            owner_password=cluster.secret(OWNER),
            booking_password=cluster.secret(CLIENT),
            backup_password=cluster.secret(BACKUP),
        )
        weakest = Parameters(memory_kib=19_456, iterations=2, parallelism=1)
        owner = await asyncpg.connect(cluster.dsn(TEMPLATE, OWNER))
        try:
            # Else every sign-in would hash the password anew.
            await owner.execute(
                "UPDATE auth.secrets SET memory_kib = $1, iterations = $2, parallelism = $3",
                weakest.memory_kib,
                weakest.iterations,
                weakest.parallelism,
            )
        finally:
            await owner.close()
        for user in USERS.values():
            await create_user(
                cluster.dsn(TEMPLATE, OWNER),
                NewUser(
                    username=user.username,
                    password=user.password,
                    full_name=f"{user.username.capitalize()} Beispiel",
                    email=f"{user.username}@example.org",
                    role=user.role,
                    must_change_password=False,
                    parameters=weakest,
                ),
            )
        # Nobody may be connected to a template while it is cloned.
        await self._execute(f"ALTER DATABASE {TEMPLATE} ALLOW_CONNECTIONS false")
        connection = await asyncpg.connect(cluster.dsn())
        try:
            self._privileges = await connection.fetch(PRIVILEGES, TEMPLATE)
        finally:
            await connection.close()

    async def _clone(self, name: str) -> None:
        connection = await asyncpg.connect(self.cluster.dsn())
        try:
            # Half the work of writing every page into the log, which nobody reads here.
            copying = "STRATEGY file_copy" if connection.get_server_version().major >= 15 else ""
            await connection.execute(f'CREATE DATABASE "{name}" TEMPLATE {TEMPLATE} {copying}')
            # A clone does not carry the template's privileges; all of hardening.sql is within it already.
            await connection.execute(
                f'REVOKE ALL ON DATABASE "{name}" FROM PUBLIC;'
                + "".join(f'GRANT {what} ON DATABASE "{name}" TO {role};' for role, what in self._privileges)
            )
        finally:
            await connection.close()


class Servers:
    """The servers of a test run, each started when the first test asks for it."""

    def __init__(self) -> None:
        self._running: dict[Kind, Server] = {}

    def get(self, kind: Kind) -> Server | None:
        """The server of this kind, or None if its programs are not installed."""
        if kind not in self._running:
            binaries = binaries_of(kind)
            if binaries is None:
                return None
            shared = SharedServer(
                temporary_directory(fast_directory()), OPTIONS, binaries=binaries, temporary=True
            )
            run(shared.start)
            self._running[kind] = Server(kind, shared)
        return self._running[kind]

    def close(self) -> None:
        """Stops and removes all."""
        while self._running:
            self._running.popitem()[1].close()


def fast_directory() -> Path | None:
    """Memory instead of a disk, where there is plenty: cloning makes some 400 files each time."""
    memory = Path("/dev/shm")
    if memory.is_dir() and os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > _PLENTY:
        return memory
    return None


def binaries_of(kind: Kind) -> Binaries | None:
    """The programs to test with; of the system's versions the oldest, which can do least."""
    if kind == "embedded":
        return find_embedded()
    installed = find_system()
    return installed[-1] if installed else None


def run(work: Callable[[], Awaitable[Any]]) -> Any:
    """Runs a coroutine from a fixture, in a thread with a loop of its own: the test's loop stays as it is."""

    async def call() -> Any:
        return await work()

    with ThreadPoolExecutor(1) as executor:
        return executor.submit(asyncio.run, call()).result()
