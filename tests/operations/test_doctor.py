"""``dpolg-tui doctor``: who may ask sees all, and each thing that is wrong is said, with what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dpolg_tui import cli
from dpolg_tui.db.housekeeping import keep_house
from dpolg_tui.domain.health_figures import Check
from dpolg_tui.domain.problems import Problem, Status
from tests.databases import TestDatabase
from tests.operations.backups import settings_of
from tests.operations.doctor_looks import look, told
from tests.sql.stage import connected

pytestmark = pytest.mark.usefixtures("home")


async def test_a_new_house_is_fine_but_for_what_nobody_has_looked_at(database: TestDatabase) -> None:
    found = await look(database.owner_dsn)
    bad = [c for checks in found.values() for c in checks if c.status in (Status.WARNING, Status.ERROR)]
    assert bad == []


def statuses(found: dict[str, list[Check]]) -> dict[str, set[Status]]:
    return {key: {check.status for check in checks} for key, checks in found.items()}


async def test_an_admin_sees_the_same_as_the_owner(database: TestDatabase) -> None:
    admin = database.users["admin"]
    owner, signed_in = await look(database.owner_dsn), await look(database.dsn, "admin", admin.password)
    assert statuses(signed_in) == statuses(owner)
    assert Status.UNKNOWN not in statuses(signed_in)["connections"]


async def test_without_rights_it_says_what_was_not_looked_at_and_why(database: TestDatabase) -> None:
    anna = database.users["anna"]
    for login, words in (((), "--login"), (("anna", anna.password), "Admin"), (("admin", "x"), "Anmeldung")):
        found = await look(database.dsn, *login)
        # Who asked to sign in is told as an error that it failed: under cron nobody reads „nicht geprüft“.
        if login:
            told(found, Problem.LOGIN_FAILED, "Zahlen des Servers fehlen")
        assert ("login" in found) is bool(login)
        [backup] = found["backup"]
        assert backup.status is Status.UNKNOWN
        assert words in backup.says
        assert statuses(found)["schema"] == statuses(found)["checks"] == {Status.OK}


async def test_a_first_password_must_be_changed_before_anything_is_told(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute("UPDATE auth.users SET must_change_password = true WHERE username = 'admin'")
    [backup] = (await look(database.dsn, "admin", database.users["admin"].password))["backup"]
    assert backup.status is Status.UNKNOWN
    assert "eigenes Passwort" in backup.says


async def test_what_fails_after_the_sign_in_costs_no_other_line(database: TestDatabase) -> None:
    async with connected(database.superuser_dsn) as owner:
        await owner.execute("DROP FUNCTION app.health()")
    found = await look(database.dsn, "admin", database.users["admin"].password)
    [backup] = found["backup"]
    assert backup.status is Status.UNKNOWN
    assert backup.says
    assert statuses(found)["host"] == {Status.OK}


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = cli.main(["doctor", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


def test_the_command_prints_and_ends_with_a_code_for_cron(
    database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = run(capsys, "--dsn", database.owner_dsn)
    assert code == 0
    assert all(words in out for words in ("✓ OK", "nicht geprüft", "Sicherung"))
    assert run(capsys, "--dsn", database.owner_dsn, "--quiet")[:2] == (0, "")


def test_json_has_every_check_with_its_figures(
    database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = run(capsys, "--dsn", database.owner_dsn, "--json")
    answer = json.loads(out)
    assert answer["status"] == "ok"
    by_key = {check["key"]: check for check in answer["checks"]}
    assert by_key["host"]["figures"]["round_trip_ms"] > 0
    assert by_key["size"]["figures"]["bytes"] > 0
    assert by_key["schema"]["figures"]["outstanding"] == []
    assert all(
        {"key", "subject", "status", "says", "remedy", "figures", "problem"} == check.keys()
        for check in answer["checks"]
    )


def test_nobody_answers(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = run(capsys, "--dsn", "postgresql://booking_user@127.0.0.1:1/x")
    assert code == 3
    assert "✗ Fehler" in out


def test_wrong_settings_are_told_before_anything_is_asked(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--dsn", "postgresql://booking_user@db.example.org/x?sslmode=require")
    assert (code, out) == (2, "")
    assert "verify-full" in err


def test_strict_counts_warnings(database: TestDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    host = database.owner_dsn.rpartition("@")[2].partition("/")[0]
    two = database.owner_dsn.replace(host, f"{host},127.0.0.1:1")
    assert run(capsys, "--dsn", two, "--quiet")[0] == 0
    code, out, _ = run(capsys, "--dsn", two, "--quiet", "--strict")
    assert code == 1
    assert "127.0.0.1:1" in out


def test_a_warning_that_the_house_lives_with_comes_no_more(
    database: TestDatabase, capsys: pytest.CaptureFixture[str], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = database.owner_dsn.rpartition("@")[2].partition("/")[0]
    two = database.owner_dsn.replace(host, f"{host},127.0.0.1:1")
    assert 'accept = ["host.one_unusable"]' in run(capsys, "--dsn", two, "--quiet")[1]
    config = home / "server.toml"
    config.write_text('[doctor]\naccept = ["host.one_unusable", "server.ended"]\n')
    config.chmod(0o600)
    monkeypatch.setenv("DPOLG_TUI_CONFIG", str(config))
    assert run(capsys, "--dsn", two, "--quiet", "--strict")[:2] == (0, "")
    _, out, _ = run(capsys, "--dsn", two)
    assert "· bekannt" in out
    assert "1 bekannt" in out.splitlines()[0]
    _, out, _ = run(capsys, "--dsn", two, "--json")
    [known] = [check for check in json.loads(out)["checks"] if check["status"] == "accepted"]
    assert known["problem"] == "host.one_unusable"


@pytest.mark.parametrize(
    ("accepted", "words"),
    [('["server.end"]', "gemeint: server.ended?"), ('["pages.damaged"]', "Warnung"), ("[1]", "Liste")],
)
def test_nobody_accepts_an_error_or_what_there_is_not(
    capsys: pytest.CaptureFixture[str], home: Path, accepted: str, words: str
) -> None:
    config = home / "server.toml"
    config.write_text(f"[doctor]\naccept = {accepted}\n")
    code = cli.main(["--config", str(config), "doctor"])
    assert code == 2
    said = capsys.readouterr().err
    assert "doctor.accept" in said
    assert words in said


def test_an_admin_signs_in_with_a_password_from_the_environment(
    database: TestDatabase, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DPOLG_TUI_ADMIN_PASSWORD", database.users["admin"].password)
    code, out, _ = run(capsys, "--dsn", database.dsn, "--login", "admin", "--json")
    assert code == 0
    assert {c["status"] for c in json.loads(out)["checks"] if c["key"] == "backup"} == {"ok"}


async def test_figures_tell_no_address_and_no_text(database: TestDatabase) -> None:
    async with connected(database.owner_dsn) as owner, connected(database.dsn) as desk:
        await desk.execute("SET application_name = 'Huber, Anton'")
        await desk.execute("BEGIN; SELECT 'Geheimes'")
        told = json.dumps(await owner.fetchval("SELECT auth.health()"))
    for secret in ("Huber", "Geheimes", "127.0.0.1", "client_addr"):
        assert secret not in told


async def test_housekeeping_notes_the_size_of_the_day_once(database: TestDatabase) -> None:
    for _ in range(2):
        await keep_house(settings_of(database.owner_dsn))
    async with connected(database.superuser_dsn) as owner:
        await owner.execute("UPDATE app.sizes SET day = day - 20")
        await owner.execute("INSERT INTO app.sizes VALUES (app.today() - 401, 1)")
        await keep_house(settings_of(database.owner_dsn))
        assert await owner.fetchval("SELECT count(*) FROM app.sizes") == 2
    [size] = (await look(database.owner_dsn))["size"]
    assert size.figures["growth"] is not None
