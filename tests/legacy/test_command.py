"""The verb: what it refuses, in one sentence, with which exit code; and that nothing was written then."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from types import SimpleNamespace

import pytest

from dpolg_tui import cli
from dpolg_tui.legacy import backup
from dpolg_tui.legacy.errors import NoBackup
from tests.databases import TestDatabase
from tests.legacy.files import make
from tests.legacy.migration import execute, migrate, query, state, value

Capsys = pytest.CaptureFixture[str]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A tiny house."""
    return make(tmp_path / "alt.sqlite")


def complaint(err: str) -> str:
    """The one line that the command says, besides the warning about a password in the DSN."""
    lines = [line for line in err.splitlines() if not line.startswith("Warnung: ")]
    assert len(lines) == 1, err
    assert lines[0].startswith("dpolg-tui: ")
    return lines[0].removeprefix("dpolg-tui: ")


BAD_FILES = {
    "empty": b"",
    "text": b"Das ist keine Datenbank, nur ein Text.\n" * 100,
    "encrypted": bytes((number * 7919 + 13) % 256 for number in range(8192)),
}


@pytest.mark.parametrize("kind", BAD_FILES)
def test_what_is_no_sqlite_file_is_one_sentence(
    kind: str, database: TestDatabase, tmp_path: Path, capsys: Capsys
) -> None:
    path = tmp_path / "alt.sqlite"
    path.write_bytes(BAD_FILES[kind])
    before = state(database)
    result = migrate(database, path, tmp_path / "run", capsys=capsys)
    assert result.code == 1
    assert "alt.sqlite" in complaint(result.err)
    assert state(database) == before
    assert not list((tmp_path / "run" / "backups").iterdir())


def test_a_truncated_file_is_one_sentence(
    database: TestDatabase, tmp_path: Path, file: Path, capsys: Capsys
) -> None:
    file.write_bytes(file.read_bytes()[:-4096])
    before = state(database)
    result = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert result.code == 1
    assert "alt.sqlite" in complaint(result.err)
    assert state(database) == before


def test_a_file_without_the_core_tables(database: TestDatabase, tmp_path: Path, capsys: Capsys) -> None:
    path = tmp_path / "alt.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE guests (id INTEGER PRIMARY KEY)")
    connection.close()
    result = migrate(database, path, tmp_path / "run", capsys=capsys)
    assert result.code == 1
    assert "bookings" in complaint(result.err)


def test_wrong_calls_end_with_2(
    database: TestDatabase, tmp_path: Path, file: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: False))
    dsn = ["--dsn", database.owner_dsn]
    for call, words in (
        (["migrate-data", *dsn], "es fehlt"),
        (["migrate-data", str(tmp_path / "no.sqlite"), "--yes", *dsn], "gibt es nicht"),
        (["migrate-data", str(file), *dsn], "--yes"),
        (["migrate-data", str(file), "--yes", *dsn, "--report", str(tmp_path / "no" / "r.json")], "Ordner"),
        (["migrate-data", str(file), "--yes", *dsn, "--report", str(file)], "anderen Namen"),
        (["migrate-data", str(file), "--yes", *dsn, "--report", str(tmp_path)], "ist ein Ordner"),
        (["migrate-data", str(tmp_path / ("x" * 300)), "--yes", *dsn], "lässt sich nicht ansehen"),
        (["migrate-data", str(file), "--yes", *dsn, "--report", "x", "--protocol", "x"], "zwei Namen"),
        (["migrate-data", str(file), "--yes", "--dsn", database.dsn], "booking_user"),
    ):
        assert cli.main(call) == 2, call
        assert words in complaint(capsys.readouterr().err)
    assert value(database, "SELECT count(*) FROM legacy.runs") == 0


def test_no_answer_at_the_question_changes_nothing(
    database: TestDatabase, tmp_path: Path, file: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("builtins.input", lambda *_: "nein")
    call = ["migrate-data", str(file), "--dsn", database.owner_dsn, "--backup-dir", str(tmp_path / "b")]
    assert cli.main(call) == 1
    captured = capsys.readouterr()
    assert "Nichts wurde verändert." in captured.out
    assert "rooms" in captured.out
    assert value(database, "SELECT count(*) FROM legacy.runs") == 0
    assert not list((tmp_path / "b").iterdir())
    monkeypatch.setattr("builtins.input", lambda *_: "j")
    assert cli.main(call) == 0
    assert value(database, "SELECT count(*) FROM app.guests") == 1


def test_nobody_answers(file: Path, capsys: Capsys) -> None:
    assert cli.main(["migrate-data", str(file), "--yes", "--dsn", "postgresql://x@127.0.0.1:1/db"]) == 3
    assert "antwortet keine Datenbank" in complaint(capsys.readouterr().err)


def test_too_few_rights(database: TestDatabase, tmp_path: Path, file: Path, capsys: Capsys) -> None:
    result = migrate(database, file, tmp_path / "run", dsn=database.backup_dsn, capsys=capsys)
    assert result.code == 1
    assert "dpolg_backup" in complaint(result.err)
    assert "dpolg_owner" in result.err


def test_a_database_without_schema(
    empty_database: TestDatabase, database: TestDatabase, tmp_path: Path, file: Path, capsys: Capsys
) -> None:
    assert database.name != empty_database.name
    result = migrate(empty_database, file, tmp_path / "run", dsn=empty_database.superuser_dsn, capsys=capsys)
    assert result.code == 1
    assert "init-db" in complaint(result.err)


def test_a_newer_or_older_schema(database: TestDatabase, tmp_path: Path, file: Path, capsys: Capsys) -> None:
    execute(database, "INSERT INTO app.migrations (name, checksum) VALUES ('schema/9999_later.sql', 'x')")
    result = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert (result.code, "neuer als dieses Programm" in complaint(result.err)) == (1, True)
    execute(
        database,
        "DELETE FROM app.migrations WHERE name = 'schema/9999_later.sql'",
        "DELETE FROM app.migrations WHERE name = 'schema/0006_legacy.sql'",
    )
    result = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert (result.code, "upgrade-db" in complaint(result.err)) == (1, True)


def test_into_empty_only(database: TestDatabase, tmp_path: Path, file: Path, capsys: Capsys) -> None:
    assert migrate(database, file, tmp_path / "run", "--into-empty-only").code == 0
    capsys.readouterr()
    result = migrate(database, file, tmp_path / "run", "--into-empty-only", capsys=capsys)
    assert result.code == 1
    assert "nicht leer" in complaint(result.err)


def test_as_superuser(database: TestDatabase, tmp_path: Path, file: Path) -> None:
    assert migrate(database, file, tmp_path / "run", dsn=database.superuser_dsn).code == 0
    assert value(database, "SELECT count(*) FROM app.bookings") == 1


def test_a_target_with_data_is_backed_up_first(
    database: TestDatabase, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    first = migrate(database, file, tmp_path / "run")
    assert first.report is not None
    assert first.report["backup"] is None
    again = migrate(database, file, tmp_path / "run")
    assert again.report is not None
    dump = Path(again.report["backup"])
    assert dump.read_bytes().startswith(b"PGDMP")
    assert dump.stat().st_mode & 0o077 == 0
    assert not list(dump.parent.glob("*.part"))
    capsys.readouterr()

    monkeypatch.setattr(backup, "_candidates", list)
    refused = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert refused.code == 1
    assert "--no-backup" in complaint(refused.err)
    assert migrate(database, file, tmp_path / "run", "--no-backup").code == 0


def test_pg_dump_is_not_older_than_the_server(tmp_path: Path) -> None:
    programs = []
    for version in (15, 17):
        program = tmp_path / f"pg_dump{version}"
        program.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.3 (Debian)'\n")
        program.chmod(0o755)
        programs.append(program)
    assert backup.find_pg_dump(15, programs) == programs[0]
    assert backup.find_pg_dump(16, programs) == programs[1]
    with pytest.raises(NoBackup, match="ab Version 18"):
        backup.find_pg_dump(18, programs)


def test_the_backup_fails_in_one_sentence(
    database: TestDatabase, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    migrate(database, file, tmp_path / "run")
    program = tmp_path / "pg_dump"
    program.write_text(
        "#!/bin/sh\n[ \"$1\" = --version ] && echo 'pg_dump 99.1' || { echo kaputt >&2; exit 1; }\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(backup, "_candidates", lambda: [program])
    before = state(database)
    capsys.readouterr()
    result = migrate(database, file, tmp_path / "run", capsys=capsys)
    assert (result.code, "kaputt" in complaint(result.err)) == (1, True)
    assert state(database) == before


def test_no_password_shows_in_the_process_list(
    database: TestDatabase, tmp_path: Path, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(database, file, tmp_path / "run")
    program = tmp_path / "pg_dump"
    seen = tmp_path / "seen"
    program.write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && echo "pg_dump 99.1" && exit\necho "$@" > {seen}\n'
        f'[ -n "$PGPASSWORD" ] && echo given >> {seen}\n'
    )
    program.chmod(0o755)
    monkeypatch.setattr(backup, "_candidates", lambda: [program])
    assert migrate(database, file, tmp_path / "run").code == 0
    secret = database.owner_dsn.split(":")[2].split("@")[0]
    called, given = seen.read_text().splitlines()
    assert secret not in called
    assert given == "given"


def test_strict_fails_where_quarantine_does_not(database: TestDatabase, tmp_path: Path, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute("UPDATE bookings SET checkin_date = 'irgendwann'")
    connection.close()
    rehearsal = migrate(database, file, tmp_path / "run", "--dry-run", "--strict")
    assert (rehearsal.code, rehearsal.tables["bookings"]["quarantined"]) == (1, 1)
    assert migrate(database, file, tmp_path / "run").code == 0
    rows = query(database, "SELECT source_table, source_id, sentence FROM legacy.quarantine")
    assert [tuple(row)[:2] for row in rows] == [("bookings", 9)]


@pytest.mark.parametrize("name", ["protokoll.html", "protokoll.txt"])
def test_the_protocol_is_there_to_sign(name: str, database: TestDatabase, tmp_path: Path, file: Path) -> None:
    with sqlite3.connect(file) as connection:
        connection.execute('CREATE TABLE "x<b>y" (a)')
        connection.execute('INSERT INTO "x<b>y" VALUES (1)')
    connection.close()
    path = tmp_path / name
    assert migrate(database, file, tmp_path / "run", "--protocol", str(path)).code == 0
    text = path.read_text("utf-8")
    assert "Unterschrift" in text
    assert "nichts ging verloren" in text
    assert ("<b>y" in text) == name.endswith("txt")
    assert path.stat().st_mode & 0o077 == 0


def test_a_table_named_like_sql(database: TestDatabase, tmp_path: Path, file: Path) -> None:
    name = "x'; DROP TABLE app.guests; --"
    with sqlite3.connect(file) as connection:
        connection.execute(f'CREATE TABLE "{name}" ("a""b\'c" TEXT, "%s" BLOB)')
        connection.execute(f"INSERT INTO \"{name}\" VALUES ('z', x'00ff')")
    connection.close()
    result = migrate(database, file, tmp_path / "run")
    assert result.code == 0
    assert result.tables[name]["kept_in_legacy"] == 1
    assert value(database, "SELECT count(*) FROM app.guests") == 1
