"""The emergency list: the next days, only what may be told of guests, in a file that goes by itself."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dpolg_tui import cli
from dpolg_tui.db.emergency import for_desk, for_owner
from dpolg_tui.desk import Desk
from dpolg_tui.desk.emergency import newest
from dpolg_tui.desk.emergency_list import EmergencyFiles
from dpolg_tui.desk.events import DeskEvent, EmergencyListFailed
from dpolg_tui.desk.personal_files import NotWritten
from dpolg_tui.domain import emergency
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.german import format_date
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind, Outcome
from dpolg_tui.settings import DeskSettings
from tests.databases import TestDatabase
from tests.desk.two import Two, until
from tests.sql.stage import connected
from tests.tui.desk_app import TIMEOUT, config_for, running


async def _furnish(two: Two) -> dict[str, int]:
    """One who arrives today, one in the house for two days, a block, one without a room."""
    house, day = two.house, two.day
    bookings = {"arriving": await two.book(0, 3)}
    for name, guest, room, first, last in (
        ("inside", house.huber, house.single, -2, 1),
        ("later", house.yilmaz, None, 6, 9),
    ):
        stay = {"room_id": room, "arrival": day(first), "departure": day(last)}
        done = await two.anna.bookings.create({"guest_id": guest, "persons": 1, "stay/new": stay})
        assert done.id is not None
        bookings[name] = done.id
    done = await two.anna.blocks.create(house.single, day(2), day(4), Kind.OUT_OF_ORDER, "Wasserschaden")
    assert done.outcome is Outcome.DONE
    return bookings


def _sections(page: str) -> dict[str, list[str]]:
    """The lines under each heading of a page."""
    found: dict[str, list[str]] = {}
    for line in page.splitlines():
        if heading := re.fullmatch(r"(\w[\w ]+) \((\d+)\)", line):
            lines = found.setdefault(heading[1], [])
        elif line.startswith("  ") and found and line.strip() != "–":
            lines.append(line)
    return found


def _pages(house: emergency.Emergency, personal_data: emergency.PersonalData = "names") -> list[str]:
    return emergency.text(house, personal_data).split(emergency.PAGE_BREAK)


async def test_seven_days_as_the_database_has_them(two: Two, database: TestDatabase) -> None:
    ids, day = await _furnish(two), two.day
    await two.anna.bookings.check_in(ids["inside"])
    await two.anna.bookings.save(ids["inside"], {"cleaning_date": Change(None, day(3))})
    # He should have left long ago, which nobody may forget.
    async with connected(database.superuser_dsn) as superuser:
        await superuser.execute(
            "WITH b AS (INSERT INTO app.bookings (number, guest_id, status) VALUES ('ALT-1', $1,"
            " 'eingecheckt') RETURNING id) INSERT INTO app.occupancies"
            " (room_id, arrival, departure, booking_id) SELECT $2, $3, $4, b.id FROM b",
            two.house.yilmaz,
            two.house.double,
            day(-9),
            day(-5),
        )
    house = await for_desk(two.ben.database)
    assert (house.first, house.last) == (day(0), day(7))
    pages = _pages(house)
    assert len(pages) == 7
    assert all(len(line) <= emergency.WIDTH for page in pages for line in page.splitlines())
    for offset, page in enumerate(pages):
        assert format_date(day(offset)) in page.splitlines()[1]
        assert "Stand " in page.splitlines()[0]
    names = [
        {
            heading: [re.search(r"Huber|Yılmaz|Wasser|eilig|Abreise|Person|P\.", line)[0] for line in lines]
            for heading, lines in _sections(page).items()
        }
        for page in pages
    ]
    nothing = {"Anreisen": [], "Abreisen": [], "Im Haus": [], "Sperren": [], "Reinigung": []}
    assert names[0] == nothing | {"Anreisen": ["Huber"], "Im Haus": ["Huber", "Yılmaz"]}
    assert names[1] == nothing | {"Abreisen": ["Huber"], "Im Haus": ["Huber"]}
    assert names[2] == nothing | {"Im Haus": ["Huber"], "Sperren": ["Wasser"]}
    # Left on day 1 and cleaned on day 3; the other room on the day of departure.
    assert names[3] == nothing | {"Abreisen": ["Huber"], "Sperren": ["Wasser"], "Reinigung": ["P.", "P."]}
    assert names[6] == nothing | {"Anreisen": ["Yılmaz"]}
    assert "ohne Zimmer" in pages[6]
    assert "Über Nacht belegt: 2 Zimmer, 4 Personen." in pages[0]
    # The owner's timer sees the same.
    assert replace(await for_owner(database.owner_dsn), made_at=house.made_at) == house


async def test_what_it_says_of_guests(two: Two) -> None:
    await _furnish(two)
    house = await for_desk(two.anna.database)
    number = next(one.number for one in house.taken if one.is_stay and one.arrival == two.day(0))
    for personal_data, there, not_there in (
        ("names", ("Huber, Anton", number, "Wasserschaden"), ()),
        ("initials", ("A. H.", number), ("Huber", "Anton", "Wasserschaden")),
        ("none", (number, "2 P."), ("Huber", "A. H.", "Wasserschaden")),
    ):
        written = "".join(_pages(house, personal_data))  # type: ignore[arg-type]
        assert all(words in written for words in there), personal_data
        assert not any(words in written for words in not_there), personal_data


@asynccontextmanager
async def _desk(database: TestDatabase, settings: DeskSettings) -> AsyncIterator[Desk]:
    desk = Desk(replace(config_for(database), desk=settings))
    desk.start()
    try:
        yield desk
    finally:
        await asyncio.wait_for(desk.close(), TIMEOUT)


async def test_written_by_itself_and_on_demand(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpolg_tui.desk.emergency_list.LOOK_PAUSE", 0.02)
    directory = tmp_path / "lists"
    user = database.users["anna"]
    settings = DeskSettings(emergency_directory=directory)
    async with _desk(database, settings) as desk:
        await asyncio.sleep(0.1)
        assert newest(directory) is None, "nobody is signed in"
        await desk.login(user.username, user.password)
        await until(lambda: newest(directory))
        first = newest(directory)
        assert first is not None
        assert "NOTFALLLISTE" in first.read()
        if sys.platform != "win32":
            assert first.path.stat().st_mode & 0o777 == 0o600
        paper = first.path.with_suffix(".pdf")
        await until(paper.exists)
        assert paper.read_bytes().startswith(b"%PDF-")
        if sys.platform != "win32":
            assert paper.stat().st_mode & 0o777 == 0o600
        # Old ones go with the next, which is due after an hour; what others keep there stays.
        old, foreign = directory / "notfall-20200101-0000.txt", directory / "notizen.txt"
        old_paper, foreign_paper = old.with_suffix(".pdf"), foreign.with_suffix(".pdf")
        for path in (old, old_paper, foreign, foreign_paper):
            path.write_text("alt", "utf-8")
            os.utime(path, (0, 0))
        hours_ago = first.at.timestamp() - 7200
        os.utime(first.path, (hours_ago, hours_ago))
        await until(lambda: not old.exists() and not old_paper.exists())
        assert foreign.exists()
        assert foreign_paper.exists()
        assert {path.suffix for path in directory.iterdir()} == {".txt", ".pdf"}, (
            "no half-written file is left"
        )
    async with _desk(database, replace(settings, emergency_directory=None)) as desk:
        await desk.login(user.username, user.password)
        with pytest.raises(InvalidInput, match="emergency_directory"):
            await desk.emergency.write()


async def test_a_directory_that_refuses_is_told_once(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dpolg_tui.desk.emergency_list.LOOK_PAUSE", 0.02)
    (tmp_path / "file").write_text("", "utf-8")
    user = database.users["anna"]
    heard: list[DeskEvent] = []
    async with _desk(database, DeskSettings(emergency_directory=tmp_path / "file" / "x")) as desk:
        desk.subscribe(heard.append)
        await desk.login(user.username, user.password)
        with pytest.raises(NotWritten, match="emergency_directory"):
            await desk.emergency.write()
        await until(lambda: any(isinstance(event, EmergencyListFailed) for event in heard))
        await asyncio.sleep(0.2)
    assert sum(isinstance(event, EmergencyListFailed) for event in heard) == 1


async def test_a_defect_of_the_pdf_does_not_stop_the_lists(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bytes:
        raise ValueError("a defect")

    monkeypatch.setattr("dpolg_tui.desk.emergency_list.LOOK_PAUSE", 0.02)
    monkeypatch.setattr("dpolg_tui.documents.emergency_list.pdf", broken)
    user = database.users["anna"]
    async with _desk(database, DeskSettings(emergency_directory=tmp_path)) as desk:
        await desk.login(user.username, user.password)
        await until(lambda: newest(tmp_path))
        first = newest(tmp_path)
        assert first is not None
        hours_ago = first.at.timestamp() - 7200
        os.utime(first.path, (hours_ago, hours_ago))
        await until(lambda: newest(tmp_path) != first and not EmergencyFiles(tmp_path, DeskSettings()).due)


async def test_the_palette_writes_it(database: TestDatabase, tmp_path: Path) -> None:
    user = database.users["anna"]
    async with running(
        replace(config_for(database), desk=DeskSettings(emergency_directory=tmp_path))
    ) as desk:
        await desk.sign_in(user.username, user.password)
        await desk.pilot.press("ctrl+p")
        await desk.pilot.press(*"notfall")
        await desk.sees("Notfallliste schreiben")
        await desk.pilot.press("enter")
        await desk.sees("Notfallliste geschrieben")
        written = newest(tmp_path)
        assert written is not None
        await desk.sees(f"{written.path.stem}.pdf")


def test_the_verb(
    database: TestDatabase,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    directory = tmp_path / "lists"
    call = ["--dsn", database.owner_dsn, "emergency-list"]
    assert cli.main([*call, "--directory", str(directory)]) == 0
    written = newest(directory)
    assert written is not None
    paper = written.path.with_suffix(".pdf")
    assert capsys.readouterr().out == f"Notfallliste: {written.path} und {paper.name}\n"
    assert paper.exists()
    assert written.read().count("NOTFALLLISTE") == 7
    assert cli.main(call) == 2
    assert "--directory" in capsys.readouterr().err
    assert cli.main(["--dsn", database.dsn, "emergency-list", "--directory", str(directory)]) == 2


def test_without_the_extra_the_text_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    day = date(2026, 11, 21)
    house = emergency.Emergency(datetime(2026, 11, 21, 8, tzinfo=UTC), day, day + timedelta(7), ())
    monkeypatch.setitem(sys.modules, "reportlab", None)
    written = EmergencyFiles(tmp_path, DeskSettings()).write(house)
    assert written.pdf is None
    assert list(tmp_path.iterdir()) == [written.text]


def test_a_pdf_that_cannot_be_written_leaves_the_text(tmp_path: Path) -> None:
    day = date(2026, 11, 21)
    house = emergency.Emergency(datetime(2026, 11, 21, 8, tzinfo=UTC), day, day + timedelta(7), ())
    paper = tmp_path / "notfall-20261121-0900.pdf"
    paper.mkdir()  # where the PDF is to stand
    with pytest.raises(NotWritten, match="emergency_directory"):
        EmergencyFiles(tmp_path, DeskSettings()).write(house)
    assert sorted(path.name for path in tmp_path.iterdir()) == [paper.name, "notfall-20261121-0900.txt"]


def test_half_written_ones_do_not_show(tmp_path: Path) -> None:
    files = EmergencyFiles(tmp_path, DeskSettings())
    with files.writing(tmp_path / "notfall-20300101-0000.txt") as file:
        file.write("halb")
        assert newest(tmp_path) is None
    assert [path.name for path in tmp_path.iterdir()] == ["notfall-20300101-0000.txt"]
