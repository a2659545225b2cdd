"""setup.sh run for real in a throw-away cluster: twice, then a desk by TLS, and what must be refused."""

from __future__ import annotations

import json
import re
import shutil
import socket
import stat
import struct
import subprocess
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.db.connection import Database
from dpolg_tui.db.login import login
from dpolg_tui.domain.errors import DomainError, LoginFailed
from dpolg_tui.operations.binaries import find_embedded
from dpolg_tui.operations.embedded import Options
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from dpolg_tui.settings import DatabaseSettings
from tests.databases import fast_directory
from tests.server.house_server import SETUP, HouseServer

PLAN = {
    "shared_buffers": "256MB",
    "effective_cache_size": "768MB",
    "maintenance_work_mem": "64MB",
    "work_mem": "4MB",
    "max_connections": "30",
    "checkpoint_completion_target": "0.9",
    "wal_buffers": "8MB",
    "default_statistics_target": "100",
    "random_page_cost": "1.1",
    "log_min_duration_statement": "1s",
    "jit": "off",
    "autovacuum": "on",
    "ssl": "on",
    "password_encryption": "scram-sha-256",
}


def test_the_firewall_that_fail2ban_asks_for_is_installed(house_server: HouseServer) -> None:
    """Ubuntu 24.04 and Debian 13 have fail2ban shut out by nft, which their fail2ban only recommends."""
    packages = re.search(r"Pakete: vorhanden sein müssen (.*)", house_server.output)
    assert packages is not None
    assert {"fail2ban", "nftables"} <= set(packages[1].split())


def test_second_run_changes_nothing(house_server: HouseServer) -> None:
    assert "Schritte getan" in house_server.output
    server_toml = house_server.etc / "server.toml"
    server_toml.write_text(server_toml.read_text() + "keep_daily = 20\n")
    assert "systemd läuft hier nicht" in house_server.output or Path("/run/systemd/system").is_dir()
    assert "Alles war schon so: nichts geändert." in house_server.setup().stdout
    assert "keep_daily = 20" in server_toml.read_text()


def test_later_run_sets_only_its_own_sections(house_server: HouseServer) -> None:
    server_toml = house_server.etc / "server.toml"
    before = server_toml.read_text()
    own = "host = '192.0.2.99'\nport = 99\ndatabase = 'mine'\ndirectory = '/mine'\n"
    others = f"[emergency_list]\n{own}\n[display]\n{own}"
    try:
        # The place of the backups is changed by hand, and sections stand before and after.
        server_toml.write_text(
            f"[log]\n{own}\n" + before.replace(str(house_server.folder / "backups"), "/old") + f"\n{others}"
        )
        server_toml.chmod(0o644)
        house_server.setup()
        assert server_toml.read_text() == f"[log]\n{own}\n{before}\n{others}"
        assert stat.S_IMODE(server_toml.stat().st_mode) == 0o640
    finally:
        server_toml.write_text(before)


def test_settings_of_the_plan_are_in_force(house_server: HouseServer) -> None:
    rows = house_server.sql("SELECT name || '=' || current_setting(name) FROM pg_settings").splitlines()
    settings = dict(row.split("=", 1) for row in rows)
    assert {name: settings[name] for name in PLAN} == PLAN
    assert settings.get("max_notify_queue_pages", "16384") == "16384"
    assert house_server.sql("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'booking_user'") == "25"


def test_network_gets_in_by_tls_and_scram_only(house_server: HouseServer) -> None:
    rules = house_server.sql(
        "SELECT type, auth_method, user_name FROM pg_hba_file_rules ORDER BY line_number", "postgres"
    ).splitlines()
    assert {tuple(rule.split("|")) for rule in rules if not rule.startswith("local")} == {
        ("hostssl", "scram-sha-256", "{booking_user}")
    }
    assert {rule.split("|")[1] for rule in rules if rule.startswith("local")} == {"peer", "scram-sha-256"}


def test_desk_connects_with_verify_full(house_server: HouseServer) -> None:
    done = house_server.program("--config", str(house_server.configuration), "config", "test")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Zertifikat geprüft" in done.stdout
    assert "Verbindung erfolgreich!" in done.stdout


async def test_first_admin_signs_in(house_server: HouseServer) -> None:
    settings = _settings(house_server)
    database = Database(settings)
    try:
        password = (house_server.etc / "secrets" / "admin").read_text().strip()
        user = await login(database, "admin", password)
        assert user.username == "admin"
    finally:
        await database.close()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            {"ssl_mode": "disable", "ca_file": None},
            "Der Datenbankserver lässt diese Rolle von diesem Rechner",
        ),
        ({"ca_file": "other"}, "Das Zertifikat von localhost:"),
        ({"hosts": "127.0.0.1"}, "Das Zertifikat von 127.0.0.1:"),
        ({"password": "falsch"}, "nimmt Benutzer und Passwort der Konfiguration nicht an"),
    ],
    ids=("plain TCP", "wrong CA", "wrong host name", "wrong password"),
)
async def test_everything_else_is_refused_with_a_sentence(
    house_server: HouseServer, tmp_path: Path, change: dict[str, object], said: str
) -> None:
    if change.get("ca_file") == "other":
        change = {"ca_file": _other_authority(tmp_path)}
    if "hosts" in change:
        change = {"hosts": ((change["hosts"], house_server.port),)}
    database = Database(replace(_settings(house_server), **change))
    try:
        with pytest.raises(DomainError, match=re.escape(said)):
            await database.call("app.hello", limit=5.0)
    finally:
        await database.close()


async def test_fail2ban_sees_wrong_database_passwords_only(house_server: HouseServer) -> None:
    filter_file = house_server.folder / "etc" / "fail2ban" / "filter.d" / "dpolg-postgresql.conf"
    expression = re.search(r"^failregex = (.*)$", filter_file.read_text(), re.MULTILINE)
    assert expression is not None
    # fail2ban takes the time away before it looks.
    pattern = re.compile(expression[1].replace("<HOST>", r"(?P<host>[\d.:a-f]+)"))
    before = len(house_server.log())
    failed = house_server.program(
        "--config", str(house_server.configuration), "config", "test", DPOLG_TUI_DATABASE_PASSWORD="falsch"
    )
    assert failed.returncode == 1
    database = Database(_settings(house_server))
    try:
        with pytest.raises(LoginFailed):
            await login(database, "admin", "falsch")
    finally:
        await database.close()
    _forge_log_lines(house_server)
    assert "203.0.113.9" in house_server.log()[before:]
    lines = [re.sub(r"^[\d-]+ [\d:.]+ ", "", line) for line in house_server.log()[before:].splitlines()]
    found = [match["host"] for line in lines if (match := pattern.match(line))]
    assert found == ["127.0.0.1"]


def _forge_log_lines(server: HouseServer) -> None:
    """Asks for entry under names that would be log lines of their own, to have another house shut out."""
    forged = "\n2026-11-22 05:00:00 [1] 28P01 203.0.113.9 {}FATAL:"
    for user, name in (
        (forged.format("a@b "), "x"),
        ("x", forged.format("a@b ")),
        (forged.format(""), "x"),
        ("x", forged.format("")),
    ):
        words = b"".join(
            word.encode() + b"\0" for word in ("user", user, "database", name, "application_name", user, "")
        )
        with socket.create_connection(("127.0.0.1", server.port), timeout=10) as connection:
            connection.sendall(struct.pack("!II", len(words) + 8, 196608) + words)
            assert connection.recv(1) == b"E"
            while connection.recv(4096):
                pass


def test_secrets_are_private_and_never_shown(house_server: HouseServer) -> None:
    secrets = house_server.etc / "secrets"
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o700
    shown = house_server.output + house_server.log()
    for file in secrets.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert file.read_text().strip() not in shown
    for private in (house_server.configuration, house_server.etc / "ca" / "ca.key"):
        assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_timers_work_without_a_password(house_server: HouseServer) -> None:
    cron = (house_server.folder / "etc" / "cron.d" / "dpolg-tui").read_text()
    assert len(re.findall(r"^[\d *]+ dpolg PGUSER=", cron, re.MULTILINE)) == 4
    # Debian 13 has /tmp in memory, where a whole database does not fit.
    assert "\nTMPDIR=/var/tmp\n" in cron
    server_toml = house_server.etc / "server.toml"
    assert "password =" not in server_toml.read_text()
    done = house_server.program("--config", str(server_toml), "housekeeping", PGUSER="dpolg_owner")
    assert (done.returncode, done.stderr) == (0, "")
    assert "Gelöscht" in done.stdout
    backups = house_server.folder / "backups"
    backups.mkdir(mode=0o700)
    for verb in (["backup"], ["backup", "verify"]):
        done = house_server.program("--config", str(server_toml), *verb, PGUSER="dpolg_backup")
        assert (done.returncode, done.stderr) == (0, "")
    assert len(list(backups.glob("dpolg_backup_*.dump"))) == 1
    assert "t" in house_server.sql("SELECT ok FROM app.backups WHERE kind = 'verification'")
    assert re.search(r"^\d+ \d+ \* \* \* dpolg PGUSER=dpolg_owner .* doctor --quiet$", cron, re.MULTILINE)
    done = house_server.program("--config", str(server_toml), "doctor", "--quiet", PGUSER="dpolg_owner")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    done = house_server.program("--config", str(server_toml), "doctor", "--json", PGUSER="dpolg_owner")
    certificates = [check for check in json.loads(done.stdout)["checks"] if check["key"] == "tls"]
    # Though it came by the socket: the certificate that desks are shown, and the authority's.
    assert [check["subject"] for check in certificates] == [f"127.0.0.1:{house_server.port}", "ca.crt"]
    assert {check["status"] for check in certificates} == {"ok"}
    assert all(check["figures"]["days_left"] > 300 for check in certificates)


def test_systemd_takes_the_units(house_server: HouseServer) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this system")
    units = house_server.folder / "etc" / "systemd" / "system"
    for timer in units.glob("*.timer"):
        when = re.search(r"^OnCalendar=(.*)$", timer.read_text(), re.MULTILINE)
        assert when is not None
        # A rented machine's own zone is UTC.
        assert when[1].endswith(" Europe/Berlin")
        subprocess.run(["systemd-analyze", "calendar", when[1]], check=True, capture_output=True)
    done = subprocess.run(
        ["systemd-analyze", "verify", "--recursive-errors=no", *units.glob("dpolg-*")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert [line for line in done.stderr.splitlines() if "dpolg-" in line] == []


@pytest.mark.long
def test_more_desks_another_name_and_nobody_elses_database(house_server: HouseServer) -> None:
    """What a later run changes: connections (with a restart), the certificate; and what it refuses."""
    try:
        grown = house_server.setup("--desks", "20", "--name", "db2.example.org").stdout
        assert "Neustart nötig für: max_connections" in grown
        assert house_server.sql("SHOW max_connections") == "75"
        assert house_server.sql("SELECT rolconnlimit FROM pg_roles WHERE rolname = 'booking_user'") == "70"
        assert "DNS:db2.example.org" in grown

        house_server.sql("CREATE DATABASE somebody_elses", "postgres")
        (house_server.cluster_directory / "pg_hba.conf.before-dpolg").unlink()
        refused = house_server.setup("--desks", "30", check=False)
        assert (refused.returncode, house_server.sql("SHOW max_connections")) == (1, "75")
        assert "andere Datenbanken (somebody_elses)" in refused.stderr
    finally:
        house_server.sql("DROP DATABASE IF EXISTS somebody_elses", "postgres")
        house_server.setup()


@pytest.mark.long
def test_certificate_is_renewed_in_time_and_replaced_by_a_given_one(
    house_server: HouseServer, tmp_path: Path
) -> None:
    own = house_server.cluster_directory / "dpolg-server.crt"
    authority = house_server.etc / "ca.crt"
    trusted = authority.read_text()
    first = own.read_text()
    short, key = _short_certificate(house_server, tmp_path)
    shutil.copyfile(short, own)
    assert "openssl x509 -req" in house_server.setup().stdout
    assert own.read_text() not in (first, short.read_text())
    assert authority.read_text() == trusted
    test_desk_connects_with_verify_full(house_server)
    try:
        other = tmp_path / "other.key"
        _other_authority(tmp_path)
        refused = house_server.setup("--certificate", str(short), "--key", str(other), check=False)
        assert (refused.returncode, "gehört nicht zum Zertifikat" in refused.stderr) == (1, True)
        house_server.setup("--certificate", str(short), "--key", str(key), "--ca", str(authority))
        assert own.read_text() == short.read_text()
        test_desk_connects_with_verify_full(house_server)
    finally:
        house_server.setup()


async def test_settings_suit_the_newest_postgresql() -> None:
    """What setup.sh writes, on the embedded server: one version of the distributions is not enough."""
    text = _cluster_settings()
    lines = dict(re.findall(r"^(\w+) = '?([^'\n]*)'?$", text, re.MULTILINE))
    settings = {
        name: value for name, value in lines.items() if not name.startswith(("ssl", "shared_preload"))
    }
    binaries = find_embedded()
    assert binaries is not None
    options = Options(durable=False, settings=settings)
    shared = SharedServer(temporary_directory(fast_directory()), options, binaries=binaries, temporary=True)
    try:
        await shared.start()
        connection = await asyncpg.connect(shared.cluster.dsn())
        assert await connection.fetchval("SHOW max_notify_queue_pages") == "16384"
        await connection.close()
    finally:
        await shared.close()


def _cluster_settings() -> str:
    library = SETUP.parent / "lib"
    script = (
        f"set -eu; . {library}/steps.sh; . {library}/cluster.sh; VERSION=18 LISTEN=127.0.0.1 DESKS=5 MEMORY=1"
        " SERVER_CRT=x SERVER_KEY=x; cluster_settings"
    )
    return subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True).stdout


def _short_certificate(server: HouseServer, folder: Path) -> tuple[Path, Path]:
    """A certificate for localhost by the house's authority that ends in ten days, and its key."""
    ca = server.etc / "ca"
    certificate, key, request = folder / "short.crt", folder / "short.key", folder / "short.csr"
    asked = [
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-subj",
        "/CN=localhost",
        "-keyout",
        key,
        "-out",
        request,
    ]
    signed = ["x509", "-req", "-in", request, "-CA", ca / "ca.crt", "-CAkey", ca / "ca.key", "-days", "10"]
    for words in (asked, [*signed, "-extfile", ca / "server.cnf", "-out", certificate]):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    return certificate, key


def _settings(server: HouseServer) -> DatabaseSettings:
    from dpolg_tui import config

    return config.load(config.Arguments(server.configuration), environment={}).database


def _other_authority(folder: Path) -> Path:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=other",
         "-keyout", folder / "other.key", "-out", folder / "other.crt"],
        check=True, capture_output=True,
    )  # fmt: skip
    return folder / "other.crt"
