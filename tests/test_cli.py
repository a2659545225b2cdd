"""The command line: exit codes, one line for each failure, nothing imported too early."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

from dpolg_tui import __version__, cli, log
from dpolg_tui.config import Config, ConfigError
from dpolg_tui.domain.errors import NotAllowed, Unreachable
from dpolg_tui.operations.passwords import InitOptions, Passwords
from dpolg_tui.settings import DatabaseSettings
from tests.databases import TestDatabase


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in list(os.environ):
        if name.startswith(("PG", "DPOLG_TUI_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("CONFIG", "STATE", "DATA"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / name.lower()))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(capsys: pytest.CaptureFixture[str], *argv: str) -> tuple[int, str, str]:
    code = cli.main(list(argv))
    out, err = capsys.readouterr()
    assert "Traceback" not in out + err
    return code, out, err


def fail_with(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def verb(_options: Namespace) -> int:
        raise error

    monkeypatch.setitem(cli._VERBS, "upgrade-db", verb)


def test_version_imports_neither_textual_nor_asyncpg() -> None:
    program = (
        "import json, sys; from dpolg_tui.__main__ import main; sys.argv[1:] = ['--version'];"
        "code = main(); print(json.dumps([code, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    version, modules = done.stdout.splitlines()
    code, loaded = json.loads(modules)
    assert (version, code) == (f"dpolg-tui {__version__}", 0)
    assert not {name.partition(".")[0] for name in loaded} & {
        "textual",
        "asyncpg",
        "argon2",
        "tomlkit",
        "babel",
        "rich",
    }


@pytest.mark.parametrize("argv", [["config", "show"], ["config", "path"], ["--help"], ["init-db"]])
def test_headless_verbs_import_no_textual(argv: list[str]) -> None:
    program = (
        f"import sys; from dpolg_tui.__main__ import main; sys.argv[1:] = {argv!r}; main();"
        "sys.exit('textual' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0


def test_module_and_exit_code() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dpolg_tui", "--config", "nope.toml", "config", "show"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "dpolg-tui: Die Konfigurationsdatei nope.toml (--config) gibt es nicht.\n"


def test_help_is_german(capsys: pytest.CaptureFixture[str]) -> None:
    for argv in (["--help"], ["demo", "--help"], ["init-db", "--help"], ["config", "test", "--help"]):
        code, out, _ = run(capsys, *argv)
        assert code == 0
        assert out.startswith("Aufruf: dpolg-tui")
        for english in ("usage", "options:", "positional", "show this", "show program"):
            assert english not in out


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["dmo"], "den Befehl „dmo“ gibt es nicht (gemeint: demo?)"),
        (["config", "shwo"], "(gemeint: show?)"),
        (["config"], "es fehlt: BEFEHL"),
        (["demo", "--seed", "x"], "--seed braucht eine ganze Zahl, nicht 'x'"),
        (["demo", "--seed"], "--seed braucht einen Wert"),
        (["demo", "--size", "lareg"], "--size kennt „lareg“ nicht (gemeint: large?)"),
        (["demo", "--managed"], "unbekannt: --managed"),
        (["demo", "--managed", "x y", "--z"], "unbekannt: --managed … --z ("),
        (["user", "list", "surplus"], "unbekannt: …"),
        (["init-db", "--managed=1"], "--managed nimmt keinen Wert"),
        (["--conf", "x"], "den Befehl „x“ gibt es nicht"),
        (["--dsn", "nonsense", "config", "show"], "Die DSN ist keine"),
        (["--dsn", "postgresql://h/", "demo"], "ohne --dsn"),
        ([], "braucht ein Terminal"),
        (["--dsn", "postgresql://h/?sslmode=prefer"], "allow_unverified_server = true"),
        (["init-db"], "Sache des Eigentümers"),
        (["upgrade-db", "--dsn", "postgresql://postgres@h/?sslmode=require"], "allow_unverified_server"),
    ],
)
def test_wrong_usage_is_one_line_and_2(
    argv: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert said in err
    assert err.startswith("dpolg-tui: ")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    "argv",
    [
        ["user", "add", "anna", "--password", "geheim"],
        ["user", "add", "anna", "--password=geheim"],
        ["user", "add", "anna", "-p", "geheim"],
        ["user", "add", "anna", "geheim"],
        ["--password", "geheim", "user", "list"],
        ["init-db", "--admin-password", "geheim"],
        ["init-db", "--passwort", "geheim", "--managed"],
    ],
)
def test_a_password_on_the_command_line_is_not_repeated(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = run(capsys, *argv)
    assert (code, out) == (2, "")
    assert "geheim" not in err
    if any(word.startswith("--") for word in argv):
        assert "ein Passwort" in err
        assert "-password-file" in err or "--password-file" in err


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (Unreachable(), 3, "nicht erreichbar"),
        (NotAllowed(), 1, "Berechtigung"),
        (ConfigError("So\nnicht."), 2, "So nicht."),
        (KeyboardInterrupt(), 130, "abgebrochen"),
    ],
)
def test_expected_failures(
    error: BaseException,
    code: int,
    said: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    fail_with(error, monkeypatch)
    given, _, err = run(capsys, "upgrade-db")
    assert given == code
    assert said in err
    assert err.count("\n") == 1


def test_an_unexpected_failure_has_an_id_that_the_log_has(
    home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_with(ZeroDivisionError("password=geheim"), monkeypatch)
    code, _, err = run(capsys, "upgrade-db")
    assert code == 1
    assert err.count("\n") == 1
    identifier = err.split("Fehler ")[1].split(";")[0]
    written = next(home.glob("**/dpolg-tui.log")).read_text("utf-8")
    assert f"Unerwarteter Fehler {identifier}" in written
    assert "ZeroDivisionError" in written
    assert "geheim" not in err + written
    assert not log.is_set_up()


def test_config_show_masks_and_names_the_source(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "config.toml"
    path.write_text('[database]\nhost = "filehost"\npassword = "geheim"\n')
    path.chmod(0o600)
    code, out, err = run(capsys, "config", "show", "--dsn", "postgresql://h1,h2:5433/")
    assert (code, err) == (0, "")
    assert 'host = "h1:5432, h2:5433"  # Kommandozeile (--dsn)' in out
    assert f'password = "********"  # Datei {path}' in out
    assert "pool_max = 2  # Vorgabe" in out
    assert "geheim" not in out


def test_warnings_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "--dsn", "postgresql://u:geheim@localhost/db", "config", "show")
    assert code == 0
    assert err.startswith("Warnung: Das Passwort in --dsn")
    assert "geheim" not in out + err


def test_config_path(home: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    _, out, _ = run(capsys, "config", "path")
    assert "keine Datei" in out
    path = home / "mine.toml"
    path.write_text("")
    monkeypatch.setenv("DPOLG_TUI_CONFIG", str(path))
    _, out, _ = run(capsys, "config", "path")
    assert f"benutzt:          {path}" in out


def test_config_test_on_a_closed_port(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "config", "test", "--dsn", "postgresql://127.0.0.1:1/db")
    assert code == 3
    assert "✓ Name" in out
    assert "✗ Port" in out
    assert err.startswith("dpolg-tui: Verbindung fehlgeschlagen: ")


def test_config_test_on_a_database(database: TestDatabase, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys, "config", "test", "--dsn", database.dsn)
    assert (code, out.splitlines()[-1]) == (0, "Verbindung erfolgreich!")
    wrong = re.sub(r"://(\w+):[^@]*@", r"://\1:wrong@", database.dsn)
    code, out, err = run(capsys, "config", "test", "--dsn", wrong)
    assert code == 1
    assert "✗ Rolle und Passwort" in out
    assert "Verbindung fehlgeschlagen: " in err


def test_the_desk_gets_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Config] = []
    monkeypatch.setattr(cli, "_require_terminal", lambda: None)
    monkeypatch.setattr(cli, "_open_desk", lambda config: opened.append(config) or 0)
    assert cli.main(["--dsn", "postgresql://h/db"]) == 0
    assert opened[0].database.hosts == (("h", 5432),)


def test_the_desk_takes_no_altgr_away(monkeypatch: pytest.MonkeyPatch) -> None:
    import dpolg_tui.tui.run

    monkeypatch.delenv("TEXTUAL_DISABLE_KITTY_KEY", raising=False)
    monkeypatch.setattr(dpolg_tui.tui.run, "run_desk", lambda _config: 7)
    assert cli._open_desk(Config()) == 7
    assert os.environ.pop("TEXTUAL_DISABLE_KITTY_KEY") == "1"


def test_passwords_come_from_file_environment_or_terminal(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = home / "secret"
    path.write_text("from file\n")
    environment = {"DPOLG_TUI_ADMIN_PASSWORD": "unused", "DPOLG_TUI_OWNER_PASSWORD": "from environment"}
    typed = iter(["", "one", "two", "typed", "typed"])
    passwords = Passwords({"admin": path}, environment, lambda _prompt: next(typed))
    assert passwords.get("admin") == "from file"
    assert passwords.get("owner") == "from environment"
    monkeypatch.setattr(sys, "stdin", open(os.devnull))  # noqa: SIM115, PTH123
    with pytest.raises(
        ConfigError, match="--booking-user-password-file oder DPOLG_TUI_BOOKING_USER_PASSWORD"
    ):
        passwords.get("booking_user")
    sys.stdin.close()
    monkeypatch.setattr(sys, "stdin", Namespace(isatty=lambda: True))
    assert passwords.get("backup") == "typed"
    assert "from environment" not in repr(InitOptions(passwords))
    path.write_text("two\nlines\n")
    with pytest.raises(ConfigError, match="genau einer Zeile"):
        passwords.get("admin")


def test_a_missing_password_of_the_owner_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Namespace(isatty=lambda: True))
    monkeypatch.setattr("getpass.getpass", lambda _prompt: "typed")
    options = Namespace(verb="upgrade-db", config=None, dsn="postgresql://postgres@localhost/db")
    settings: DatabaseSettings = cli._owner_settings(options)
    log.shutdown()
    assert (settings.username, settings.password) == ("postgres", "typed")
