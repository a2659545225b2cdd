"""libpq's ways of naming a database: DSN, environment, service and password files."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpolg_tui import config, libpq
from dpolg_tui.config import Arguments, ConfigError, DatabaseSettings, load
from tests.config_files import write

pytestmark = pytest.mark.usefixtures("home")


def database(dsn: str, **environment: str) -> DatabaseSettings:
    return load(Arguments(dsn=dsn), environment).database


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer", "require", "verify-ca"])
def test_everything_below_verify_full_is_unverified(mode: str) -> None:
    with pytest.raises(ConfigError):
        database(f"postgresql://far.example.org/?sslmode={mode}").require_verified_server()
    database(f"postgresql://127.0.0.1/?sslmode={mode}").require_verified_server()
    with pytest.raises(ConfigError):
        database(f"postgresql://127.0.0.1,far.example.org/?sslmode={mode}").require_verified_server()


@pytest.mark.parametrize(
    ("dsn", "hosts"),
    [
        ("postgresql://h1:5433,h2/db", (("h1", 5433), ("h2", 5432))),
        ("postgresql://h1,h2/db", (("h1", 5432), ("h2", 5432))),
        ("postgresql://[::1]:5433,[fe80::1]/db", (("::1", 5433), ("fe80::1", 5432))),
        ("postgres://%2Frun%2Fpostgresql/db", (("/run/postgresql", 5432),)),
        ("postgresql:///db?host=h1,h2&port=1,2", (("h1", 1), ("h2", 2))),
        ("postgresql:///db", (("localhost", 5432),)),
        ("host=h1,h2 port=6000 dbname=db", (("h1", 6000), ("h2", 6000))),
        ("hostaddr=10.0.0.1 dbname=db", (("10.0.0.1", 5432),)),
    ],
)
def test_hosts_of_a_dsn(dsn: str, hosts: tuple[tuple[str, int], ...]) -> None:
    settings = database(dsn)
    assert settings.hosts == hosts
    assert settings.database == "db"


def test_a_whole_dsn() -> None:
    settings = database("postgresql://us%40er:p%40:w%2F@h/d%20b?sslmode=verify-ca&connect_timeout=3")
    assert (settings.username, settings.password, settings.database) == ("us@er", "p@:w/", "d b")
    assert (settings.ssl_mode, settings.connect_timeout) == ("verify-ca", 3.0)
    settings = database(r"host = h user='o\'brien x' password = pa\ ss dbname=''")
    assert (settings.username, settings.password, settings.database) == (
        "o'brien x",
        "pa ss",
        "dpolg_booking",
    )
    assert database("postgresql://h/db?ssl=true").ssl_mode == "require"
    assert database("postgresql://h/db?connect_timeout=0").connect_timeout == 5.0


@pytest.mark.parametrize(
    ("dsn", "said"),
    [
        ("dpolg_booking", "Die DSN ist keine"),
        ("mysql://h/db", "Die DSN ist keine"),
        ("postgresql://u:geheim@x@h/db", "%40"),
        ("postgresql://u:geheim/x@h/db", "%40"),
        ("postgresql://u:geheim%zz@h/db", "%25"),
        ("postgresql://u:geheim@h:port/db", "Port"),
        ("postgresql://u:geheim@h:99999/db", "65535"),
        ("postgresql://u:geheim@h/db?sslmod=require", "gemeint: sslmode?"),
        ("postgresql://u:geheim@h/db?sslmode=fulll", "verify-full"),
        ("postgresql://u:geheim@h/db?sslmode", "Gleichheitszeichen"),
        ("postgresql://u:geheim@h,i/db?port=1,2,3", "2 Server, aber 3 Ports"),
        ("host=h password='geheim", "nicht lesbar"),
        ("host=h passwort=geheim", "gemeint: password?"),
        ("service=nope", "nope"),
    ],
)
def test_a_wrong_dsn_gets_its_sentence_and_keeps_its_password(dsn: str, said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        database(dsn)
    assert said in caught.value.message
    assert "geheim" not in caught.value.message


@given(st.text())
def test_any_text_is_a_dsn_or_a_sentence(dsn: str) -> None:
    with contextlib.suppress(ConfigError):
        assert all(libpq.parse_dsn(dsn).values())


def test_environment_of_libpq(home: Path) -> None:
    certificate = write(home / "ca.crt", "")
    settings = load(
        environment={
            "PGHOST": "a,b",
            "PGPORT": "5433",
            "PGDATABASE": "d",
            "PGUSER": "u",
            "PGPASSWORD": "p",
            "PGSSLMODE": "verify-full",
            "PGSSLROOTCERT": str(certificate),
        }
    ).database
    assert settings.hosts == (("a", 5433), ("b", 5433))
    assert (settings.database, settings.username, settings.password) == ("d", "u", "p")
    assert settings.ca_file == certificate


def test_service_file(home: Path) -> None:
    services = write(home / "services", "# ours\n[house]\nhost=s\nport=7\nuser=su\n\n[other]\nhost=o\n")
    environment = {"PGSERVICEFILE": str(services), "PGHOST": "env"}
    assert database("service=house user=me", **environment).hosts == (("s", 7),)
    assert database("service=house user=me", **environment).username == "me"
    assert load(environment={**environment, "PGSERVICE": "other"}).database.hosts == (("o", 5432),)


def test_password_file(home: Path) -> None:
    passfile = write(home / ".pgpass", "# mine\nother:*:*:*:no\nh:5432:db:u:a\\:b\\\\c\n*:*:*:u2:second\n")
    assert database("postgresql://u@h/db").password == "a:b\\c"
    assert database("postgresql://u2@zzz/db").password == "second"
    assert database("postgresql://u3@h/db").password is None
    assert database("postgresql://u@h/db", PGPASSWORD="env").password == "env"
    named = write(home / "named", "*:*:*:*:named")
    assert database("postgresql://u@h/db", PGPASSFILE=str(named)).password == "named"
    passfile.chmod(0o644)
    loaded = load(Arguments(dsn="postgresql://u@h/db"), {})
    assert loaded.database.password is None
    assert "chmod 600" in loaded.warnings[0]


def test_password_of_the_file_stays_with_its_user(home: Path) -> None:
    write(home / "config.toml", '[database]\nhost = "h"\npassword = "clients"\n')
    assert database("postgresql://h/db").password == "clients"
    assert database("postgresql://booking_user@h/db").password == "clients"
    assert database("postgresql://postgres@h/db").password is None


def test_root_certificate_of_libpq_is_found(home: Path) -> None:
    environment = {"PGHOST": "h"}
    assert load(environment=environment).database.ca_file is None
    certificate = write(home / ".postgresql" / "root.crt", "")
    assert load(environment=environment).database.ca_file == certificate
    assert load(environment={**environment, "PGSSLROOTCERT": "system"}).database.ca_file is None
    with pytest.raises(ConfigError, match="Zertifikatsdatei"):
        load(environment={**environment, "PGSSLROOTCERT": "/nope.crt"})


def test_only_what_the_dsn_says() -> None:
    settings = config.database_from_dsn("postgresql://u:p@127.0.0.1:6000/db?sslmode=disable")
    assert settings == DatabaseSettings((("127.0.0.1", 6000),), "db", "u", "p", "disable")
