"""Personal data leave the database only as files that go by themselves; the audit log as CSV."""

from __future__ import annotations

import asyncio
import csv
import json
import os
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.desk.audit import COLUMNS, harmless
from dpolg_tui.desk.events import DeskEvent, RecordChanged
from dpolg_tui.desk.personal_files import NotWritten, PersonalFiles
from dpolg_tui.domain.audit import AuditFilter
from dpolg_tui.domain.errors import NotAllowed, RecordMissing, RuleViolated
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Outcome, Status
from tests.databases import TestDatabase
from tests.desk.two import Two, until
from tests.tui.desk_app import TIMEOUT, config_for


@asynccontextmanager
async def _admin(database: TestDatabase, directory: Path) -> AsyncIterator[Desk]:
    config = config_for(database)
    desk = Desk(replace(config, desk=replace(config.desk, export_directory=directory)))
    desk.start()
    try:
        await desk.login("admin", database.users["admin"].password)
        yield desk
    finally:
        await asyncio.wait_for(desk.close(), TIMEOUT)


async def test_the_log_as_csv(database: TestDatabase, two: Two, tmp_path: Path) -> None:
    guest = two.house.huber
    await two.anna.guests.save(guest, {"city": Change("Ulm", '=HYPERLINK("http://x"); "Bonn"')})
    booking = await two.book()
    async with _admin(database, tmp_path / "new") as admin:
        path = await admin.audit.export_csv(AuditFilter(tables=("guests",), record_id=guest))
        raw = path.read_bytes()
        assert raw.startswith(b"\xef\xbb\xbf")
        assert raw.endswith(b"\r\n")
        head, *lines = csv.reader(raw.decode("utf-8-sig").splitlines(), delimiter=";")
        assert tuple(head) == COLUMNS
        assert lines[0][1:] == [
            "Anna Beispiel",
            lines[0][2],
            "Gast",
            "Huber, Anton",
            "Wohnort",
            "Ulm",
            '\'=HYPERLINK("http://x"); "Bonn"',
        ]
        # More entries than a page has: all of them, each once.
        await _many_entries(database, 2300)
        path = await admin.audit.export_csv(AuditFilter(tables=("rooms",), field="notes"))
        with path.open(encoding="utf-8-sig", newline="") as file:
            notes = [line[7] for line in csv.reader(file, delimiter=";")][1:]
        assert notes == [f"Notiz {number}" for number in range(2300, 0, -1)]
        assert [entry.booking_id for entry in await admin.audit.page(AuditFilter(record_id=booking))]
        with pytest.raises(NotAllowed):
            await two.anna.audit.export_csv(AuditFilter())
        await asyncio.to_thread(_only_whole_files, tmp_path / "new")


async def _many_entries(database: TestDatabase, number: int) -> None:
    from tests.sql.stage import connected

    async with connected(database.superuser_dsn) as superuser:
        await superuser.execute(
            "INSERT INTO app.audit_log (table_name, record_id, operation, old_data, new_data)"
            " SELECT 'rooms', 1, 'UPDATE', '{\"notes\": null}', jsonb_build_object('notes', 'Notiz ' || n)"
            f" FROM generate_series(1, {number}) n"
        )


def _only_whole_files(directory: Path) -> None:
    assert not list(directory.glob("*.part"))
    if sys.platform != "win32":
        assert {path.stat().st_mode & 0o777 for path in directory.iterdir()} == {0o600}
        assert directory.stat().st_mode & 0o777 == 0o700


def test_cells_that_would_be_formulas() -> None:
    for cell in ("=1+1", "+49 89", "-12,00 €", "@SUM(A1)", "\t=1", "  =1", "\r=1"):
        assert harmless(cell) == f"'{cell}"
    for cell in ("", "–", "Ulm", "1=1", "a@b.de"):
        assert harmless(cell) == cell


async def test_a_guest_in_two_files_and_gone(database: TestDatabase, two: Two, tmp_path: Path) -> None:
    guest = two.house.huber
    booking = await two.book()
    await two.ben_sees(booking)
    async with _admin(database, tmp_path) as admin:
        heard: list[DeskEvent] = []
        admin.subscribe(heard.append)
        as_json, as_text = await admin.personal_data.export(guest)
        assert (as_json.suffix, as_text.suffix) == (".json", ".txt")
        assert "huber" not in (as_json.name + as_text.name).lower()
        told = json.loads(as_json.read_text("utf-8"))
        assert told["guests"][0]["email"] == "anton@example.org"
        text = as_text.read_text("utf-8")
        for words in (
            "Nachname: Huber",
            "E-Mail: anton@example.org",
            "Zimmer: 2 [Wendelstein]",
            "Buchung angelegt",
        ):
            assert words in text
        await asyncio.to_thread(_only_whole_files_in_place, tmp_path)
        with pytest.raises(RuleViolated, match="nicht vorbei"):
            await admin.personal_data.anonymise(guest)
        await two.anna.bookings.save(
            booking,
            {
                "status": Change(Status.CONFIRMED, Status.CANCELLED),
                "cancellation_reason": Change(None, "krank"),
            },
        )
        await until(lambda: not admin.store.of_booking(booking))
        result = await admin.personal_data.anonymise(guest)
        assert (result.outcome, result.id) == (Outcome.DONE, guest)
        assert any(isinstance(event, RecordChanged) and event.own and event.id == guest for event in heard)
        assert (await two.ben.guests.get(guest)).last_name == "anonymisiert"
        await until(lambda: guest in [news.id for news in two.changes("guest") if news.action == "updated"])
        with pytest.raises(RecordMissing):
            await admin.personal_data.export(999_999)
    with pytest.raises(NotAllowed):
        await two.anna.personal_data.export(guest)


def _only_whole_files_in_place(directory: Path) -> None:
    assert sorted(path.suffix for path in directory.iterdir()) == [".json", ".txt"]


async def test_bars_show_it_at_once(database: TestDatabase, two: Two, tmp_path: Path) -> None:
    """A stay that is over is still on the chart."""
    guest, today = two.house.yilmaz, two.anna.today()
    booked = await two.anna.bookings.create(
        {
            "guest_id": guest,
            "persons": 1,
            "notes": "leise",
            "stay/new": {
                "room_id": two.house.single,
                "arrival": today - timedelta(4),
                "departure": today - timedelta(2),
            },
        }
    )
    assert booked.id is not None
    async with _admin(database, tmp_path) as admin:
        assert admin.store.of_booking(booked.id)[0].last_name.startswith("Y")
        await admin.guests.search("yilmaz", 10)
        await admin.guests.get(guest)
        await admin.bookings.get(booked.id)
        assert admin.known.guests("yilmaz", 10)
        await admin.personal_data.anonymise(guest)
        assert admin.known.guests("yilmaz", 10) == [], "nor is he found without a connection"
        assert admin.known.get("guest", guest) is None
        assert admin.known.get("booking", booked.id) is None
        assert admin.store.of_booking(booked.id)[0].last_name == "anonymisiert"
        await until(lambda: two.ben.store.of_booking(booked.id or 0)[0].last_name == "anonymisiert")
        await until(lambda: not two.ben.store.of_booking(booked.id or 0)[0].has_notes)


def test_files_go_after_their_term_and_others_stay(tmp_path: Path) -> None:
    files = PersonalFiles(tmp_path, days=7)
    for name in ("auskunft-gast-17", "protokoll"):
        with files.new(name, "txt") as (_path, file):
            file.write("x")
    young, old = sorted(tmp_path.iterdir())
    strangers = [tmp_path / name for name in ("Brief.txt", "dpolg.txt", "dpolg-x.docx")]
    for path in strangers:
        path.write_text("fremd")
    half = tmp_path / "dpolg-protokoll-1.csv.part"
    half.write_text("halb")
    for path, days in ((young, 6.9), (old, 7.1), (half, 1.1), *((path, 400) for path in strangers)):
        os.utime(path, (time.time() - days * 86400,) * 2)
    assert files.remove_expired() == 2
    assert set(tmp_path.iterdir()) == {young, *strangers}
    assert PersonalFiles(tmp_path / "none", days=7).remove_expired() == 0


def test_a_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    files = PersonalFiles(tmp_path / "here", days=7)
    with pytest.raises(ZeroDivisionError), files.new("protokoll", "csv") as (_path, file):
        file.write(str(1 / 0))
    assert not list((tmp_path / "here").iterdir())
    (tmp_path / "a-file").write_text("")
    with (
        pytest.raises(NotWritten, match="export_directory"),
        PersonalFiles(tmp_path / "a-file" / "x", 7).new("a", "txt"),
    ):
        pass


async def test_a_desk_removes_them_when_it_starts(database: TestDatabase, tmp_path: Path) -> None:
    old = tmp_path / "dpolg-auskunft-gast-1-1.json"
    old.write_text("{}")
    os.utime(old, (time.time() - 8 * 86400,) * 2)
    async with _admin(database, tmp_path):
        await until(lambda: not old.exists())
