"""The log file: nothing secret or personal in it, error ids, slow actions, several desks."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dpolg_tui import log
from dpolg_tui.settings import LogSettings

TOKEN_HEX = "0123456789abcdef" * 4
TOKEN_BASE64 = "Ab3dEfGhIjKlMnOpQrStUvWxYz0123456789-_abcde"


@pytest.fixture
def file(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "state" / "log" / "dpolg-tui.log"
    assert log.setup(LogSettings(level="INFO", file=path, slow_action_ms=200)) is None
    yield path
    log.shutdown()


class PostgresError(Exception):
    """As asyncpg's: detail and hint come with ``str``."""

    sqlstate = "23505"
    constraint_name = "guests_email_key"

    def __str__(self) -> str:
        return f"{self.args[0]}\nDETAIL:  Key (email)=(erika@example.org) already exists.\nHINT:  none"


def test_a_write_is_one_line(file: Path) -> None:
    log.write_done("Booking", "erstellt", 118)
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO dpolg_tui: Booking erstellt: 118\n",
        file.read_text("utf-8"),
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_only_its_user_reads_it(file: Path) -> None:
    log.write_done("Booking", "erstellt", 1)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_nothing_reaches_the_terminal(file: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger("asyncpg").warning("from the driver")
    logging.getLogger("some.library").error("from a library")
    logging.getLogger("dpolg_tui.db").info("ours")
    assert log._handler is not None
    log._handler.handle(logging.makeLogRecord({"msg": "%d", "args": ("no number",)}))
    assert capfd.readouterr() == ("", "")
    text = file.read_text("utf-8")
    assert "from the driver" in text
    assert "from a library" in text
    assert "ours" in text


def test_level_is_a_setting(tmp_path: Path) -> None:
    path = tmp_path / "log"
    log.setup(LogSettings(level="WARNING", file=path))
    try:
        log.write_done("Booking", "erstellt", 1)
        logging.getLogger("asyncpg").info("x")
        assert path.read_text("utf-8") == ""
    finally:
        log.shutdown()


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    try:
        warning = log.setup(LogSettings(file=tmp_path / "file" / "log"))
        assert warning is not None
        assert "lässt sich nicht schreiben" in warning
        log.write_done("Booking", "erstellt", 1)
    finally:
        log.shutdown()


@pytest.mark.parametrize(
    "text",
    [
        "password=geheim",
        "connect host=h password='ge heim geheim' user=u",
        '{"password": "geheim", "user": "u"}',
        "Passwort: geheim",
        "PGPASSWORD=geheim psql",
        "postgresql://user:geheim@h/db",
        "postgresql://user:pa@geheim@h/db",
        "server_settings={'app.session_token': 'geheim'}",
        "SET app.session_token = 'geheim'",
        "token=b'\\x00geheim'",
        "key_code = geheim",
        "p.password='geheim'",
    ],
)
def test_secrets_are_taken_out(text: str, file: Path) -> None:
    logging.getLogger("dpolg_tui").warning("before %s", text)
    try:
        raise RuntimeError(text)
    except RuntimeError as error:
        log.log_defect(error)
    written = file.read_text("utf-8")
    # The source line of this test in the traceback is not the value.
    assert "geheim" not in written
    assert "before" in written
    assert "********" in written


@pytest.mark.parametrize("token", [TOKEN_HEX, TOKEN_BASE64])
def test_tokens_without_a_name_are_taken_out(token: str) -> None:
    assert token not in log.redact(f"sent {token} to the server")
    assert log.redact(f"x{token[:20]} stays") == f"x{token[:20]} stays"


@pytest.mark.parametrize(
    "text",
    [
        "Langsame Aktion Buchung speichern: 312 ms, 2 Umläufe",
        "Booking erstellt: 118",
        "app.save_booking: idx_bookings_dates",
        "/home/user/.local/share/dpolg-tui/demo/postgresql.conf",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert log.redact(text) == text


def test_error_ids() -> None:
    ids = {log.error_id() for _ in range(50)}
    assert len(ids) == 50
    assert all(re.fullmatch("E-[0-9A-F]{6}", identifier) for identifier in ids)


def test_a_defect_has_frames_but_no_values_and_no_detail(file: Path) -> None:
    def save(guest: str) -> None:
        try:
            raise PostgresError(f"duplicate key value ({len(guest)})")
        except PostgresError as error:
            raise ValueError("first line\nsecond line with Erika") from error

    try:
        save("Erika Mustermann")
    except ValueError as error:
        identifier = log.log_defect(error)
    text = file.read_text("utf-8")
    assert f"Unerwarteter Fehler {identifier}" in text
    assert "in save" in text
    assert "ValueError: first line\n" in text
    assert "PostgresError [23505, guests_email_key]: duplicate key value (16)" in text
    assert "Ausgelöst durch:" in text
    for personal in ("erika@example.org", "Mustermann", "DETAIL", "second line with Erika\n"):
        assert personal not in text.replace('"first line\\nsecond line with Erika"', "").replace(
            'save("Erika Mustermann")', ""
        )


@pytest.mark.parametrize(
    ("error", "kept"),
    [
        (KeyError("Mustermann"), "KeyError: "),
        (ValueError("time data 'Mustermann' does not match format"), "does not match format"),
        (ValueError('invalid input syntax for type integer: "erika mustermann"'), "type integer"),
        (ValueError("„Mustermann“ ist kein Datum"), "ist kein Datum"),
        (LookupError("no nodes match '#guest-list' here"), "'#guest-list'"),
        (KeyError("room_id"), "'room_id'"),
    ],
)
def test_what_the_text_of_an_error_quotes_is_taken_out(error: Exception, kept: str, file: Path) -> None:
    log.log_defect(error)
    text = file.read_text("utf-8")
    assert kept in text
    assert "mustermann" not in text.lower()


def test_what_libraries_quote_is_taken_out(file: Path) -> None:
    logging.getLogger("asyncio").error("Task exception\nfuture: <Task exception=ValueError(Mustermann)>")
    logging.getLogger("asyncpg.pool").warning("no value 'Mustermann' in \"room_id\"")
    text = file.read_text("utf-8")
    assert "Task exception" in text
    assert 'in "room_id"' in text
    assert "Mustermann" not in text


def test_detail_lines_of_messages_are_taken_out(file: Path) -> None:
    logging.getLogger("asyncpg").error(
        "could not insert\nDETAIL:  Failing row contains (1, Erika\nMustermann).\nHINT:  try again"
    )
    text = file.read_text("utf-8")
    assert "could not insert" in text
    assert "try again" in text
    assert "Erika" not in text
    assert "Mustermann" not in text


def test_typed_line_breaks_and_control_characters_stay_in_their_line(file: Path) -> None:
    logging.getLogger("dpolg_tui").info("name %s", "a\n2026-01-01 INFO dpolg_tui: forged\x1b[31m")
    text = file.read_text("utf-8")
    assert text.count("\n") == 1
    assert "a\\n2026" in text
    assert "\x1b" not in text


async def test_a_group_of_errors_is_written_whole(file: Path) -> None:
    async def fail() -> None:
        raise KeyError("x")

    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(fail())
    except ExceptionGroup as error:
        log.log_defect(error)
    text = await asyncio.to_thread(file.read_text, "utf-8")
    assert "darin: " in text
    assert "KeyError: " in text


async def test_an_action_counts_round_trips_of_its_tasks_and_threads(file: Path) -> None:
    async def task() -> None:
        log.count_round_trips()

    with log.action("Buchung öffnen") as outer:
        log.count_round_trips()
        with log.action("innen") as inner:
            await asyncio.gather(task(), asyncio.create_task(task()))
            await asyncio.to_thread(log.count_round_trips, 2)
    log.count_round_trips()
    assert (inner.round_trips, outer.round_trips) == (4, 5)
    assert 0 < inner.milliseconds <= outer.milliseconds < 200
    assert await asyncio.to_thread(file.read_text, "utf-8") == ""


def test_a_slow_action_warns(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "log"
    log.setup(LogSettings(file=path, slow_action_ms=200))
    moments = iter((1.0, 1.312, 2.0, 2.201))
    monkeypatch.setattr(log.time, "perf_counter", lambda: next(moments))
    try:
        with log.action("Buchung speichern"):
            log.count_round_trips(2)
        with contextlib.suppress(KeyError), log.action("Suche"):
            log.count_round_trips()
            raise KeyError
    finally:
        log.shutdown()
    lines = path.read_text("utf-8").splitlines()
    assert lines[0].endswith("WARNING dpolg_tui: Langsame Aktion Buchung speichern: 312 ms, 2 Umläufe")
    assert lines[1].endswith("WARNING dpolg_tui: Langsame Aktion Suche: 201 ms, 1 Umlauf")


def test_it_rotates_and_a_second_desk_follows(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "MAX_BYTES", 2000)
    log.setup(LogSettings(file=file))
    other = log._LogFile(file)
    other.setFormatter(logging.Formatter("%(message)s"))
    for number in range(200):
        log.write_done("Booking", "erstellt", number)
        other.handle(logging.makeLogRecord({"msg": f"other {number}"}))
    other.close()
    files = sorted(file.parent.iterdir())
    assert [path.name for path in files] == ["dpolg-tui.log", *(f"dpolg-tui.log.{n}" for n in range(1, 5))]
    assert all(path.stat().st_size <= 2000 for path in files)
    newest = "".join(path.read_text("utf-8") for path in files)
    assert "Booking erstellt: 199" in newest
    assert "other 199" in newest
    kept = [int(number) for number in re.findall(r"Booking erstellt: (\d+)", newest)]
    assert sorted(kept) == list(range(min(kept), 200))


def test_a_removed_file_is_made_anew(file: Path) -> None:
    log.write_done("Booking", "erstellt", 1)
    if sys.platform == "win32":
        pytest.skip("Windows does not remove an open file")
    file.unlink()
    log.write_done("Booking", "erstellt", 2)
    assert "erstellt: 2" in file.read_text("utf-8")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_stops_nobody_and_reaches_no_terminal(capfd: pytest.CaptureFixture[str]) -> None:
    assert log.setup(LogSettings(file=Path("/dev/full"))) is None
    for _ in range(200):
        log.LOGGER.error("more than a buffer holds %s", "x" * 100)
    log.shutdown()
    assert not log.is_set_up()
    assert capfd.readouterr() == ("", "")


def test_a_place_that_is_lost_stops_nobody(file: Path) -> None:
    log.LOGGER.error("one")
    file.rename(file.with_suffix(".away"))
    file.mkdir()  # so that no file can be made there
    log.LOGGER.error("two")
    file.rmdir()
    log.LOGGER.error("three")
    assert "three" in file.read_text()
