"""The account a PostgreSQL server runs under.

PostgreSQL refuses to run as root. Started by root, the server gets an unprivileged account;
everybody else runs it under their own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from dpolg_tui.domain.errors import DomainError

CREATED_ACCOUNT = "dpolg-postgres"
_PREFERRED = ("postgres", CREATED_ACCOUNT, "nobody")


class NoAccount(DomainError):  # noqa: N818 - named like the domain's errors
    """PostgreSQL läuft nicht als root: bitte ein Konto „postgres“ anlegen (useradd --system postgres)."""


@dataclass(frozen=True, slots=True)
class Account:
    """Whom children run as; without a name: as ourselves."""

    name: str | None = None
    uid: int = -1
    gid: int = -1

    @property
    def switches(self) -> bool:
        """Whether children run as somebody else."""
        return self.name is not None

    def run(
        self,
        command: Sequence[str | Path],
        *,
        directory: Path,
        environment: Mapping[str, str] | None = None,
        output: int | IO[Any] = subprocess.PIPE,
        timeout: float = 120,
    ) -> subprocess.CompletedProcess[str]:
        """Runs a command as this account. ``directory`` is one that it can enter.

        The surroundings carry no PG* variables: they would point our tools at other servers.
        """
        surroundings = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        surroundings |= {"LC_ALL": "C", "HOME": str(directory), **(environment or {})}
        identity: dict[str, Any] = {}
        if self.switches:
            identity = {"user": self.uid, "group": self.gid, "extra_groups": []}
        return subprocess.run(
            [str(part) for part in command],
            cwd=directory,
            env=surroundings,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=timeout,
            check=False,
            **identity,
        )

    def can_run(self, program: Path) -> bool:
        """Whether this account can run the program: tried, since modes do not tell everything."""
        try:
            return self.run([program, "--version"], directory=Path("/")).returncode == 0
        except OSError:
            return False

    def can_enter(self, directory: Path) -> bool:
        """Whether this account can reach what lies in the directory, which may not exist yet."""
        if not self.switches:
            return True
        while not directory.exists():
            directory = directory.parent
        return self.run(["test", "-x", directory], directory=Path("/")).returncode == 0

    def give(self, target: Path | int) -> None:
        """Makes a file or directory of ours (or an open one) belong to this account."""
        if self.switches and sys.platform != "win32":
            os.chown(target, self.uid, self.gid)


def server_account() -> Account:
    """The account for servers that we start: a service account for root, else our own."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return Account()
    import pwd

    for name in _PREFERRED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(name, entry.pw_uid, entry.pw_gid)
    try:
        subprocess.run(
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", CREATED_ACCOUNT],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise NoAccount from error
    entry = pwd.getpwnam(CREATED_ACCOUNT)
    return Account(CREATED_ACCOUNT, entry.pw_uid, entry.pw_gid)
