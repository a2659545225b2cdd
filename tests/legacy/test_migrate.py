"""From end to end: numbers of the report against an independent count, rehearsal, second run, "
"open desks."""

from __future__ import annotations

import asyncio
import json
import shutil
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.legacy.report import findings
from tests.databases import TestDatabase, run
from tests.legacy.migration import accounted, counts, execute, migrate, query, source, start, state, value
from tests.sql.stage import DAY, Stage, connect
from tools.make_legacy_sqlite import (
    DEFECTS,
    EARLY,
    LAST,
    LATE,
    MIDDLE,
    STAGES,
    applicable,
    build,
    build_newer,
)

SECOND_RUN = ("--no-backup",)
Capsys = pytest.CaptureFixture[str]


def house(path: Path, stage: int = LATE, rate: float = 0.03, **options: int) -> Path:
    """A generated file with every defect that its stage can have."""
    sizes = {"guests": 80, "bookings": 80} | options
    build(path, stage, defects=dict.fromkeys(applicable(stage), rate) if rate else None, **sizes)
    return path


@pytest.mark.both_versions
@pytest.mark.parametrize("stage", [EARLY, MIDDLE, LAST])
def test_every_row_is_accounted_for(stage: int, database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite", stage)
    result = migrate(database, file, tmp_path / "run")
    assert result.code == 0
    assert result.report is not None
    assert {name: table["read"] for name, table in result.tables.items()} == counts(file)
    accounted(result.tables)
    assert result.report["verified"]
    assert not result.report["dry_run"]
    for name, table in result.tables.items():
        where = "WHERE source_table = $1 AND reason_code <> 'stay_too_long'"
        assert table["quarantined"] == value(
            database, f"SELECT count(*) FROM legacy.quarantine {where}", name
        )
        if not table["migrated"]:
            assert table["kept_in_legacy"] == value(
                database, "SELECT count(*) FROM legacy.kept_rows WHERE table_name = $1", name
            )
    for name in ("rooms", "guests", "bookings"):
        assert value(database, f"SELECT count(*) FROM app.{name}") == result.tables[name]["migrated"]
    stays = value(database, "SELECT count(*) FROM app.occupancies")
    assert stays == result.tables["bookings"]["migrated"]
    assert value(database, "SELECT count(*) FROM legacy.source_rows") == 0
    assert json.loads(value(database, "SELECT report::text FROM legacy.runs"))["tables"] == result.tables


def test_sums_are_those_of_the_file(database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite", rate=0)
    assert migrate(database, file, tmp_path / "run").code == 0
    with source(file) as old:
        total, paid = old.execute(
            "SELECT sum(round(gesamtpreis * 100)), sum(round(gesamtpreis * 100)) FILTER (WHERE "
            "bezahlt) FROM bookings"
        ).fetchone()
        numbers = {row[0] for row in old.execute("SELECT reservierungsnummer FROM bookings")}
    assert value(database, "SELECT sum(amount) * 100 FROM app.price_lines") == total
    assert value(database, "SELECT sum(amount) * 100 FROM app.payments") == paid
    assert {row[0] for row in query(database, "SELECT number FROM app.bookings")} == numbers


@pytest.mark.long
@pytest.mark.parametrize("stage", STAGES)
def test_every_stage(stage: int, database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite", stage)
    result = migrate(database, file, tmp_path / "run")
    assert result.code == 0
    accounted(result.tables)


@pytest.mark.long
@pytest.mark.parametrize("defect", DEFECTS)
def test_each_defect_alone(defect: str, database: TestDatabase, tmp_path: Path) -> None:
    stage = max(stage for stage in STAGES if defect in applicable(stage))
    file = build(tmp_path / "alt.sqlite", stage, guests=40, bookings=40, defects={defect: 0.2}).path
    result = migrate(database, file, tmp_path / "run")
    assert result.code == 0
    assert {name: table["read"] for name, table in result.tables.items()} == counts(file)
    accounted(result.tables)


def test_a_rehearsal_changes_nothing(database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite")
    before = state(database)
    rehearsal = migrate(database, file, tmp_path / "run", "--dry-run")
    assert rehearsal.code == 0
    assert state(database) == before
    assert not list((tmp_path / "run" / "backups").iterdir())
    real = migrate(database, file, tmp_path / "run")
    assert rehearsal.report is not None
    assert real.report is not None
    assert rehearsal.tables == real.tables
    assert (rehearsal.report["dry_run"], real.report["dry_run"]) == (True, False)
    assert rehearsal.report["repairs"] == real.report["repairs"]


def test_the_file_stays_as_it_is(database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite")
    before = file.read_bytes()
    result = migrate(database, file, tmp_path / "run")
    assert file.read_bytes() == before
    assert result.report is not None
    copy = Path(result.report["source_copy"])
    assert copy.parent == (tmp_path / "run" / "backups").resolve()
    assert copy.stat().st_mode & 0o077 == 0


def test_a_second_run_does_nothing_twice(database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite")
    migrate(database, file, tmp_path / "run")
    ours = "SELECT md5(string_agg(t::text, '' ORDER BY id)) FROM app.{} t"
    before = [
        value(database, ours.format(name)) for name in ("guests", "bookings", "price_lines", "payments")
    ]
    again = migrate(database, file, tmp_path / "run", *SECOND_RUN)
    assert again.code == 0
    assert all(table["already_there"] == table["read"] for table in again.tables.values())
    after = [value(database, ours.format(name)) for name in ("guests", "bookings", "price_lines", "payments")]
    assert after == before


def test_the_transaction_log_can_stay_behind(database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite")
    result = migrate(database, file, tmp_path / "run", "--without-transaction-log")
    assert result.code == 0
    assert result.tables["transaction_log"]["left_out"] == counts(file)["transaction_log"]
    assert value(database, "SELECT count(*) FROM legacy.kept_rows WHERE table_name = 'transaction_log'") == 0
    later = migrate(database, file, tmp_path / "run", *SECOND_RUN)
    assert later.tables["transaction_log"]["kept_in_legacy"] == counts(file)["transaction_log"]


def newer(tmp_path: Path) -> tuple[Path, Path, dict[str, tuple[tuple[str, int], ...]]]:
    earlier = house(tmp_path / "alt.sqlite", rate=0)
    built = build_newer(tmp_path / "neu.sqlite", earlier, changed=0.05, added=0.05)
    return earlier, built.path, built.hits


def test_new_rows_are_taken_and_changed_ones_listed(database: TestDatabase, tmp_path: Path) -> None:
    earlier, later, hits = newer(tmp_path)
    migrate(database, earlier, tmp_path / "run")
    result = migrate(database, later, tmp_path / "run", *SECOND_RUN)
    assert result.code == 0
    assert result.report is not None
    accounted(result.tables)
    for table in ("guests", "bookings"):
        assert result.tables[table]["migrated"] == sum(name == table for name, _ in hits["added"])
    changed = {(row["table"], row["id"]) for row in result.report["changed"] if not row["taken"]}
    assert changed >= set(hits["changed"])
    for table, record in hits["changed"]:
        notes = value(database, f"SELECT notes FROM app.{table} WHERE id = $1", record)
        assert "Nachgetragen" not in (notes or "")


def test_update_takes_what_changed_but_never_over_a_change_made_here(
    database: TestDatabase, tmp_path: Path
) -> None:
    earlier, later, hits = newer(tmp_path)
    migrate(database, earlier, tmp_path / "run")
    changed = sorted(hits["changed"])
    mine = [next(hit for hit in changed if hit[0] == table) for table in ("bookings", "guests")]
    for table, record in mine:
        execute(database, f"UPDATE app.{table} SET notes = 'am Arbeitsplatz' WHERE id = {record}")
    result = migrate(database, later, tmp_path / "run", "--update", *SECOND_RUN)
    assert result.code == 0
    assert result.report is not None
    accounted(result.tables)
    for table, record in changed:
        notes = value(database, f"SELECT notes FROM app.{table} WHERE id = $1", record)
        assert notes == "am Arbeitsplatz" if (table, record) in mine else "Nachgetragen" in notes
    listed = {(row["table"], row["id"]): row for row in result.report["changed"]}
    for hit in mine:
        assert (listed[hit]["taken"], listed[hit]["obstacle"]) == (False, "wurde hier inzwischen geändert")
    # Whatever else there is of a booking came along once.
    with source(later) as old:
        for (lines,) in [old.execute("SELECT sum(round(gesamtpreis * 100)) FROM bookings").fetchone()]:
            assert value(database, "SELECT sum(amount) * 100 FROM app.price_lines") == lines
        companions = old.execute("SELECT count(*) FROM accompanying_guests").fetchone()[0]
    assert value(database, "SELECT count(*) FROM app.booking_companions") == companions
    again = migrate(database, later, tmp_path / "run", "--update", *SECOND_RUN)
    left = sum(table["changed_not_taken"] for table in again.tables.values())
    assert (again.code, left) == (0, len(mine))


def test_a_changed_total_waits_for_update(database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite", rate=0)
    migrate(database, file, tmp_path / "run")
    with source(file) as old:
        booking, total = old.execute(
            "SELECT id, gesamtpreis FROM bookings WHERE status <> 'storniert' LIMIT 1"
        ).fetchone()
        old.execute(
            "UPDATE bookings SET gesamtpreis = gesamtpreis + 7, services_preis = services_preis + "
            "7 WHERE id = ?",
            (booking,),
        )
        old.execute(
            "INSERT INTO additional_services (booking_id, service_name, service_price) VALUES (?, "
            "'Zwei Hunde', 7)",
            (booking,),
        )
    sums = "SELECT sum(amount) FROM app.price_lines WHERE booking_id = $1"
    waiting = migrate(database, file, tmp_path / "run", *SECOND_RUN)
    assert waiting.code == 0
    assert waiting.tables["additional_services"]["changed_not_taken"] == 1
    assert float(value(database, sums, booking)) == pytest.approx(total, abs=0.006)
    taken = migrate(database, file, tmp_path / "run", "--update", *SECOND_RUN)
    assert taken.code == 0
    assert float(value(database, sums, booking)) == pytest.approx(total + 7, abs=0.006)
    assert value(database, "SELECT count(*) FROM app.price_lines WHERE label = 'Zwei Hunde'") == 1


def test_another_house_is_refused(database: TestDatabase, tmp_path: Path, capsys: Capsys) -> None:
    migrate(database, house(tmp_path / "eins.sqlite", rate=0), tmp_path / "run")
    before = state(database)
    capsys.readouterr()
    other = house(tmp_path / "zwei.sqlite", rate=0, seed=7)
    result = migrate(database, other, tmp_path / "run", *SECOND_RUN, capsys=capsys)
    assert result.code == 1
    assert "anderen Haus" in result.err
    assert state(database) == before


def test_ids_that_were_taken_meanwhile_get_new_ones(database: TestDatabase, tmp_path: Path) -> None:
    execute(
        database,
        "INSERT INTO app.guests (id, last_name) OVERRIDING SYSTEM VALUE VALUES (3, 'Von hier')",
    )
    file = house(tmp_path / "alt.sqlite", rate=0)
    result = migrate(database, file, tmp_path / "run", "--no-backup")
    assert result.code == 0
    moved = value(database, "SELECT new_id FROM legacy.id_map WHERE table_name = 'guests' AND old_id = 3")
    assert moved > counts(file)["guests"]
    with source(file) as old:
        theirs = {row[0] for row in old.execute("SELECT id FROM bookings WHERE guest_id = 3")}
    assert {
        row[0] for row in query(database, "SELECT id FROM app.bookings WHERE guest_id = $1", moved)
    } == theirs
    assert value(database, "SELECT count(*) FROM app.bookings WHERE guest_id = 3") == 0


def test_secrets_are_only_in_their_column(database: TestDatabase, tmp_path: Path) -> None:
    built = build(
        tmp_path / "alt.sqlite",
        LAST,
        guests=60,
        bookings=60,
        defects=dict.fromkeys(("secret_in_log", "bad_capacity", "second_email_config", "orphan_room"), 0.1),
    )
    with source(built.path) as old:
        old.execute("CREATE TABLE zimmer_alt AS SELECT id, schluesselcode FROM rooms")
        codes = old.execute("SELECT count(*) FROM rooms WHERE schluesselcode <> ''").fetchone()[0]
    result = migrate(database, built.path, tmp_path / "run")
    assert result.code == 0
    names = query(
        database,
        "SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid "
        "= c.relnamespace"
        " WHERE n.nspname IN ('app', 'legacy') AND c.relkind = 'r'"
        " AND c.relname NOT IN ('rooms', 'email_settings', 'source_fingerprints')",
    )
    stored = "".join(
        value(database, f"SELECT coalesce(string_agg(t::text, ''), '') FROM {row[0]} t") for row in names
    )
    printed = json.dumps(result.report, ensure_ascii=False)
    for secret in built.secrets:
        assert f'"{secret}"' not in stored
        assert f'\\"{secret}\\"' not in stored
        assert f'"{secret}"' not in printed
    hidden = {(row["table"], row["column"]): row["rows"] for row in result.report["secrets_only_in_copy"]}
    lost = "SELECT count(*) FROM legacy.quarantine WHERE source_table = $1 AND data -> $2 ->> 1 = '***'"
    expected = {
        (table, column): value(database, lost, table, column)
        for table, column in (("rooms", "schluesselcode"), ("email_config", "smtp_password"))
    }
    expected["zimmer_alt", "schluesselcode"] = codes
    assert hidden == expected
    assert min(expected.values()) > 0
    (line,) = [line for line in findings(result.report) if "Abschrift" in line]
    for (table, _), rows in expected.items():
        assert f"({table}, {rows} ×)" in line


async def test_open_desks_are_told_once_and_see_the_house(database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite", rate=0)
    stage = Stage(database, await connect(database.superuser_dsn))
    try:
        anna = await stage.desk("anna")
        told: list[str] = []
        await anna.connection.add_listener("booking", lambda *event: told.append(str(event[3])))
        assert (await asyncio.to_thread(migrate, database, file, tmp_path / "run")).code == 0
        await anna.connection.fetchval("SELECT 1")
        assert told == ["reload:0:"]
        with source(file) as old:
            guest, booking, arrival = old.execute(
                "SELECT g.nachname, b.id, b.checkin_date FROM bookings b JOIN guests g ON g.id = b.guest_id"
                " WHERE b.status = 'bestaetigt' LIMIT 1"
            ).fetchone()
        seen = await anna.booking(booking)
        assert guest in json.dumps(seen, ensure_ascii=False)
        assert arrival in json.dumps(seen)
        assert len(await anna.rows("rooms")) == counts(file)["rooms"]
    finally:
        await stage.close()


async def test_a_desk_that_writes_waits_or_is_told_and_can_go_on(
    database: TestDatabase, tmp_path: Path
) -> None:
    file = house(tmp_path / "alt.sqlite", rate=0)
    stage = Stage(database, await connect(database.superuser_dsn))
    try:
        await stage.furnish()
        anna = await stage.desk("anna")
        process = await asyncio.to_thread(start, database, file, tmp_path / "run", "--no-backup")
        answers = []
        while process.poll() is None:
            try:
                answer = await anna.book(
                    stage.guests[0],
                    {"room_id": None, "arrival": DAY.isoformat(), "departure": "2030-03-03"},
                )
                answers.append(answer["outcome"])
            except asyncpg.LockNotAvailableError:
                answers.append("busy")
            await asyncio.sleep(0.02)
        output, _ = process.communicate()
        assert process.returncode == 0, output
        assert set(answers) <= {"done", "busy"}
        bookings = await stage.superuser.fetchval("SELECT count(*) FROM app.bookings")
        assert bookings == counts(file)["bookings"] + answers.count("done")
    finally:
        await stage.close()


async def test_somebody_who_holds_a_lock_for_ever_stops_it(
    database: TestDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setattr("dpolg_tui.legacy.target._LOCK_ATTEMPTS", 1)
    file = house(tmp_path / "alt.sqlite", rate=0)
    holder = await asyncpg.connect(database.superuser_dsn)
    try:
        await holder.execute("BEGIN; LOCK TABLE app.guests IN ROW EXCLUSIVE MODE")
        result = await asyncio.to_thread(migrate, database, file, tmp_path / "run")
    finally:
        await holder.close()
    assert result.code == 1
    assert "Arbeitsplätze" in capsys.readouterr().err
    assert value(database, "SELECT count(*) FROM app.guests") == 0


def test_two_at_once_take_it_over_once(database: TestDatabase, tmp_path: Path) -> None:
    file = house(tmp_path / "alt.sqlite", rate=0)
    shutil.copy(file, tmp_path / "zwei.sqlite")
    calls = [
        start(database, path, tmp_path / path.stem, "--no-backup")
        for path in (file, tmp_path / "zwei.sqlite")
    ]
    for call in calls:
        output, _ = call.communicate(timeout=120)
        assert call.returncode == 0, output
    assert value(database, "SELECT count(*) FROM app.bookings") == counts(file)["bookings"]


def test_checks_find_nothing_after_a_migration(database: TestDatabase, tmp_path: Path) -> None:
    from dpolg_tui.db import migrations

    assert migrate(database, house(tmp_path / "alt.sqlite"), tmp_path / "run").code == 0
    assert run(lambda: migrations.findings(database.superuser_dsn)) == []
