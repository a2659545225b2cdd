"""The demo: a PostgreSQL of its own in the user's data directory, a generated house, the desk on it.

The first demo starts the server and fills it, others join, the last one out stops it. Users and
passwords are made with the house and kept beside the server, readable for its user alone.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from datetime import date
from pathlib import Path
from random import Random

import asyncpg

from dpolg_tui import config, locations
from dpolg_tui.db.accounts import NewUser, create_user
from dpolg_tui.db.migrations import ChangedMigrationError, initialise, upgrade
from dpolg_tui.domain import german
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.models import Role
from dpolg_tui.operations import house_names
from dpolg_tui.operations.embedded import Cluster
from dpolg_tui.operations.house import DEFAULT_SEED, generate
from dpolg_tui.operations.house_loader import load_house
from dpolg_tui.operations.shared import InUse, SharedServer, remove, told_to_stop

DATABASE = "dpolg_booking"
OWNER, CLIENT, BACKUP = "dpolg_owner", "booking_user", "dpolg_backup"
DEFAULT_SIZE = "small"
ROLES = (Role.USER, Role.USER, Role.ADMIN)

OpenDesk = Callable[[config.Config], int]


class DemoStillRuns(DomainError):  # noqa: N818 - the name says what happened
    """Eine Demo läuft noch: bitte sie zuerst beenden, dann mit --reset neu beginnen."""


class DemoOutdated(DomainError):  # noqa: N818
    """Die gespeicherte Demo passt nicht zu dieser Programmversion: bitte mit --reset neu beginnen."""


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Somebody who can sign in to the demo."""

    username: str
    password: str
    role: Role


@dataclass(frozen=True, slots=True)
class Description:
    """What the stored demo is: its users and how its house was made."""

    users: tuple[DemoUser, ...]
    seed: int
    size: str
    day: date

    def write(self, file: Path) -> None:
        """Keep it, readable for this user alone from the first moment on."""
        content = {**asdict(self), "day": self.day.isoformat()}
        handle, draft = tempfile.mkstemp(dir=file.parent, prefix=".demo-")
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(content, stream, ensure_ascii=False)
        Path(draft).replace(file)

    @classmethod
    def read(cls, file: Path) -> Description:
        """What ``write`` kept."""
        content = json.loads(file.read_text(encoding="utf-8"))
        users = tuple(
            DemoUser(user["username"], user["password"], Role(user["role"])) for user in content["users"]
        )
        return cls(users, content["seed"], content["size"], date.fromisoformat(content["day"]))


class Demo:
    """The server with the house, and what it was asked to be."""

    def __init__(self, seed: int | None = None, size: str | None = None) -> None:
        self.directory = locations.data_directory() / "demo"
        self.server = SharedServer(self.directory, prepare=self._prepare)
        self._seed = seed
        self._size = size

    @property
    def description(self) -> Description:
        """The stored demo's users and house."""
        return Description.read(self._file)

    @property
    def dsn(self) -> str:
        """Address of the database for desks."""
        return self.server.cluster.dsn(DATABASE, CLIENT)

    @property
    def owner_dsn(self) -> str:
        """Address of the database for its owner."""
        return self.server.cluster.dsn(DATABASE, OWNER)

    async def start(self) -> None:
        """Start or join the server; fill it when it is new, bring its schema up to date when it is not."""
        try:
            await self.server.start()
        except OSError as error:
            reason = error.strerror or str(error)
            raise DomainError(
                f"Die Demo lässt sich unter {self.directory} nicht einrichten ({reason}): "
                "bitte Platz und Rechte dort prüfen."
            ) from error
        if self.server.created:
            return
        try:
            # As superuser, so that hardening reaches everything.
            await upgrade(self.server.cluster.dsn(DATABASE))
            await _run(self.owner_dsn, _needs_no_backups)
            self._tell_differences()
        except ChangedMigrationError as error:
            await self.server.close()
            raise DemoOutdated from error
        except BaseException:
            await self.server.close()
            raise

    def configure(self, settings: config.Config) -> config.Config:
        """The same settings with this database and its users."""
        return replace(
            settings,
            database=config.database_from_dsn(f"{self.dsn}?sslmode=disable"),
            arguments=None,
            demo_users=tuple(
                (user.username, user.password, user.role.value) for user in self.description.users
            ),
        )

    @property
    def _file(self) -> Path:
        return self.directory / "demo.json"

    async def _prepare(self, cluster: Cluster) -> None:
        """Create database, schema, users and house on a new server."""
        started = time.monotonic()
        seed = DEFAULT_SEED if self._seed is None else self._seed
        size = self._size or DEFAULT_SIZE
        description = Description(make_users(seed), seed, size, german.today())
        description.write(self._file)
        _tell("Die Demo wird eingerichtet: Datenbank …")
        await _run(cluster.dsn(), lambda connection: connection.execute(f"CREATE DATABASE {DATABASE}"))
        await initialise(
            cluster.dsn(DATABASE),
            owner_password=cluster.secret(OWNER),
            booking_password=cluster.secret(CLIENT),
            backup_password=cluster.secret(BACKUP),
        )
        owner_dsn = cluster.dsn(DATABASE, OWNER)
        for user in description.users:
            await create_user(
                owner_dsn,
                NewUser(
                    username=user.username,
                    password=user.password,
                    full_name=full_name(user.username),
                    email=f"{user.username}@example.org",
                    role=user.role,
                    must_change_password=False,
                ),
            )
        if size == "large":
            _tell("Die Demo wird eingerichtet: 100.000 Buchungen, das dauert etwa eine halbe Minute …")
        await _run(owner_dsn, _needs_no_backups)
        house = generate(seed, description.day, size)
        await _run(owner_dsn, lambda connection: load_house(connection, house))
        _tell(f"Die Demo ist nach {time.monotonic() - started:.0f} Sekunden bereit.")

    def _tell_differences(self) -> None:
        """Say when the stored house is not the one that was asked for."""
        stored = self.description
        wanted_seed, wanted_size = self._seed, self._size
        if wanted_seed not in (None, stored.seed) or wanted_size not in (None, stored.size):
            _tell(
                f"Die vorhandene Demo (--size {stored.size} --seed {stored.seed}) wird weiter benutzt; "
                "mit --reset beginnt sie neu."
            )
        elif stored.day != german.today():
            _tell(
                f"Das Haus dieser Demo entstand am {german.format_date(stored.day)}; "
                "mit --reset entsteht eines um den heutigen Tag."
            )


def run(options: argparse.Namespace, open_desk: OpenDesk) -> int:
    """The verb ``demo``. ``open_desk`` runs the desk until its user leaves and returns the exit code."""
    demo = Demo(options.seed, options.size)
    # Before anything else: a mistake in config.toml is told at once.
    settings = config.load(config.Arguments(config=options.config))
    if options.reset:
        _reset(demo.directory)
    if options.serve:
        return asyncio.run(_serve(demo))
    if not asyncio.run(_start(demo)):
        return 0
    try:
        return open_desk(demo.configure(settings))
    finally:
        asyncio.run(demo.server.close())


def make_users(seed: int) -> tuple[DemoUser, ...]:
    """Three members of staff: names from the seed, passwords from nowhere."""
    staff = Random(f"{seed}/staff").sample(house_names.STAFF, len(ROLES))  # noqa: S311 - names only
    return tuple(
        DemoUser(house_names.plain(first_name), _password(), role)
        for (first_name, _), role in zip(staff, ROLES, strict=True)
    )


def full_name(username: str) -> str:
    """First and last name of one of the invented members of staff."""
    return next(
        f"{first} {last}" for first, last in house_names.STAFF if house_names.plain(first) == username
    )


def _password() -> str:
    """A password that a person can type from the screen."""
    words = (secrets.choice(house_names.PASSWORD_WORDS) for _ in range(3))
    return f"{'-'.join(words)}-{secrets.randbelow(90) + 10}"


def _reset(directory: Path) -> None:
    try:
        remove(directory)
    except InUse as error:
        raise DemoStillRuns from error


async def _start(demo: Demo) -> bool:
    """Start or join the server, unless told to stop meanwhile; whether it is there."""
    told = asyncio.create_task(told_to_stop())
    try:
        return await _start_unless(told, demo)
    finally:
        await _cancel(told)


async def _serve(demo: Demo) -> int:
    """Print the addresses in one line of JSON and serve until told to stop."""
    told = asyncio.create_task(told_to_stop())
    try:
        if not await _start_unless(told, demo):
            return 0
        try:
            answer = {
                "dsn": demo.dsn,
                "owner_dsn": demo.owner_dsn,
                "users": [asdict(user) for user in demo.description.users],
            }
            sys.stdout.write(json.dumps(answer, ensure_ascii=False) + "\n")
            sys.stdout.flush()
            await told
        finally:
            await demo.server.close()
    finally:
        await _cancel(told)
    return 0


async def _start_unless(told: asyncio.Task[None], demo: Demo) -> bool:
    starting = asyncio.create_task(demo.start())
    await asyncio.wait({starting, told}, return_when=asyncio.FIRST_COMPLETED)
    if starting.done():
        starting.result()
        return True
    await _cancel(starting)
    if not starting.cancelled() and starting.exception() is None:
        # It was ready just then.
        await demo.server.close()
    return False


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait({task})


async def _run(dsn: str, work: Callable[[asyncpg.Connection], Awaitable[object]]) -> None:
    connection = await asyncpg.connect(dsn, ssl=False)
    try:
        await work(connection)
    finally:
        await connection.close()


async def _needs_no_backups(connection: asyncpg.Connection) -> None:
    """No desk of a demo warns that there are none."""
    await connection.execute(
        "UPDATE app.installation SET backups_elsewhere = true WHERE NOT backups_elsewhere"
    )


def _tell(sentence: str) -> None:
    """To people, beside the JSON that goes to stdout."""
    sys.stderr.write(sentence + "\n")
    sys.stderr.flush()
