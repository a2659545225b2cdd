"""The configuration: precedence, typing errors, saving."""

from __future__ import annotations

import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from dpolg_tui import config_file, locations
from dpolg_tui.config import Arguments, Config, ConfigError, load, save
from dpolg_tui.settings import SECTIONS, SETTINGS, is_loopback
from tests.config_files import write

pytestmark = pytest.mark.usefixtures("home")

PLAN_EXAMPLE = """\
[database]
host = "132.145.xxx.xxx"  # Oracle Cloud VM IP
port = 5432
database = "dpolg_booking"
username = "booking_user"
password = "SICHERES_PASSWORT"
ssl_mode = "prefer"  # Optional: require für Produktion
"""

PLAN_TEMPLATE = """\
# WICHTIG: Nach Installation anpassen!
[database]
host = "132.145.XXX.XXX"  #  Oracle Cloud IP hier eintragen!
port = 5432
database = "dpolg_booking"
username = "booking_user"
password = "PASSWORT_HIER"  #  Sicheres Passwort!
"""

PLAN_LOCAL = """\
# config.toml für lokalen Test
[database]
host = "localhost"
port = 5432
database = "dpolg_booking_test"
username = "postgres"
password = "dein_passwort"
"""


def failure(text: str, home: Path) -> str:
    path = write(home / "config.toml", text)
    with pytest.raises(ConfigError) as caught:
        load(environment={})
    assert str(path) in caught.value.message
    assert "\n" not in caught.value.message
    return caught.value.message


def test_defaults_of_table_and_objects_are_the_same() -> None:
    loaded = load(environment={})
    assert loaded == Config(values=loaded.values)
    assert loaded.source is None
    assert loaded.warnings == ()


def test_every_setting_fills_a_field() -> None:
    objects = {"database": loaded_fields("database"), "ui": loaded_fields("ui")}
    for section, names in objects.items():
        in_table = {s.key for s in SETTINGS if s.section == section}
        assert names - {"hosts"} == in_table - {"host", "port"}
    assert {setting.section for setting in SETTINGS} <= SECTIONS.keys()


def loaded_fields(section: str) -> set[str]:
    return {field.name for field in fields(getattr(load(environment={}), section))}


def test_every_setting_has_one_sentence() -> None:
    for setting in SETTINGS:
        assert setting.sentence.endswith((".", "].")), setting.name
        assert "\n" not in setting.sentence


def test_example_file_is_what_the_table_says(home: Path) -> None:
    example = Path(__file__).parent.parent / "config.toml.example"
    assert example.read_text("utf-8") == config_file.example()
    # Switched on line by line it is still valid and changes nothing but what it shows as an example.
    lines = config_file.example().splitlines()
    keys = {setting.key for setting in SETTINGS}
    on = [
        line.removeprefix("# ") if line.removeprefix("# ").split(" = ")[0] in keys else line for line in lines
    ]
    path = write(home / "all.toml", "\n".join(on))
    assert {
        f"{section}.{key}" for section, table in tomllib.loads("\n".join(on)).items() for key in table
    } == {setting.name for setting in SETTINGS}
    loaded = load(Arguments(config=path), {})
    assert loaded.database.hosts == (("db.example.org", 5432),)
    assert (loaded.ui, loaded.desk, loaded.log) == (Config().ui, Config().desk, Config().log)


@pytest.mark.parametrize("text", [PLAN_EXAMPLE, PLAN_TEMPLATE, PLAN_LOCAL])
def test_examples_of_the_plan_load_unchanged(text: str, home: Path) -> None:
    write(home / "config.toml", text)
    loaded = load(environment={})
    written = tomllib.loads(text)["database"]
    assert loaded.database.hosts == ((written["host"], 5432),)
    assert loaded.database.password == written["password"]
    assert loaded.database.username == written["username"]
    assert loaded.warnings == ()


def test_prefer_to_another_machine_loads_but_does_not_connect(home: Path) -> None:
    write(home / "config.toml", PLAN_EXAMPLE)
    settings = load(environment={}).database
    assert settings.ssl_mode == "prefer"
    with pytest.raises(ConfigError, match=r"verify-full.*allow_unverified_server = true"):
        settings.require_verified_server()
    allowed = load(environment={"DPOLG_TUI_DATABASE_ALLOW_UNVERIFIED_SERVER": "true"}).database
    allowed.require_verified_server()


@pytest.mark.parametrize(
    ("host", "mode"),
    [
        ("localhost", "prefer"),
        ("127.8.0.1", "prefer"),
        ("::1", "prefer"),
        ("/run/postgresql", "prefer"),
        ("::ffff:127.0.0.1", "prefer"),
        ("localhost.example.org", "verify-full"),
        ("0.0.0.0", "verify-full"),  # noqa: S104
        ("10.0.0.1", "verify-full"),
        ("localhost,db.example.org", "verify-full"),
    ],
)
def test_default_of_ssl_mode(host: str, mode: str) -> None:
    settings = load(environment={"PGHOST": host}).database
    assert settings.ssl_mode == mode
    settings.require_verified_server()
    assert settings.is_local is all(is_loopback(part) for part in host.split(","))


def test_precedence(home: Path) -> None:
    write(home / "config.toml", '[database]\nhost = "file"\nport = 1\ndatabase = "file"\nusername = "file"\n')
    environment = {
        "DPOLG_TUI_DATABASE_HOST": "own",
        "DPOLG_TUI_DATABASE_PORT": "2",
        "PGHOST": "pg",
        "PGPORT": "3",
    }
    environment["PGDATABASE"] = "pg"
    loaded = load(Arguments(dsn="host=dsn"), environment)
    settings = loaded.database
    assert (settings.hosts, settings.database, settings.username) == ((("dsn", 2),), "pg", "file")
    origins = {value.setting.name: value.origin for value in loaded.values}
    assert origins["database.host"] == "Kommandozeile (--dsn)"
    assert origins["database.port"] == "Umgebung DPOLG_TUI_DATABASE_PORT"
    assert origins["database.database"] == "Umgebung PGDATABASE"
    assert origins["database.username"] == f"Datei {home / 'config.toml'}"
    assert origins["database.pool_max"] == "Vorgabe"


def test_files_are_searched_in_order(home: Path, tmp_path: Path) -> None:
    places = [
        tmp_path / "etc" / "config.toml",
        locations.user_config_file(),
        home / "config.toml",
    ]
    for number, place in enumerate(places):
        write(place, f"[ui]\nidle_lock_minutes = {number}\n")
        loaded = load(environment={})
        assert (loaded.source, loaded.ui.idle_lock_minutes) == (place, number)
    named = write(home / "variable.toml", "")
    assert load(environment={"DPOLG_TUI_CONFIG": str(named)}).source == named
    given_file = write(home / "given.toml", "")
    assert load(Arguments(config=given_file), {"DPOLG_TUI_CONFIG": str(named)}).source == given_file
    with pytest.raises(ConfigError, match=r"nope\.toml \(--config\) gibt es nicht"):
        load(Arguments(config=home / "nope.toml"), {})


def test_paths_in_the_file_count_from_the_file(home: Path) -> None:
    certificate = write(home / "conf" / "ca.crt", "")
    path = write(home / "conf" / "c.toml", '[database]\nhost = "h"\nssl_root_cert = "ca.crt"\n')
    assert load(Arguments(config=path), {}).database.ca_file == certificate


def test_secrets_do_not_show() -> None:
    arguments = Arguments(dsn="postgresql://u:geheim@h/db")
    loaded = load(arguments, {"DPOLG_TUI_DATABASE_PASSWORD": "geheim"})
    assert loaded.database.password == "geheim"
    for thing in (arguments, loaded, loaded.database, loaded.values):
        assert "geheim" not in repr(thing)
    assert "geheim" not in "".join(value.shown for value in loaded.values)
    assert "Prozessliste" in loaded.warnings[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[database]\n\nhsot = 'x'\n", "Zeile 3: database.hsot ist unbekannt (gemeint: host?)"),
        ("[databas]\nhost = 'x'\n", "Zeile 1: der Abschnitt [databas] ist unbekannt (gemeint: database?)"),
        (
            "host = 'x'\n",
            "Zeile 1: der Abschnitt [host] ist unbekannt (gemeint: host im Abschnitt [database]?)",
        ),
        ("[ui]\npassword = 'x'\n", "Zeile 2: ui.password ist unbekannt (gehört in den Abschnitt [database])"),
        ("# c\n[database]\nport = 'abc'\n", "Zeile 3: database.port muss eine ganze Zahl sein, nicht 'abc'"),
        (
            "[database]\nport = 70000\n",
            "Zeile 2: database.port muss zwischen 1 und 65535 liegen, nicht 70000",
        ),
        ("[database]\nport = true\n", "database.port muss eine ganze Zahl sein, nicht True"),
        ("[database]\nhost = 5\n", "database.host muss ein Text oder eine Liste von Texten sein, nicht 5"),
        ("[database]\nhost = ['a', 5]\n", "eine Liste von Texten"),
        ("[database]\nhost = 'postgresql://h'\n", "ohne postgresql://"),
        ("[database]\nhost = ''\n", "Name oder die Adresse eines Servers"),
        ("[database]\nssl_mode = 'verify_full'\n", "(gemeint: verify-full?)"),
        ("[database]\nallow_unverified_server = 'yes'\n", "muss true oder false sein"),
        ("[database]\npassword = 12345\n", "database.password muss ein Text in Anführungszeichen sein."),
        ("[database]\npool_min = 5\n", "darf nicht über database.pool_max"),
        ("[database]\nca_file = 'a'\nssl_root_cert = 'b'\n", "ssl_root_cert ist dasselbe wie ca_file"),
        ("database.prot = 1\n", "Zeile 1: database.prot ist unbekannt (gemeint: port?)"),
        ("ui = 5\n", "Zeile 1: ui muss als Abschnitt [ui]"),
        (
            "[database]\nhost = db.example.org\n",
            "Zeile 2: kein gültiges TOML; Texte stehen in Anführungszeichen",
        ),
        ('[database]\nca_file = "C:\\Users\\x"\n', "Zeile 2: kein gültiges TOML; ein Pfad mit \\"),
        ("[ui]\n[ui]\n", "steht schon weiter oben"),
        ("[ui]\nholiday_region = 'Bayern'\n", "ui.holiday_region muss eines von BB, BE"),
        ("[log]\nlevel = 'LOUD'\n", "log.level muss eines von DEBUG"),
    ],
)
def test_typing_errors_name_file_line_and_nearest(text: str, said: str, home: Path) -> None:
    assert said in failure(text, home)


def test_a_wrong_password_value_is_not_repeated(home: Path) -> None:
    assert "12345" not in failure("[database]\npassword = 12345\n", home)


def test_files_of_other_editors(home: Path) -> None:
    path = home / "config.toml"
    path.write_bytes(b"\xef\xbb\xbf[ui]\r\nidle_lock_minutes = 3\r\n")
    assert load(environment={}).ui.idle_lock_minutes == 3
    path.write_bytes(b"[ui]\n# f\xfcr\n")
    with pytest.raises(ConfigError, match="Zeile 2: kein UTF-8"):
        load(environment={})


def test_environment_is_checked_too() -> None:
    with pytest.raises(ConfigError, match="Umgebung DPOLG_TUI_DATABASE_PORT muss eine ganze Zahl"):
        load(environment={"DPOLG_TUI_DATABASE_PORT": "abc"})
    loaded = load(environment={"DPOLG_TUI_DATABASE_HOTS": "x", "DPOLG_TUI_BACKUP_PASSWORD": "x"})
    assert loaded.warnings == (
        "Die Umgebungsvariable DPOLG_TUI_DATABASE_HOTS ist unbekannt (gemeint: DPOLG_TUI_DATABASE_HOST?).",
    )


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
def test_a_readable_file_with_a_password_warns(home: Path) -> None:
    path = write(home / "config.toml", PLAN_LOCAL, 0o644)
    assert "chmod 600" in load(environment={}).warnings[0]
    path.chmod(0o600)
    assert load(environment={}).warnings == ()
    write(path, "[ui]\n", 0o644)
    assert load(environment={}).warnings == ()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
@pytest.mark.parametrize("mode", [0o620, 0o602, 0o664, 0o666])
def test_a_file_that_others_may_write_warns(home: Path, mode: int) -> None:
    path = write(home / "config.toml", "[ui]\n", mode)
    (warning,) = load(environment={}).warnings
    assert "für andere schreibbar" in warning
    assert f"chmod 600 {path}" in warning


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
@pytest.mark.parametrize(
    ("mode", "words"),
    [(0o640, ""), (0o660, "schreibbar"), (0o644, "lesbar"), (0o646, "schreibbar")],
)
def test_the_system_wide_file_is_read_by_its_group_and_written_by_nobody_else(mode: int, words: str) -> None:
    path = locations.system_config_file()
    write(path, PLAN_LOCAL, mode)
    loaded = load(environment={})
    assert loaded.source == path
    found = [warning for warning in loaded.warnings if "chmod" in warning]
    assert len(found) == bool(words)
    for warning in found:
        assert words in warning
        # Not chmod 600: the desks of the group could read it no longer.
        assert f"chmod g-w,o-rwx {path}" in warning


@pytest.mark.parametrize(
    "name", ["DPOLG_TUI_DATABASE_CA_FILE", "DPOLG_TUI_CONFIG", "PGPASSFILE", "PGSERVICEFILE"]
)
def test_the_home_of_somebody_unknown_is_a_file_that_is_not_there(name: str) -> None:
    environment = {name: "~nobody-of-that-name/file", "PGHOST": "db.example.org"}
    if name in ("PGPASSFILE", "PGSERVICEFILE"):
        assert load(environment=environment).database.password is None
    else:
        with pytest.raises(ConfigError, match=r"~nobody-of-that-name/file .*gibt es nicht"):
            load(environment=environment)


def test_windows_has_no_system_wide_file(monkeypatch: pytest.MonkeyPatch) -> None:
    everywhere = locations.config_files()
    monkeypatch.setattr(locations.sys, "platform", "win32")
    assert (*locations.config_files(), locations.system_config_file()) == everywhere


def test_save_keeps_comments_and_order(home: Path) -> None:
    path = write(home / "config.toml", PLAN_EXAMPLE, 0o644)
    save(path, {"database": {"host": "db.example.org", "port": 5433}, "ui": {"theme": "nord"}})
    assert (
        path.read_text("utf-8")
        == PLAN_EXAMPLE.replace("132.145.xxx.xxx", "db.example.org").replace("5432", "5433")
        + '\n[ui]\ntheme = "nord"\n'
    )
    backup = path.with_name("config.toml.bak")
    assert backup.read_text("utf-8") == PLAN_EXAMPLE
    assert {entry.name for entry in home.iterdir()} == {"config.toml", "config.toml.bak"}
    if sys.platform != "win32":
        assert path.stat().st_mode & 0o777 == backup.stat().st_mode & 0o777 == 0o600
    save(path, {"database": {"port": None}, "ui": {"theme": None}})
    assert load(environment={}).database.hosts == (("db.example.org", 5432),)


def test_save_makes_a_new_file_and_follows_links(home: Path) -> None:
    path = home / "new" / "config.toml"
    save(path, {"database": {"host": "h", "ca_file": Path("ca.crt"), "allow_unverified_server": True}})
    assert tomllib.loads(path.read_text("utf-8"))["database"]["ca_file"] == "ca.crt"
    link = home / "link.toml"
    link.symlink_to(path)
    save(link, {"ui": {"idle_lock_minutes": 1}})
    assert link.is_symlink()
    assert load(Arguments(config=path), {"PGSSLMODE": "prefer"}).ui.idle_lock_minutes == 1


def test_save_refuses_what_would_not_load(home: Path) -> None:
    path = write(home / "config.toml", PLAN_EXAMPLE)
    with pytest.raises(ConfigError, match=r"database\.port muss"):
        save(path, {"database": {"port": 0}})
    assert path.read_text("utf-8") == PLAN_EXAMPLE
    write(path, "[database\n")
    with pytest.raises(ConfigError, match="bleibt unverändert"):
        save(path, {"database": {"port": 1}})


def test_saving_where_nothing_can_be_saved(home: Path) -> None:
    write(home / "file", "")
    with pytest.raises(ConfigError, match="lässt sich nicht speichern"):
        save(home / "file" / "config.toml", {"ui": {"theme": "x"}})
