"""The servers of a run: the primary, the place of its standby, and a disk that can be made full."""

from __future__ import annotations

import asyncio
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import asyncpg

from dpolg_tui.operations.binaries import find_embedded
from dpolg_tui.operations.embedded import HOST, Cluster, Options
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests import standby
from tests.databases import Server, TestDatabase, run
from tools.wire_proxy import WireProxy

NOBODY = (HOST, 1)
"""Where a proxy leads whose server is gone."""
_NEW_MOUNTS = 0x00020000
_SPACE = 4 * 1024**3
_PAGE = 65536


class Disk:
    """A tmpfs for the data of all servers, seen by this process and its children alone.

    The system may not allow it: then ``reason`` says why, and the data lie where such data usually lie.
    """

    def __init__(self) -> None:
        self.place: Path | None = None
        self.reason = ""
        try:
            self._mount()
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", "") or error
            self.reason = f"a tmpfs cannot be mounted: {str(said).strip()}"

    def _mount(self) -> None:
        if sys.platform != "linux":
            raise OSError("only Linux has one")
        # Mounts of our own: whatever becomes of this process, none of them outlives its children.
        if ctypes.CDLL(None, use_errno=True).unshare(_NEW_MOUNTS):
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        _command("mount", "--make-rprivate", "/")
        place = Path(tempfile.mkdtemp(prefix="dpolg-chaos-disk-"))
        _command("mount", "-t", "tmpfs", "-o", f"size={_SPACE},mode=0711", "tmpfs", str(place))
        self.place = place

    def fill(self) -> None:
        """Not one more page, but for what is there already."""
        assert self.place is not None
        for _ in range(50):
            space = os.statvfs(self.place)
            used = (space.f_blocks - space.f_bfree) * space.f_frsize
            try:
                self._resize(used)
            except subprocess.CalledProcessError:
                continue  # somebody has just written more
            return
        raise OSError("the disk grows faster than it can be made smaller")

    def free(self) -> None:
        """As large as it was."""
        self._resize(_SPACE)

    def close(self) -> None:
        """Nothing is left of it."""
        if self.place is not None:
            _command("umount", "--lazy", str(self.place))
            self.place.rmdir()

    def _resize(self, size: int) -> None:
        size = -(-size // _PAGE) * _PAGE
        _command("mount", "-o", f"remount,size={size}", str(self.place))


def _command(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)


class Servers:
    """A primary that may die and a standby that takes its place; proxies are told where it is.

    ``fronts`` of each of the two places: proxies that lead to the server there.
    """

    def __init__(self, desks: int, disk: Disk) -> None:
        settings = {
            "track_commit_timestamp": "on",  # the checker asks for the order of the commits
            "max_notify_queue_pages": "64",
            "shared_buffers": "128MB",
            "min_wal_size": "32MB",  # few files in reserve: a full disk is felt soon
            "max_wal_size": "128MB",
        }
        # More than the desks have at once: what a fault cut may not have ended yet.
        options = Options(max_connections=4 * desks + 40, settings=settings)
        binaries = find_embedded()
        directory = temporary_directory(disk.place)
        self._shared = SharedServer(directory, options, binaries=binaries, temporary=True)
        run(self._shared.start)
        self.server = Server("embedded", self._shared)
        self.fronts: tuple[list[WireProxy], list[WireProxy]] = ([], [])
        primary = self.server.cluster
        self._places = (primary, Cluster(directory / "other", primary.binaries, options))
        self._active = 0
        self._port = primary.port
        self.database: TestDatabase = self.server.clone()
        standby.allow_replication(primary)
        run(lambda: self._reload(primary))

    @staticmethod
    async def _reload(server: Cluster) -> None:
        superuser = await asyncpg.connect(server.dsn())
        await superuser.execute("SELECT pg_reload_conf()")
        # What CREATE DATABASE copied of a sequence is not crash-safe before.
        await superuser.execute("CHECKPOINT")
        await superuser.close()

    @property
    def primary(self) -> Cluster:
        return self._places[self._active]

    def dsn(self, user: str = "postgres", port: int | None = None) -> str:
        """Beside all proxies, unless another port is given; also while the server is away."""
        secret = self.primary.secret(user)
        return f"postgresql://{user}:{secret}@{HOST}:{port or self._port}/{self.database.name}"

    def lead_there(self) -> None:
        """Tells the proxies where the primary is; those of the other place lead to nobody."""
        self._port = self.primary.port
        for number, fronts in enumerate(self.fronts):
            for front in fronts:
                front.target = (HOST, self._port) if number == self._active else NOBODY

    def kill(self) -> None:
        """SIGKILL to the first process; the others notice and end."""
        postmaster = self.primary.postmaster()
        if postmaster is not None:
            os.kill(postmaster.process.pid, signal.SIGKILL)

    async def start(self) -> None:
        """Again on the same data; one that runs goes on."""
        await asyncio.to_thread(self.primary.start)
        self.lead_there()

    async def begin_standby(self) -> None:
        """A copy of the primary that has all it acknowledges from now on; desks find it in recovery."""
        other = self._places[1 - self._active]
        await asyncio.to_thread(standby.follow, self.primary, other)
        superuser = await asyncpg.connect(self.dsn())
        try:
            await standby.wait_until_synchronous(superuser)
        finally:
            await superuser.close()
        for front in self.fronts[1 - self._active]:
            front.target = (HOST, other.port)

    async def fail_over(self) -> None:
        """The primary's machine is gone, the standby is promoted; where the primary was, nobody is."""
        gone, other = self.primary, self._places[1 - self._active]
        await asyncio.to_thread(standby.kill, gone)
        superuser = await asyncpg.connect(other.dsn())
        try:
            await standby.promote(superuser)
        finally:
            await superuser.close()
        self._active = 1 - self._active
        self.lead_there()
        await asyncio.to_thread(shutil.rmtree, gone.data)

    def close(self) -> None:
        """Stops and removes both."""
        for place in self._places[1:]:
            place.stop()
        self.server.close()
