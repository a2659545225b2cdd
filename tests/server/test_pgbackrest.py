"""Back to the moment before a wrong mass change with pgBackRest, by the commands of docs/backup.md."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.server import pages
from tests.server.house_server import HouseServer, require_debian_postgresql

pytestmark = pytest.mark.long

SECTION = pages.section("backup.md", "Less to lose: the write-ahead log")


@pytest.fixture
def archived(tmp_path: Path) -> Iterator[HouseServer]:
    """A house of its own: its archive is switched on."""
    require_debian_postgresql()
    if shutil.which("pgbackrest") is None:
        pytest.skip("not on this system: pgbackrest (Debian's package of that name)")
    made = HouseServer(tmp_path, f"dpolgrest{os.getpid()}")
    try:
        made.create()
        made.setup()
        yield made
    finally:
        made.remove()


def follow(server: HouseServer, block: str, moment: str = "") -> str:
    """Runs a block of the page as root, with the paths, the port and the moment of this test."""
    cluster = f"{server.version} {server.cluster}"
    ours = {
        r"sudo systemctl (\w+) postgresql@17-main": rf"pg_ctlcluster {cluster} \g<1>",
        "17 main": cluster,
        r"pgbackrest --stanza": f"pgbackrest --config={_configuration(server)} --stanza",
        r"--target=[^\"]*": f"--target={moment}",
        "host=/var/run/postgresql": rf"\g<0> port={server.port}",
        "sudo -u postgres": f"PGPORT={server.port} runuser -u postgres --",
        "sudo ": "",
    }
    return pages.as_root(pages.put(block, ours), Path("/"))


def _configuration(server: HouseServer) -> Path:
    return server.data_directory.parent / "pgbackrest.conf"


def _write(server: HouseServer) -> None:
    """Both files of the page, in their places."""
    folder = server.data_directory.parent
    for name in ("repository", "log", "lock"):
        (folder / name).mkdir()
        shutil.chown(folder / name, "postgres")
    rest, own = pages.fenced(SECTION, "ini")
    ours = {
        "/var/lib/pgbackrest": folder / "repository",
        "cipher-pass=…": f"cipher-pass={secrets.token_hex(24)}",
        "/var/lib/postgresql/17/main": server.data_directory,
        "5432$": server.port,
        "start-fast=y": rf"\g<0>\nlog-path={folder / 'log'}\nlock-path={folder / 'lock'}",
    }
    file = _configuration(server)
    file.write_text(pages.put(rest.rstrip(), ours) + "\n")
    file.chmod(0o640)
    shutil.chown(file, "postgres", "postgres")
    archive = pages.put(own, {"pgbackrest": f"pgbackrest --config={file}"})
    (server.cluster_directory / "conf.d" / "zz-own.conf").write_text(archive)


def test_back_to_the_moment_before_a_wrong_change(archived: HouseServer) -> None:
    guest = "INSERT INTO app.guests (last_name) VALUES ('{}')"
    names = "SELECT string_agg(last_name, ',' ORDER BY id) FROM app.guests"
    _write(archived)
    begin, back = pages.fenced(SECTION)[0], pages.fenced(SECTION)[-1]
    archived.sql(guest.format("Huber"))
    instance = archived.sql("SELECT instance_id FROM app.installation")
    follow(archived, begin)
    archived.sql(guest.format("Neumann"))
    # It counts a backup's end in whole seconds: one that ended in this second is not before the moment.
    archived.sql("SELECT pg_sleep(1.1)")
    moment = archived.sql("SELECT clock_timestamp()")
    archived.sql("UPDATE app.guests SET last_name = 'Falsch'")
    archived.sql(guest.format("Später"))

    follow(archived, back, moment)
    assert archived.sql(names) == "Huber,Neumann"
    assert archived.sql("SELECT instance_id FROM app.installation") != instance
    assert archived.sql("SHOW listen_addresses") == "127.0.0.1"
    told = follow(archived, "sudo -u postgres pgbackrest --stanza=dpolg info")
    assert "status: ok" in told
    assert "cipher: aes-256-cbc" in told
    assert told.count("full backup: ") == 2
    assert not any(b"Neumann" in file.read_bytes() for file in _files(archived))


def _files(server: HouseServer) -> list[Path]:
    """Of the repository: all of it is encrypted."""
    found = [path for path in (server.data_directory.parent / "repository").rglob("*") if path.is_file()]
    assert len(found) > 100
    return found
