"""A full disk at any moment, on the server or here: the target is as it was, and the next run works."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dpolg_tui.operations.embedded import Options
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from tests.databases import Server, TestDatabase, run
from tests.legacy.full_disk import Disk, small_disk
from tests.legacy.migration import execute, migrate, start, state, value
from tests.legacy.test_crash import check, reach
from tools.make_legacy_sqlite import LATE, build

MB = 1024**2
PLENTY = 1024 * MB
PHASES = ("Einlesen …", "Vergleichen …", "Zuordnen …", "Vermerken …", "Prüfen …")
SETTINGS = {"min_wal_size": "32MB", "max_wal_size": "512MB", "shared_buffers": "16MB"}
FULL = (
    "dpolg-tui: Die Festplatte des Servers ist voll: bitte dort Platz schaffen und noch einmal aufrufen. "
    "Am Ziel wurde nichts verändert."
)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "alt.sqlite"
    return build(path, LATE, guests=2500, bookings=2500, defects={"overlap": 0.02}, log_rows=2500).path


@dataclass(frozen=True, slots=True)
class Cramped:
    """A server whose data and whose log of changes lie on a small disk each."""

    server: Server
    data: Disk
    wal: Disk

    def clone(self) -> TestDatabase:
        database = self.server.clone()
        self.server.execute("CHECKPOINT")
        return database

    def enlarge(self) -> None:
        """Gives it room again; it starts if it had to stop."""
        for disk in (self.data, self.wal):
            disk.resize(PLENTY)
        self.server.cluster.start()

    def use_up_wal(self, database: TestDatabase) -> None:
        """Leaves no file of the log that was made in advance: the next one has to be new."""
        while True:
            current = value(database, "SELECT pg_walfile_name(pg_current_wal_lsn())")
            if max(path.name for path in self.wal.path.glob("wal/" + "[0-9A-F]" * 24)) <= current:
                return
            execute(
                database,
                "CREATE TABLE public.filler ()",
                "DROP TABLE public.filler",
                "SELECT pg_switch_wal()",
            )


@pytest.fixture(scope="module")
def cramped() -> Iterator[Cramped]:
    folder = temporary_directory()
    try:
        with small_disk(folder / "data", PLENTY) as data, small_disk(folder / "wal", PLENTY) as wal:
            shared = SharedServer(temporary_directory(data.path), Options(settings=SETTINGS), temporary=True)
            run(shared.start)
            server = Server("embedded", shared)
            try:
                move_wal(server, wal)
                yield Cramped(server, data, wal)
            finally:
                server.close()
    finally:
        shutil.rmtree(folder)


def move_wal(server: Server, disk: Disk) -> None:
    """The log of changes gets its own disk, as on a well-kept server."""
    cluster = server.cluster
    cluster.stop()
    wal = cluster.data / "pg_wal"
    subprocess.run(["cp", "-a", wal, disk.path / "wal"], check=True)
    shutil.rmtree(wal)
    wal.symlink_to(disk.path / "wal")
    cluster.start()


def fill_at(
    cramped: Cramped, moment: str, spare: int, file: Path, tmp_path: Path
) -> tuple[TestDatabase, dict[str, str], int, list[str]]:
    """Runs the command on a disk that has only ``spare`` bytes left from a moment on."""
    database = cramped.clone()
    before = state(database)
    with start(database, file, tmp_path / "run", "--no-backup") as call:
        reach(call, moment)
        cramped.data.leave(spare)
        output, _ = call.communicate(timeout=240)
    cramped.enlarge()
    return database, before, call.returncode, output.strip().splitlines()


@pytest.mark.long
@pytest.mark.parametrize("moment", ["Einlesen …", "Zuordnen …"])
def test_the_servers_disk_is_full(moment: str, cramped: Cramped, file: Path, tmp_path: Path) -> None:
    database, before, code, said = fill_at(cramped, moment, 0, file, tmp_path)
    assert (code, said[-1]) == (1, FULL)
    assert state(database) == before
    check(database, before, file, tmp_path)
    cramped.server.drop(database)


@pytest.mark.long
def test_no_room_for_the_servers_log_of_changes(cramped: Cramped, file: Path, tmp_path: Path) -> None:
    database = cramped.clone()
    cramped.use_up_wal(database)
    before = state(database)
    with start(database, file, tmp_path / "run", "--no-backup") as call:
        reach(call, "Einlesen …")
        cramped.wal.leave(0)
        output, _ = call.communicate(timeout=240)
    said = output.strip().splitlines()
    assert "PANIC" in cramped.server.cluster.log_file.read_text()
    assert call.returncode == 3, output
    assert "nichts verändert" in said[-1]
    assert "Traceback" not in output
    cramped.enlarge()
    assert state(database) == before
    check(database, before, file, tmp_path)
    cramped.server.drop(database)


@pytest.mark.long
@pytest.mark.parametrize("spare", [65_536, 2 * MB, 6 * MB])
@pytest.mark.parametrize("moment", PHASES)
def test_full_in_every_phase(moment: str, spare: int, cramped: Cramped, file: Path, tmp_path: Path) -> None:
    database, before, code, said = fill_at(cramped, moment, spare, file, tmp_path)
    if code == 0:
        assert state(database) != before  # the rest of the disk was enough
    else:
        assert (code, said[-1]) == (1, FULL)
        assert state(database) == before
    check(database, before, file, tmp_path)
    cramped.server.drop(database)


@pytest.mark.long
@pytest.mark.parametrize("number", range(12))
def test_a_disk_of_any_size(number: int, cramped: Cramped, file: Path, tmp_path: Path) -> None:
    """From the start too small: by the size it is decided what runs out, and when."""
    database = cramped.clone()
    cramped.use_up_wal(database)
    before = state(database)
    chance = random.Random(number)
    cramped.data.leave(chance.randrange(60 * MB))
    cramped.wal.leave(chance.randrange(60 * MB))
    with start(database, file, tmp_path / "run", "--no-backup") as call:
        output, _ = call.communicate(timeout=240)
    cramped.enlarge()
    assert "Traceback" not in output
    if call.returncode != 0:
        assert "nichts verändert" in output.strip().splitlines()[-1]
        assert state(database) == before
    check(database, before, file, tmp_path)
    cramped.server.drop(database)


def test_no_room_here(database: TestDatabase, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither for the copy, nor for the backup of the target, nor for what is written at the end."""
    file = build(tmp_path / "alt.sqlite", LATE, guests=300, bookings=300).path
    with small_disk(tmp_path / "disk", 64 * MB) as disk:
        before = state(database)
        disk.leave(file.stat().st_size // 2)
        result = migrate(database, file, disk.path, capsys=capsys)
        assert (result.code, result.err.strip().splitlines()[-1]) == (
            1,
            "dpolg-tui: Die Kopie der alten Datei ließ sich nicht schreiben: bitte freien Platz und "
            "Zugriffsrechte prüfen.",
        )
        assert state(database) == before
        # A copy fits, but no report.
        paths = [disk.path / name for name in ("bericht.json", "protokoll.html")]
        flags = ["--report", str(paths[0]), "--protocol", str(paths[1])]
        disk.leave(0)
        for more, told in (
            (["--dry-run"], "am Ziel wurde nichts verändert."),
            ([], "die Daten sind übernommen, der Bericht steht auch in legacy.runs."),
        ):
            result = migrate(database, file, tmp_path / "run", *flags, *more, capsys=capsys)
            reasons = "; ".join(f"{path} lässt sich nicht schreiben (kein Platz mehr)" for path in paths)
            assert (result.code, result.err.strip().splitlines()[-1]) == (1, f"dpolg-tui: {reasons}; {told}")
        assert not list(disk.path.glob(".*"))
        assert not any(path.exists() for path in paths)
        # The copy fits, the backup of a target that holds something does not.
        before = state(database)
        disk.leave(file.stat().st_size + 50_000)
        result = migrate(database, file, disk.path, capsys=capsys)
        folder = disk.path / "backups"
        assert (result.code, result.err.strip().splitlines()[-1]) == (
            1,
            f"dpolg-tui: Die Sicherung nach {folder} ist nicht möglich (kein Platz mehr): "
            "bitte Platz schaffen oder mit --backup-dir einen anderen Ordner nennen.",
        )
        assert list(folder.iterdir()) == []
        assert state(database) == before
        disk.resize(64 * MB)
        assert migrate(database, file, disk.path).code == 0
