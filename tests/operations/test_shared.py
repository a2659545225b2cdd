"""A server shared by processes: it lives as long as somebody uses it, whatever happens to them."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import psutil
import pytest

from dpolg_tui.operations import processes, shared
from dpolg_tui.operations.binaries import find_embedded, find_system
from dpolg_tui.operations.embedded import Cluster, Options, wait_until
from dpolg_tui.operations.shared import Folder, InUse, SharedServer, temporary_directory, temporary_server
from tests.databases import fast_directory

FAST = Options(durable=False)
WATCHDOG_LIMIT = 15.0


class Holder:
    """A process of its own that uses the server."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.operations.holder", str(folder), *arguments],
            cwd=Path(__file__).parents[2],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.answer: dict[str, Any] = json.loads(self.process.stdout.readline())
        found = processes.find(self.answer["pid"])
        assert found is not None
        self.postmaster = found

    def end(self, number: signal.Signals) -> int:
        """Sends a signal and waits for the end."""
        self.process.send_signal(number)
        return self.process.wait(30)

    def close(self) -> None:
        """Makes sure that nothing stays."""
        self.process.kill()
        self.process.wait(10)
        if self.process.stdout is not None:
            self.process.stdout.close()


Start = Callable[..., Holder]


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a shared server; whatever a test leaves in it is ended and removed."""
    directory = temporary_directory(fast_directory())
    yield directory
    if directory.exists():
        folder = Folder(directory)
        watchdog = folder.watchdog()
        folder.forget()
        if watchdog is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(watchdog.pid, signal.SIGKILL)
        shutil.rmtree(directory)


@pytest.fixture
def start(folder: Path) -> Iterator[Start]:
    """Starts holders on the folder."""
    started: list[Holder] = []

    def begin(*arguments: str) -> Holder:
        started.append(Holder(folder, *arguments))
        return started[-1]

    yield begin
    for holder in started:
        holder.close()


def _watchdog(folder: Path) -> processes.Process:
    watchdog = Folder(folder).watchdog()
    assert watchdog is not None
    return watchdog


async def _ask(dsn: str) -> int:
    connection = await asyncpg.connect(dsn)
    try:
        answer: int = await connection.fetchval("SELECT 1")
        return answer
    finally:
        await connection.close()


async def test_second_joins_and_last_one_out_stops(folder: Path, start: Start) -> None:
    first, second = start(), start()
    watchdog = _watchdog(folder)
    assert (first.answer["created"], second.answer["created"]) == (True, False)
    assert first.postmaster == second.postmaster
    assert len(Folder(folder).holders()) == 2

    assert first.end(signal.SIGTERM) == 0
    assert await _ask(second.answer["dsn"]) == 1
    assert watchdog.lives()

    assert second.end(signal.SIGTERM) == 0
    assert not second.postmaster.lives()
    assert wait_until(lambda: not watchdog.lives(), 5)


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_signal_stops_the_server(folder: Path, start: Start, name: str) -> None:
    holder = start()
    assert holder.end(signal.Signals[name]) == 0
    assert not holder.postmaster.lives()
    assert Folder(folder).watchdog() is None
    assert Folder(folder).holders() == []


@pytest.mark.long
def test_killed_holder_is_cleaned_up_by_the_watchdog(folder: Path, start: Start) -> None:
    first, second = start(), start()
    watchdog = _watchdog(folder)
    for holder in (first, second):
        assert holder.end(signal.SIGKILL) == -signal.SIGKILL
    assert wait_until(lambda: not first.postmaster.lives(), WATCHDOG_LIMIT)
    assert wait_until(lambda: not watchdog.lives(), WATCHDOG_LIMIT)
    assert not list((folder / "holders").iterdir())

    again = start()
    assert again.answer["created"] is False
    assert again.end(signal.SIGTERM) == 0


def test_killed_temporary_server_leaves_nothing(folder: Path, start: Start) -> None:
    holder = start("--temporary")
    holder.end(signal.SIGKILL)
    assert wait_until(lambda: not folder.exists(), WATCHDOG_LIMIT)
    assert not Path(holder.answer["home"]).exists()
    assert not holder.postmaster.lives()


async def test_next_start_cleans_up_when_the_watchdog_was_killed_too(folder: Path, start: Start) -> None:
    lost = start()
    watchdog = _watchdog(folder)
    os.kill(watchdog.pid, signal.SIGKILL)
    assert wait_until(lambda: not watchdog.lives(), 5)
    lost.end(signal.SIGKILL)
    assert lost.postmaster.lives()

    async with SharedServer(folder, FAST) as server:
        assert await _ask(server.cluster.dsn()) == 1
        assert [each.pid for each in Folder(folder).holders()] == [os.getpid()]
        assert _watchdog(folder) != watchdog
    assert not lost.postmaster.lives()
    assert not _servers_on(server_data(folder))


@pytest.mark.long
async def test_next_start_works_after_everything_was_killed(folder: Path, start: Start) -> None:
    lost = start()
    killed = (_watchdog(folder), processes.Process(lost.process.pid, ""), lost.postmaster)
    for process in killed:
        os.kill(process.pid, signal.SIGKILL)
    assert wait_until(lambda: not any(process.lives() for process in killed), 5)
    async with SharedServer(folder, FAST) as server:
        assert not server.created
        assert await _ask(server.cluster.dsn()) == 1
    assert not _servers_on(server_data(folder))


async def test_several_uses_in_one_process(folder: Path) -> None:
    async with SharedServer(folder, FAST) as first:
        async with SharedServer(folder, FAST) as second:
            assert first.cluster.port == second.cluster.port
        assert await _ask(first.cluster.dsn()) == 1
        with pytest.raises(InUse):
            await asyncio.to_thread(shared.remove, folder)
    await asyncio.to_thread(shared.remove, folder)
    assert not server_data(folder).exists()


async def test_simultaneous_starts_make_one_server(folder: Path) -> None:
    servers = [SharedServer(folder, FAST) for _ in range(4)]
    await asyncio.gather(*(server.start() for server in servers))
    assert [server.created for server in servers].count(True) == 1
    assert len({server.cluster.port for server in servers}) == 1
    await asyncio.gather(*(server.close() for server in servers))
    assert not _servers_on(server_data(folder))


async def test_preparation_runs_once_and_again_after_a_failure(folder: Path) -> None:
    calls: list[str] = []

    async def fail(cluster: Cluster) -> None:
        calls.append("fail")
        connection = await asyncpg.connect(cluster.dsn())
        await connection.execute("CREATE TABLE half_done ()")
        await connection.close()
        raise RuntimeError("power cut")

    async def fill(cluster: Cluster) -> None:
        calls.append("fill")
        connection = await asyncpg.connect(cluster.dsn())
        await connection.execute("CREATE TABLE half_done ()")
        await connection.close()

    with pytest.raises(RuntimeError, match="power cut"):
        await SharedServer(folder, FAST, prepare=fail).start()
    assert not _servers_on(server_data(folder))
    for _ in range(2):
        async with SharedServer(folder, FAST, prepare=fill) as server:
            assert await _ask(server.cluster.dsn()) == 1
    assert calls == ["fail", "fill"]


@pytest.mark.parametrize("delay", [0.05, 0.6])
async def test_cancelled_start_leaves_no_server(folder: Path, delay: float) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(delay):
            await SharedServer(folder, FAST, prepare=lambda _: asyncio.sleep(60)).start()
    assert Folder(folder).holders() == []
    assert Folder(folder).watchdog() is None
    assert not _servers_on(server_data(folder))


async def test_data_of_another_version_keeps_its_programs(folder: Path) -> None:
    installed = find_system()
    if not installed:
        pytest.skip("no PostgreSQL >= 14 on this system: versions cannot be mixed")
    for programs in (installed[0], find_embedded()):
        async with SharedServer(folder, FAST, binaries=programs) as server:
            assert server.cluster.binaries.major == installed[0].major


async def test_temporary_server_is_gone_afterwards() -> None:
    async with temporary_server(FAST) as cluster:
        assert await _ask(cluster.dsn()) == 1
        home = cluster.home
    assert not home.exists()
    assert not home.parent.exists()


def server_data(folder: Path) -> Path:
    """Where the server of a folder keeps its data."""
    return folder / "server" / "data"


def _servers_on(data: Path) -> list[int]:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if str(data) in (process.info["cmdline"] or []):
            found.append(process.pid)
    return found
