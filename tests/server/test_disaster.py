"""The server is lost: a new one from a backup, by the commands of docs/backup.md, and the desks of before."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import pytest

from dpolg_tui import config
from dpolg_tui.desk import Desk
from dpolg_tui.desk.drafts import Draft
from dpolg_tui.desk.events import DeskEvent, SessionLost
from dpolg_tui.desk.offline import State
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Outcome, Role
from tests.desk.two import until
from tests.server import pages
from tests.server.house_server import PROGRAM, SETUP, HouseServer, require_debian_postgresql
from tests.tui.forms_house import book

pytestmark = pytest.mark.long

PASSWORD = "Enzian-Murmeltier-Gipfel-7"
DRAFT = Draft("guest", None, "Neuer Gast", {"last_name": "Getippt"}, id="typed")


@dataclass(frozen=True, slots=True)
class Kept:
    """What survives: the second place, and the directory that a desk got on its first day."""

    second_place: Path
    desk: Path

    @property
    def dump(self) -> Path:
        [dump] = self.second_place.glob("*.dump")
        return dump


Make = Callable[[str, int | None], HouseServer]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes machines, and removes what is left of them."""
    require_debian_postgresql()
    made: list[HouseServer] = []

    def make(name: str, port: int | None) -> HouseServer:
        server = HouseServer(tmp_path / name, f"dpolg{name}{os.getpid()}")
        server.folder.mkdir()
        server.port = port or server.port
        made.append(server)
        server.create()
        (server.folder / "backups").mkdir(mode=0o700)
        return server

    yield make
    for server in made:
        server.remove()


@pytest.fixture(autouse=True)
def _own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: tmp_path / "state")


@asynccontextmanager
async def opened(kept: Kept) -> AsyncIterator[Desk]:
    """A desk with the files it has always had."""
    desk = Desk(config.load(config.Arguments(kept.desk / "config.toml"), environment={}))
    desk.start()
    try:
        yield desk
    finally:
        await desk.close()


def keep(server: HouseServer, folder: Path) -> Kept:
    """As docs/server.md says: secrets and ca somewhere else, config.toml and ca.crt at each desk."""
    kept = Kept(folder / "second place", folder / "desk")
    kept.second_place.mkdir()
    for name in ("secrets", "ca"):
        shutil.copytree(server.etc / name, kept.second_place / name)
    shutil.copytree(server.etc / "desk", kept.desk)
    return kept


def back_up(server: HouseServer, kept: Kept) -> None:
    """What the timer does."""
    server_toml = server.etc / "server.toml"
    command = f"copy_command = \"cp -- {{file}} '{kept.second_place}'\"\n"
    server_toml.write_text(server_toml.read_text() + command)
    done = server.program("--config", str(server_toml), "backup", PGUSER="dpolg_backup")
    assert (done.returncode, done.stderr) == (0, "")


def blocks() -> list[str]:
    """The commands of the page, in their order: before, at and after the swap."""
    [swap] = pages.fenced(pages.section("backup.md", "Restoring"), "sql")
    lost = pages.section("backup.md", "After the loss of the server")
    [psql] = re.findall(r"`(cd / && sudo -u postgres psql [^`]*)`", lost)
    before, after = pages.fenced(lost)
    return [before, f"{psql} <<'SQL'\n{swap}SQL\n", after]


def follow(block: str, server: HouseServer, kept: Kept) -> None:
    """Runs a block of the page as root, with the paths and the port of this test."""
    backup = f"PGUSER=dpolg_backup {PROGRAM} --config {server.etc}/server.toml backup"
    ours = {
        "/etc/dpolg-tui": server.etc,
        "dpolg_backup_….dump": kept.dump.name,
        "sudo systemctl start dpolg-backup": backup,
        r"sudo server/setup\.sh .*": f"{SETUP} {' '.join(map(str, server.options))}",
        "host=/var/run/postgresql": rf"\g<0> port={server.port}",
        "sudo -u postgres": f"PGPORT={server.port} runuser -u postgres --",
        "sudo dpolg-tui": PROGRAM,
        "sudo ": "",
    }
    pages.as_root(pages.put(block, ours), kept.second_place)


async def begin(admin: Desk, server: HouseServer) -> None:
    """The first day: a house, and a colleague with a password of her own."""
    await admin.login("admin", (server.etc / "secrets" / "admin").read_text().strip())
    values = {"username": "anna", "full_name": "Anna Beispiel", "email": None, "role": Role.USER}
    _, first = await admin.people.create(values)
    async with opened(Kept(server.folder, server.etc / "desk")) as anna:
        await anna.login("anna", first)
        await anna.change_password(first, PASSWORD)


async def furnish(admin: Desk) -> tuple[list[int], int]:
    """Two rooms and a guest."""
    room: dict[str, object] = {
        "category": "DZ",
        "place": "Brannenburg",
        "building": "Haupthaus",
        "capacity": 2,
    }
    room |= dict.fromkeys(("price_low", "price_high", "final_cleaning_fee"), Decimal(30))
    made = [await admin.rooms.create({"name": f"{number} Zugspitze", **room}) for number in (1, 2)]
    huber = await admin.guests.create({"last_name": "Huber", "first_name": "Anton", "city": "Ulm"})
    return [one.id for one in made if one.id is not None], huber.id or 0


async def test_the_house_goes_on_without_its_server(make: Make, tmp_path: Path) -> None:
    first = make("a", None)
    first.setup()
    kept = keep(first, tmp_path)
    heard: list[DeskEvent] = []
    async with opened(kept) as admin:
        await begin(admin, first)
        rooms, huber = await furnish(admin)
        booking = await book(admin, huber, rooms[0], 0)
        back_up(first, kept)
        late = await admin.guests.create({"last_name": "Zu-Spät"})
        assert late.outcome is Outcome.DONE

        async with opened(kept) as anna:
            await anna.login("anna", PASSWORD)
            first.remove()
            shutil.rmtree(first.folder)
            await until(lambda: admin.outbox.must_queue and anna.outbox.must_queue, 30)
            guest = await anna.guests.create({"last_name": "Neumann"})
            assert guest.outcome is Outcome.QUEUED
            await book(anna, guest.id or 0, rooms[1], 10)
            anna.drafts.keep([DRAFT])
        changed = await admin.guests.save(huber, {"city": Change("Ulm", "Bonn")})
        assert changed.outcome is Outcome.QUEUED
        admin.subscribe(heard.append)

        second = make("b", first.port)
        before, swap, after = blocks()
        follow(before, second, kept)
        follow(swap, second, kept)
        follow(after, second, kept)

        await until(lambda: any(isinstance(event, SessionLost) for event in heard), 60)
        lost = next(event for event in heard if isinstance(event, SessionLost))
        assert "Die Datenbank wurde aus einer Sicherung wiederhergestellt" in lost.reason
        await admin.unlock((kept.second_place / "secrets" / "admin").read_text().strip())
        assert [one.state for one in admin.outbox.items] == [State.OLD]
        await until(lambda: admin.connection.phase == "connected", 30)
        assert (await admin.guests.get(huber)).city == "Ulm"
        assert (await admin.bookings.get(booking)).guest_id == huber
        assert await admin.guests.search("Zu-Spät", 5) == []
        admin.outbox.send_again(admin.outbox.items[0].request)
        await until(lambda: not admin.outbox.items, 20)
        assert (await admin.guests.get(huber)).city == "Bonn"

        async with opened(kept) as anna:
            await anna.login("anna", PASSWORD)
            assert anna.outbox.from_before_restore == 2
            assert [one.state for one in anna.outbox.items] == [State.OLD] * 2
            assert [(one.title, one.old) for one in anna.drafts.pending] == [(DRAFT.title, True)]
            for _ in range(2):
                left = len(anna.outbox.items)
                anna.outbox.send_again(anna.outbox.items[0].request)
                await until(lambda left=left: len(anna.outbox.items) < left, 20)  # type: ignore[misc]
            assert [one.name for one in await admin.guests.search("Neumann", 5)] == ["Neumann"]

    databases = second.sql("SELECT datname FROM pg_database WHERE datname LIKE 'dpolg%'", "postgres")
    assert databases == "dpolg_booking"
    assert len(list((second.folder / "backups").glob("*.dump"))) == 1
    assert "Alles war schon so: nichts geändert." in second.setup().stdout
