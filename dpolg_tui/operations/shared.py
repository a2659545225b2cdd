"""One server of our own for several processes: the first starts it, the last one out stops it.

The folder holds a lock, a file per holder (process number and start), the description of the
server and the watchdog's note. Who was killed leaves a holder file whose process is gone; such
files are dropped at every look, and the watchdog stops the server when none is left.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations import processes
from dpolg_tui.operations.account import server_account
from dpolg_tui.operations.binaries import Binaries, Kind, choose
from dpolg_tui.operations.embedded import Cluster, Options, ServerFailed, wait_until
from dpolg_tui.operations.locks import FileLock

# As long as somebody else may take to fill the largest house.
_LOCK_LIMIT = 600.0

Prepare = Callable[[Cluster], Awaitable[None]]


class InUse(DomainError):  # noqa: N818 - named like the domain's errors
    """Der Datenbankserver wird noch benutzt: bitte zuerst die anderen Fenster schließen."""


class Folder:
    """The files by which processes agree about their server. What changes them holds the lock."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self.lock = FileLock(self.path / "lock")
        self._holders = self.path / "holders"
        self._server = self.path / "server.json"
        self._watchdog = self.path / "watchdog.json"
        self._prepared = self.path / "prepared"

    def make(self) -> None:
        """Makes the folder, closed to others unless the server's account has to pass."""
        if not self.path.exists():
            self.path.mkdir(parents=True, exist_ok=True)
            self.path.chmod(0o711 if server_account().switches else 0o700)

    def holders(self) -> list[processes.Process]:
        """The processes that use the server; the files of dead ones are dropped."""
        alive = []
        for file in self._holders.glob("*"):
            pid, started, _ = file.name.split("-")
            holder = processes.Process(int(pid), started)
            if holder.lives():
                alive.append(holder)
            else:
                file.unlink(missing_ok=True)
        return alive

    def enter(self) -> Path:
        """Notes this process as a holder; returns the file to remove on leaving."""
        self._holders.mkdir(exist_ok=True)
        me = processes.current()
        file = self._holders / f"{me.pid}-{me.started}-{secrets.token_hex(4)}"
        file.touch()
        return file

    def cluster(self, options: Options | None = None) -> Cluster | None:
        """The server as it was noted, or None."""
        if not self._server.exists():
            return None
        note = json.loads(self._server.read_text())
        version = tuple(int(part) for part in note["version"])
        kind: Kind = "embedded" if note["kind"] == "embedded" else "system"
        return Cluster(Path(note["home"]), Binaries(Path(note["bin"]), version, kind), options)

    def note_cluster(self, cluster: Cluster, temporary: bool) -> None:
        """Notes what is needed to find and stop the server."""
        binaries = cluster.binaries
        note = {
            "home": str(cluster.home),
            "bin": str(binaries.bin),
            "version": binaries.version,
            "kind": binaries.kind,
            "temporary": temporary,
        }
        self._write(self._server, note)

    def watchdog(self) -> processes.Process | None:
        """The living watchdog, or None."""
        if not self._watchdog.exists():
            return None
        note = json.loads(self._watchdog.read_text())
        process = processes.Process(note["pid"], note["started"])
        return process if process.lives() else None

    def note_watchdog(self, process: processes.Process) -> None:
        """Notes which process watches."""
        self._write(self._watchdog, {"pid": process.pid, "started": process.started})

    @property
    def prepared(self) -> bool:
        """Whether the first use of the data was completed."""
        return self._prepared.exists()

    def note_prepared(self) -> None:
        """Notes that the data is complete."""
        self._prepared.touch()

    def stop(self) -> None:
        """Stops the server that nobody uses any more, removes it if it was a temporary one."""
        cluster = self.cluster()
        if cluster is not None:
            cluster.stop()
            if json.loads(self._server.read_text())["temporary"]:
                cluster.destroy()
                while self.path.exists():
                    # The watchdog, which waits for the lock in there, may clean up at the same moment,
                    # or make the lock anew.
                    try:
                        shutil.rmtree(self.path)
                    except OSError as error:
                        if error.errno not in (errno.ENOENT, errno.ENOTEMPTY):
                            raise
        self._watchdog.unlink(missing_ok=True)

    def forget(self) -> None:
        """Removes the server with its data."""
        cluster = self.cluster()
        if cluster is not None:
            cluster.destroy()
        for file in (self._server, self._prepared):
            file.unlink(missing_ok=True)

    def _write(self, file: Path, content: dict[str, object]) -> None:
        draft = file.with_suffix(".draft")
        draft.write_text(json.dumps(content))
        draft.replace(file)


class SharedServer:
    """A server on a folder of the caller, used as ``async with SharedServer(folder) as server``.

    ``prepare`` fills a new server. It runs once, before anybody else gets in; if it fails or is
    killed, the next start begins with an empty server again.
    """

    def __init__(
        self,
        directory: Path,
        options: Options | None = None,
        *,
        binaries: Binaries | None = None,
        prepare: Prepare | None = None,
        temporary: bool = False,
    ) -> None:
        self.created = False
        self._folder = Folder(directory)
        self._options = options or Options()
        self._binaries = binaries
        self._prepare = prepare
        self._temporary = temporary
        self._holder: Path | None = None
        self._cluster: Cluster | None = None

    @property
    def cluster(self) -> Cluster:
        """The running server, for its addresses and passwords."""
        if self._cluster is None:
            raise ServerFailed("Der eigene Datenbankserver läuft nicht: bitte neu starten.")
        return self._cluster

    async def start(self) -> None:
        """Starts the server or joins the running one."""
        beginning = asyncio.ensure_future(asyncio.to_thread(self._begin))
        try:
            # A thread cannot be interrupted: if we are cancelled, it ends first and we leave in order.
            await asyncio.shield(beginning)
            if self._prepare is not None and not self._folder.prepared:
                await self._prepare(self.cluster)
                self._folder.note_prepared()
        except BaseException:
            await asyncio.wait([beginning])
            await asyncio.shield(asyncio.to_thread(self._end))
            raise
        self._folder.lock.release()

    async def close(self) -> None:
        """Leaves; the last one stops the server."""
        await asyncio.shield(asyncio.to_thread(self._close))

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def _begin(self) -> None:
        """Takes the lock, which ``start`` gives back once the server is usable."""
        self._folder.make()
        self._folder.lock.acquire(_LOCK_LIMIT)
        self._holder = self._folder.enter()
        # Before the server: whatever happens from here on, somebody cleans up.
        if self._folder.watchdog() is None:
            _start_watchdog(self._folder.path)
        cluster = self._folder.cluster(self._options)
        if cluster is not None and self._prepare is not None and not self._folder.prepared:
            self._folder.forget()
            cluster = None
        binaries = self._fitting(cluster)
        home = cluster.home if cluster else self._folder.path / "server"
        cluster = Cluster(home, binaries, self._options)
        self._folder.note_cluster(cluster, self._temporary)
        if not cluster.exists:
            cluster.create()
            self.created = True
        cluster.start()
        self._cluster = cluster

    def _fitting(self, cluster: Cluster | None) -> Binaries:
        """Programs of the version that the data asks for."""
        if cluster is None or not cluster.exists:
            return self._binaries or choose()
        major = int((cluster.data / "PG_VERSION").read_text())
        if self._binaries is not None and self._binaries.major == major:
            return self._binaries
        return choose(major)

    def _close(self) -> None:
        self._folder.lock.acquire(_LOCK_LIMIT)
        self._end()

    def _end(self) -> None:
        """Gives up our place; expects the lock if there is a place to give up, and gives it back."""
        try:
            if self._holder is None:
                return
            self._holder.unlink(missing_ok=True)
            self._holder = None
            self._cluster = None
            if not self._folder.holders():
                watchdog = self._folder.watchdog()
                self._folder.stop()
                if watchdog is not None and watchdog.lives():
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(watchdog.pid, signal.SIGTERM)
        finally:
            self._folder.lock.release()


def temporary_directory(parent: Path | None = None) -> Path:
    """A new folder for a throw-away server, which removes it at the end."""
    directory = Path(tempfile.mkdtemp(prefix="dpolg-server-", dir=parent))
    if server_account().switches:
        directory.chmod(0o711)
    return directory


@contextlib.asynccontextmanager
async def temporary_server(
    options: Options | None = None, binaries: Binaries | None = None
) -> AsyncIterator[Cluster]:
    """A throw-away server: gone with its data at the end, also when this process is killed."""
    async with SharedServer(temporary_directory(), options, binaries=binaries, temporary=True) as server:
        yield server.cluster


def remove(directory: Path) -> None:
    """Removes a shared server with all its data, unless somebody uses it."""
    folder = Folder(directory)
    if not folder.path.is_dir():
        return
    folder.lock.acquire(_LOCK_LIMIT)
    try:
        if folder.holders():
            raise InUse
        folder.forget()
    finally:
        folder.lock.release()


async def told_to_stop() -> None:
    """Returns when this process is asked to end: Ctrl-C, SIGTERM or a closed terminal."""
    loop = asyncio.get_running_loop()
    told = asyncio.Event()
    names = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    numbers = [signal.Signals[name] for name in names if name in signal.Signals.__members__]
    # Not the loop's own handlers: Windows has none.
    before = {
        number: signal.signal(number, lambda *_: loop.call_soon_threadsafe(told.set)) for number in numbers
    }
    try:
        await told.wait()
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _start_watchdog(directory: Path) -> None:
    command = [sys.executable, "-m", "dpolg_tui.operations.watchdog", str(directory)]
    package = Path(__file__).parents[2]
    surroundings = {**os.environ, "PYTHONPATH": os.pathsep.join([str(package), *_python_path()])}
    if sys.platform == "win32":
        flags = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS
        subprocess.Popen(
            command,
            cwd=package,
            env=surroundings,
            creationflags=flags,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        if not wait_until(lambda: Folder(directory).watchdog() is not None, 30):
            raise ServerFailed(
                "Der Aufpasser des Datenbankservers startet nicht: bitte noch einmal versuchen."
            )
    else:
        # It leaves a child of its own behind and returns at once.
        subprocess.run(
            command,
            cwd="/",
            env=surroundings,
            timeout=60,
            check=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def _python_path() -> list[str]:
    inherited = os.environ.get("PYTHONPATH")
    return [inherited] if inherited else []
