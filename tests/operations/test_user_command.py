"""``dpolg-tui user …`` on the server's shell: the rules of the desk, no password in argv, one shown once."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dpolg_tui import cli
from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.connection import Database
from dpolg_tui.db.login import login
from dpolg_tui.domain.errors import Deactivated, LoginFailed
from dpolg_tui.domain.models import Role, User
from tests.databases import TestDatabase

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(autouse=True)
def _home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path_factory.mktemp("home")
    monkeypatch.chdir(home)
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(home / name.lower()))


@pytest.fixture
def user(database: TestDatabase, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """``dpolg-tui user`` as the owner: exit code, what it printed, what it complained of."""
    monkeypatch.setattr("getpass.getuser", lambda: "root")

    def run(*arguments: str) -> tuple[int, str, str]:
        code = cli.main(["--dsn", database.owner_dsn, "user", *arguments])
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, "".join(line for line in err.splitlines(True) if not line.startswith("Warnung"))

    return run


def signed_in(database: TestDatabase, username: str, password: str) -> User:
    async def sign_in() -> User:
        desk = Database(database_from_dsn(database.dsn))
        try:
            return await login(desk, username, password)
        finally:
            await desk.close()

    return asyncio.run(sign_in())


def owner_sees(database: TestDatabase, query: str) -> Any:
    async def ask() -> Any:
        connection = await asyncpg.connect(database.owner_dsn)
        try:
            return await connection.fetchval(query)
        finally:
            await connection.close()

    return asyncio.run(ask())


def shown(out: str) -> str:
    found = re.search(r"Erstes Passwort: (\S+)", out)
    assert found, out
    return found[1]


@pytest.mark.both_versions
def test_from_the_first_password_to_the_last_session(database: TestDatabase, user: Run) -> None:
    code, out, err = user("add", "Zoë", "--full-name", "Zoë Öztürk", "--role", "admin")
    assert (code, err) == (0, "")
    signed = signed_in(database, "zoë", shown(out))
    assert (signed.role, signed.must_change_password) == (Role.ADMIN, True)
    listed = user("list")[1]
    assert re.search(r"Zoë +Zoë Öztürk +Admin +neues Passwort nötig +\d\d\.\d\d\.\d{4} .* 1 +0\n", listed)
    assert "anna@example.org" in listed
    assert "root" not in user("sessions", "ZOË")[1]
    assert user("edit", "zoë", "--full-name", "", "--email", "z@example.org", "--role", "user")[0] == 0
    assert user("end-sessions", "zoë")[1] == "Zoë: 0 Sitzungen beendet.\n"
    row = "SELECT format('%s %s %s', full_name, email, role) FROM auth.users WHERE username = 'Zoë'"
    assert owner_sees(database, row) == " z@example.org user"
    code, out, _ = user("reset-password", "Zoë")
    signed_in(database, "zoë", shown(out))
    assert user("end-sessions", "Zoë")[1] == "Zoë: 1 Sitzungen beendet.\n"
    assert user("deactivate", "Zoë") == (0, "Zoë ist deaktiviert und überall abgemeldet.\n", "")
    with pytest.raises(Deactivated):
        signed_in(database, "zoë", shown(out))
    assert user("reactivate", "Zoë")[0] == 0
    assert user("edit", "Zoë", "--username", "zoe")[0] == 0
    signed_in(database, "zoe", shown(out))
    actors = (
        "SELECT string_agg(DISTINCT username, ',') FROM app.audit_log WHERE new_data ->> 'email' LIKE 'z@%'"
    )
    assert owner_sees(database, actors) == "root (Shell)"


def test_the_rules_of_the_desk(user: Run) -> None:
    for arguments, words in (
        (("edit", "admin", "--role", "user"), "Mindestens ein aktiver Benutzer"),
        (("deactivate", "admin"), "Mindestens ein aktiver Benutzer"),
        (("add", "ANNA"), "gibt es schon"),
        (("deactivate", "nobody"), "Einen Benutzer nobody gibt es nicht"),
        (("parameters", "--memory-kib", "8"), "19456"),
        (("parameters", "--memory-kib", "99999999999999"), "19456"),
        (("parameters", "--iterations", "-99999999999999"), "2 bis 10"),
        (("edit", "anna", "--email", "x"), "E-Mail hat ein @"),
        (("edit", "anna", "--email", "a@" + "b" * 99), "3 bis 100 Zeichen"),
    ):
        code, out, err = user(*arguments)
        assert (code, out) == (1, ""), arguments
        assert words in err
        assert err.count("\n") == 1
    for arguments in (("edit", "anna"), ("edit", "anna", "--role", "root"), ("add",), ("remove", "anna")):
        assert user(*arguments)[0] == 2


def test_passwords_from_a_file_or_the_environment(
    database: TestDatabase, user: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "password"
    file.write_text("drei grüne Tannen\n")
    code, out, _ = user("add", "zoe", "--password-file", str(file))
    assert code == 0
    assert "Tannen" not in out
    assert signed_in(database, "zoe", "drei grüne Tannen").must_change_password
    monkeypatch.setenv("DPOLG_TUI_USER_PASSWORD", "vier alte Birnbäume")
    assert user("reset-password", "zoe")[0] == 0
    signed_in(database, "zoe", "vier alte Birnbäume")
    monkeypatch.setenv("DPOLG_TUI_USER_PASSWORD", "willkommen2026")
    code, out, err = user("reset-password", "zoe")
    assert (code, out) == (1, "")
    assert "zu erraten" in err
    assert "willkommen" not in err
    signed_in(database, "zoe", "vier alte Birnbäume")


def test_a_lock_is_lifted_and_parameters_are_raised(database: TestDatabase, user: Run) -> None:
    for _ in range(6):
        with pytest.raises(LoginFailed):
            signed_in(database, "anna", "falsch")
    with pytest.raises(LoginFailed):
        signed_in(database, "anna", database.users["anna"].password)
    assert re.search(r"anna .* gesperrt +nie +0 +7\n", user("list")[1])
    assert user("lift-lock", "anna")[1] == "anna kann sich wieder anmelden.\n"
    assert "19456 KiB, 2 Durchläufe, 1 Fäden" in user("parameters")[1]
    assert "20480 KiB, 2 Durchläufe, 1 Fäden" in user("parameters", "--memory-kib", "20480")[1]
    signed_in(database, "anna", database.users["anna"].password)
    assert owner_sees(database, "SELECT memory_kib FROM auth.users WHERE username = 'anna'") == 20480


def test_without_a_house_or_the_right(
    database: TestDatabase, empty_database: TestDatabase, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["--dsn", empty_database.superuser_dsn, "user", "list"]) == 1
    assert "init-db" in capsys.readouterr().err
    assert cli.main(["--dsn", database.dsn, "user", "list"]) == 2
    assert cli.main(["--dsn", database.backup_dsn, "user", "list"]) == 1
    assert "Berechtigung" in capsys.readouterr().err
