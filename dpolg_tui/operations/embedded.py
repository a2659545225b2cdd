"""A PostgreSQL server of our own: made, started, checked, stopped and removed.

Every such server uses scram with random passwords and listens on loopback TCP on a free port
only. Its methods block: call them through ``asyncio.to_thread`` where a loop runs.
``shared.py`` has the server that several processes use together.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import signal
import socket
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations import processes
from dpolg_tui.operations.account import Account, server_account
from dpolg_tui.operations.binaries import Binaries, for_account

log = logging.getLogger(__name__)

HOST = "127.0.0.1"
SUPERUSER = "postgres"
STATE = Path("/var/lib/dpolg-tui")  # for root, when the wanted place is closed to the service account

_PORTS_TRIED = 6
_START_LIMIT = 60.0
_STOP_LIMIT = 30.0
_ANSWER_LIMIT = 5.0
_PASSWORDS = "dpolg_passwords.json"
_SETTINGS = "dpolg.conf"
_LOG_KEPT = 1_000_000
# Failures that pass: the port went to somebody else, or children of a killed server are still ending.
_PASSING = ("could not bind", "could not create any TCP/IP sockets", "shared memory block", "lock file")


class ServerFailed(DomainError):  # noqa: N818 - named like the domain's errors
    """Der eigene Datenbankserver lässt sich nicht starten: bitte das Protokoll des Servers ansehen."""


@dataclass(frozen=True, slots=True)
class Options:
    """How a server of ours behaves. The defaults keep data safe; ``settings`` go to postgresql.conf."""

    durable: bool = True
    max_connections: int = 60
    settings: Mapping[str, str] = field(default_factory=dict)

    def lines(self, port: int) -> str:
        """The settings as lines of a configuration file."""
        values = {
            "listen_addresses": HOST,
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": str(self.max_connections),
            "password_encryption": "scram-sha-256",
            "jit": "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            "lc_messages": "C",
            "shared_buffers": "64MB",
        }
        if not self.durable:
            values |= {
                "fsync": "off",
                "full_page_writes": "off",
                "synchronous_commit": "off",
                "wal_level": "minimal",
                "max_wal_senders": "0",
                "checkpoint_timeout": "1h",
                "max_wal_size": "4GB",
            }
        values |= self.settings
        return "".join(
            f"{name} = '{value.replace(chr(39), chr(39) * 2)}'\n" for name, value in values.items()
        )


@dataclass(frozen=True, slots=True)
class Postmaster:
    """A running server's first process, as ``postmaster.pid`` names it and the system confirms."""

    process: processes.Process
    port: int


class Cluster:
    """One data directory and the server on it. ``home`` is a directory of its own and removed with it."""

    def __init__(self, home: Path, binaries: Binaries, options: Options | None = None) -> None:
        self.account = server_account()
        self.home = reachable(home.absolute(), self.account)
        self.data = self.home / "data"
        self.log_file = self.home / "server.log"
        self.options = options or Options()
        self.binaries = for_account(binaries, self.account)

    # -- making and removing

    @property
    def exists(self) -> bool:
        """Whether the data directory is complete: the passwords are written last."""
        return (self.data / _PASSWORDS).is_file()

    def create(self) -> None:
        """Makes the data directory; what an interrupted attempt left is replaced."""
        if self.exists:
            raise ServerFailed(f"Unter {self.data} gibt es schon Daten: bitte einen anderen Ordner wählen.")
        self.stop()
        shutil.rmtree(self.data, ignore_errors=True)
        _make_directory(self.home, self.account)
        password = secrets.token_urlsafe(24)
        handle, name = tempfile.mkstemp(dir=self.home, prefix=".password-")
        password_file = Path(name)
        try:
            with os.fdopen(handle, "w") as file:
                self.account.give(file.fileno())
                file.write(password + "\n")
            self._initdb(password_file)
        finally:
            password_file.unlink()
        with (self.data / "postgresql.conf").open("a") as configuration:
            configuration.write(f"\ninclude '{_SETTINGS}'\n")
        self._write(self.data / "pg_hba.conf", f"host all all {HOST}/32 scram-sha-256\n")
        self._write(self.data / _PASSWORDS, json.dumps({SUPERUSER: password}))

    def destroy(self) -> None:
        """Stops the server and removes everything of it."""
        self.stop()
        if self.home.exists():
            shutil.rmtree(self.home)

    # -- running

    def start(self) -> None:
        """Starts the server and returns once it answers; one that runs already is taken as it is."""
        if self.postmaster() is not None:
            if self.answers():
                return
            self.stop()
        # Whatever a left-over file names is not ours, but its number alone would stop PostgreSQL.
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        if self.log_file.exists() and self.log_file.stat().st_size > _LOG_KEPT:
            self.log_file.unlink()
        for attempt in range(_PORTS_TRIED):
            written = self._log_size()
            port = (attempt == 0 and self._last_port()) or free_port()
            self._write(self.data / _SETTINGS, self.options.lines(port))
            if self._pg_ctl("start", "-l", self.log_file, limit=_START_LIMIT) and self.answers(_START_LIMIT):
                return
            self.stop()
            said = self._log_since(written)
            if not any(reason in said for reason in _PASSING):
                break
            log.warning("server did not start, attempt %d: %s", attempt + 1, said.strip().rpartition("\n")[2])
            time.sleep(0.2 * attempt)
        raise ServerFailed(
            "Der eigene Datenbankserver lässt sich nicht starten: "
            f"bitte {self.log_file} ansehen. Letzte Zeile: {said.strip().rpartition(chr(10))[2]}"
        )

    def stop(self) -> None:
        """Stops the server if it runs: politely, then at once, then by force."""
        postmaster = self.postmaster()
        if postmaster is None:
            return
        for mode in ("fast", "immediate"):
            self._pg_ctl("stop", "-m", mode, limit=_STOP_LIMIT)
            if _gone(postmaster.process, 2):
                return
        with contextlib.suppress(ProcessLookupError):
            if sys.platform == "win32":
                os.kill(postmaster.process.pid, signal.SIGTERM)  # ends a process at once there
            else:
                os.kill(postmaster.process.pid, signal.SIGKILL)
        if not _gone(postmaster.process, 10):
            raise ServerFailed("Der eigene Datenbankserver lässt sich nicht beenden: bitte neu starten.")

    def postmaster(self) -> Postmaster | None:
        """The running server of this very data directory, or None."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except (FileNotFoundError, NotADirectoryError):
            return None
        if len(lines) < 4 or not self._is_data(lines[1]):
            return None
        process = processes.find(int(lines[0]))
        if process is None or not self._is_ours(process, float(lines[2])):
            return None
        return Postmaster(process, int(lines[3]))

    @property
    def port(self) -> int:
        """The port it listens on now."""
        postmaster = self.postmaster()
        if postmaster is None:
            raise ServerFailed("Der eigene Datenbankserver läuft nicht: bitte neu starten.")
        return postmaster.port

    def answers(self, limit: float | None = None) -> bool:
        """Whether the superuser can connect, and to this data directory."""
        with ThreadPoolExecutor(1) as executor:  # a thread, since the caller's may have a loop that runs
            return executor.submit(asyncio.run, self._answers(limit or _ANSWER_LIMIT)).result()

    def _last_port(self) -> int | None:
        """The port it had before, if nobody else has it: desks that are still open find the server again."""
        try:
            found = re.search(r"^port = '(\d+)'$", (self.data / _SETTINGS).read_text(), re.MULTILINE)
        except FileNotFoundError:
            return None
        return int(found[1]) if found and is_free(int(found[1])) else None

    # -- access

    def secret(self, name: str) -> str:
        """The password kept under a name; invented when it is asked for the first time."""
        known = self._passwords()
        if name not in known:
            known[name] = secrets.token_urlsafe(24)
            self._write(self.data / _PASSWORDS, json.dumps(known))
        return known[name]

    def dsn(self, database: str = "postgres", user: str = SUPERUSER, password: str | None = None) -> str:
        """Address with password, by default the one that ``secret`` keeps for the user."""
        return f"postgresql://{user}:{password or self.secret(user)}@{HOST}:{self.port}/{database}"

    # -- inside

    def _initdb(self, password_file: Path) -> None:
        said = ""
        # Names need a locale that knows umlauts; not every system has the same ones.
        for locale in ("C.UTF-8", "en_US.UTF-8", "de_DE.UTF-8", "C"):
            _make_directory(self.data, self.account)
            if self.binaries.major >= 17:
                provider = ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            elif locale == "C":
                break
            else:
                provider = ["--locale-provider=libc"] if self.binaries.major >= 15 else []
            command: list[str | Path] = [self.binaries.program("initdb"), "-D", self.data, "-U", SUPERUSER]
            command += [f"--pwfile={password_file}", "--auth=scram-sha-256", "--encoding=UTF8"]
            command += [f"--locale={locale}", *provider, *([] if self.options.durable else ["--no-sync"])]
            answer = self.account.run(command, directory=self.home)
            if answer.returncode == 0:
                return
            said = answer.stdout
            shutil.rmtree(self.data)
            if "locale" not in said:
                break
        log.error("initdb failed: %s", said)
        raise ServerFailed(
            f"Unter {self.home} lässt sich keine Datenbank anlegen: {said.strip().rpartition(chr(10))[2]}"
        )

    def _pg_ctl(self, verb: str, *arguments: str | Path, limit: float) -> bool:
        program = self.binaries.program("pg_ctl")
        command = [program, verb, "-D", self.data, "-w", "-t", str(int(limit)), *arguments]
        # Into a file: a pipe would stay open in the server on some systems, and we would wait for it.
        with tempfile.TemporaryFile() as output:
            answer = self.account.run(command, directory=self.home, output=output, timeout=limit + 30)
        return answer.returncode == 0

    async def _answers(self, limit: float) -> bool:
        import asyncpg

        deadline = time.monotonic() + limit
        password = self.secret(SUPERUSER)
        while (postmaster := self.postmaster()) is not None:
            try:
                async with asyncio.timeout(limit):
                    connection = await asyncpg.connect(
                        host=HOST,
                        port=postmaster.port,
                        user=SUPERUSER,
                        password=password,
                        database="postgres",
                        ssl=False,
                    )
                    try:
                        directory: str = await connection.fetchval("SHOW data_directory")
                    finally:
                        connection.terminate()
                return self._is_data(directory)
            except asyncpg.InvalidPasswordError:
                return False
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                if time.monotonic() > deadline:
                    log.warning("server does not answer: %s", error)
                    return False
                await asyncio.sleep(0.1)
        return False

    def _is_data(self, directory: str) -> bool:
        return Path(directory).resolve() == self.data.resolve()

    def _is_ours(self, process: processes.Process, started: float) -> bool:
        command = processes.command_line(process.pid)
        if command is not None:
            return str(self.data) in command
        began = processes.began(process)
        return began is not None and abs(began - started) < 10

    def _passwords(self) -> dict[str, str]:
        known: dict[str, str] = json.loads((self.data / _PASSWORDS).read_text())
        return known

    def _write(self, target: Path, text: str) -> None:
        """Replaces a file in one step, readable for the server's account alone."""
        handle, draft = tempfile.mkstemp(dir=target.parent, prefix=".draft-")
        with os.fdopen(handle, "w") as file:
            self.account.give(file.fileno())
            file.write(text)
        Path(draft).replace(target)

    def _log_size(self) -> int:
        return self.log_file.stat().st_size if self.log_file.exists() else 0

    def _log_since(self, position: int) -> str:
        if not self.log_file.exists():
            return ""
        with self.log_file.open("rb") as file:
            file.seek(position)
            return file.read().decode(errors="replace")


def free_port() -> int:
    """A loopback port that nobody listens on right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def is_free(port: int) -> bool:
    """Whether a server could listen on a loopback port right now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        if sys.platform != "win32":  # connections that have just ended do not hold the port
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def reachable(home: Path, account: Account) -> Path:
    """``home`` where the server's account can get there, else a place of its own under ``STATE``.

    The directories on the way to ``home`` belong to somebody and keep their permissions.
    """
    if account.can_enter(home.parent):
        return home
    digest = hashlib.sha256(str(home).encode()).hexdigest()[:12]
    return STATE / f"{home.parent.name}-{digest}"


def _make_directory(directory: Path, account: Account) -> None:
    """Makes a directory for the server's account alone, and the missing ones on the way passable for it."""
    missing = [parent for parent in directory.parents if not parent.exists()]
    for parent in reversed(missing):
        parent.mkdir(mode=0o700)
        if account.switches:
            parent.chmod(0o711)
    if not directory.exists():
        directory.mkdir(mode=0o700)
        account.give(directory)


def _gone(process: processes.Process, limit: float) -> bool:
    return wait_until(lambda: not process.lives(), limit)


def wait_until(condition: Callable[[], bool], limit: float) -> bool:
    """Waits for a condition, at most ``limit`` seconds; whether it came true."""
    deadline = time.monotonic() + limit
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
