"""setup.sh and its parts without a server: usage, rehearsal, single steps."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server.house_server import ROOT, SETUP, HouseServer, free_port, require_debian_postgresql

SCRIPTS = sorted((ROOT / "tools" / "server").glob("*.sh"))


def test_shellcheck_has_nothing_to_say() -> None:
    checker = Path(sys.executable).parent / "shellcheck"
    done = subprocess.run([checker, *SCRIPTS], capture_output=True, text=True, check=False, cwd=ROOT)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "es fehlt --name"),
        (("--name", "db example"), "kein Name und keine Adresse"),
        (("--name", "db", "--from", "Haus"), "keine Adresse"),
        (("--name", "db", "--desks", "viele"), "keine ganze Zahl"),
        (("--name", "db", "--database", "x'; DROP"), "erlaubt sind"),
        (("--name", "db", "--key", "/nirgends"), "gehören zusammen"),
        (("--name", "db", "--backups", "/etc"), "gehört nicht dem Konto dpolg"),
        (("--name", "db", "--backups", "/backups/../etc"), "gehört nicht dem Konto dpolg"),
        (("--name", "db", "--unknown", "1"), "--unknown ist unbekannt"),
        (("--name",), "braucht einen Wert"),
    ],
)
def test_wrong_usage_is_told_before_anything_is_done(options: tuple[str, ...], said: str) -> None:
    done = subprocess.run([SETUP, "--dry-run", *options], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_rehearsal_shows_every_step_and_does_none(tmp_path: Path) -> None:
    require_debian_postgresql()
    server = HouseServer(tmp_path, "dpolgrehearsal", free_port())
    done = server.setup("--dry-run", "--from", "192.0.2.7", "--desks", "20")
    assert done.stderr == ""
    for step in ("pg_createcluster", "openssl x509 -req", "max_connections = 75", "dpolg-backup.timer",
                 "28P01", "0 3 * * *", "Port"):  # fmt: skip
        assert step in done.stdout
    assert list(tmp_path.iterdir()) == []
    assert server.version == ""


def test_the_port_of_this_very_session_stays_open(tmp_path: Path) -> None:
    """sudo takes SSH_CONNECTION away; sshd started by a socket does not know the port."""
    asked = tmp_path / "ask"
    asked.write_text(
        f"set -Eeuo pipefail; shopt -s inherit_errexit; . {SETUP.parent}/lib/firewall.sh; ssh_ports\n"
    )
    done = subprocess.run(
        ["bash", "-c", f"env -u SSH_CONNECTION bash {asked}; true"],
        capture_output=True, text=True, check=True,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "SSH_CONNECTION": "192.0.2.7 5000 192.0.2.1 2223"},
    )  # fmt: skip
    assert (done.stderr, "2223" in done.stdout.split()) == ("", True)


def test_a_mode_that_is_wrong_is_set_right(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x\n")
    (tmp_path / "file").chmod(0o666)
    command = f". {SETUP.parent}/lib/steps.sh; write_file {tmp_path}/file 640 <<<x"
    for told in ("chmod 640", "~"):
        done = subprocess.run(["bash", "-euc", command], capture_output=True, text=True, check=True)
        assert told in done.stdout
        assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o640
        (tmp_path / "file").write_text("y")
