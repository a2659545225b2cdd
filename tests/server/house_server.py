"""A server made by tools/server/setup.sh in a throw-away cluster of the system's PostgreSQL."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.databases import fast_directory

ROOT = Path(__file__).parents[2]
SETUP = ROOT / "tools" / "server" / "setup.sh"
PROGRAM = Path(sys.executable).parent / "dpolg-tui"
NEEDED = ("pg_createcluster", "pg_lsclusters", "runuser", "openssl", "bash")


def require_debian_postgresql() -> None:
    """Skips where a throw-away cluster cannot be made: no root, or not Debian's PostgreSQL."""
    if os.geteuid() != 0:
        pytest.skip("only root can run the server scripts for real")
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        pytest.skip(f"not on this system: {', '.join(missing)} (Debian's package postgresql)")


def free_port() -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class HouseServer:
    """What setup.sh is asked to make, and its answers."""

    folder: Path
    cluster: str
    port: int = field(default_factory=free_port)
    output: str = ""
    """What the first run of setup.sh said."""
    _data: Path | None = None

    @property
    def etc(self) -> Path:
        """Where setup.sh keeps what is ours."""
        return self.folder / "etc" / "dpolg-tui"

    @property
    def configuration(self) -> Path:
        """The desk's config.toml."""
        return self.etc / "desk" / "config.toml"

    @property
    def version(self) -> str:
        """Major version of the cluster."""
        listed = subprocess.run(["pg_lsclusters", "-h"], capture_output=True, text=True, check=True).stdout
        found = [line.split()[0] for line in listed.splitlines() if line.split()[1] == self.cluster]
        return found[0] if found else ""

    @property
    def data_directory(self) -> Path:
        """Where its data are, with what was moved aside beside it."""
        assert self._data is not None
        return self._data / "data"

    @property
    def cluster_directory(self) -> Path:
        """Configuration of the cluster."""
        return Path("/etc/postgresql") / self.version / self.cluster

    def create(self) -> None:
        """Makes the cluster that setup.sh will find, in memory where there is plenty.

        That setup.sh makes one where there is none is tested on a whole machine (test_whole_machine.py).
        """
        newest = max(Path("/usr/lib/postgresql").iterdir(), key=lambda path: int(path.name)).name
        self._data = Path(tempfile.mkdtemp(prefix="dpolg-cluster-", dir=fast_directory()))
        self._data.chmod(0o755)
        shutil.chown(self._data, "postgres")
        subprocess.run(
            ["pg_createcluster", newest, self.cluster, "--port", str(self.port), "-d", self._data / "data",
             "-o", "fsync=off", "--encoding", "UTF8", "--locale", "C.UTF-8", "--", "--no-sync"],
            check=True, capture_output=True,
        )  # fmt: skip

    @property
    def options(self) -> list[str | Path]:
        """What setup.sh is told."""
        return ["--name", "localhost", "--name", "db.example.org", "--cluster", self.cluster,
                "--port", str(self.port), "--listen", "127.0.0.1", "--root", self.folder,
                "--program", PROGRAM, "--backups", self.folder / "backups"]  # fmt: skip

    def setup(self, *options: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Runs setup.sh as an administrator would, but below a directory of its own."""
        command = [SETUP, *self.options, *options]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL, timeout=300
        )
        assert not check or done.returncode == 0, done.stdout + done.stderr
        return done

    def program(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Runs dpolg-tui."""
        return subprocess.run(
            [PROGRAM, *arguments],
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "XDG_STATE_HOME": str(self.folder / "state"), **environment},
            timeout=120,
        )

    def sql(self, statement: str, database: str = "dpolg_booking") -> str:
        """The answer of psql to the superuser."""
        done = subprocess.run(
            ["runuser", "-u", "postgres", "--", "psql", "-X", "-q", "-t", "-A", "-v", "ON_ERROR_STOP=1",
             "-h", "/var/run/postgresql", "-p", str(self.port), "-d", database, "-c", statement],
            capture_output=True, text=True, check=False, cwd="/",
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def log(self) -> str:
        """What the server has written."""
        return Path(f"/var/log/postgresql/postgresql-{self.version}-{self.cluster}.log").read_text()

    def remove(self) -> None:
        """Drops the cluster with all that belongs to it."""
        if version := self.version:
            subprocess.run(
                ["pg_dropcluster", "--stop", version, self.cluster], check=True, capture_output=True
            )
            shutil.rmtree(Path("/etc/postgresql") / version / self.cluster, ignore_errors=True)
        if self._data is not None:
            shutil.rmtree(self._data)
            self._data = None
