"""A real sshd on loopback with the rules that tools/server/ssh-desk.sh writes, and clients of it."""

from __future__ import annotations

import getpass
import grp
import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from tools.ssh_desks.terminal import Terminal

SSHD = Path("/usr/sbin/sshd")
SSH_DESK = Path(__file__).parents[1] / "server" / "ssh-desk.sh"
_START_LIMIT = 30.0


def what_is_missing() -> str | None:
    """Why no sshd can be started here; None if one can."""
    if os.geteuid() != 0:
        return "only root can start sshd for other accounts and run ssh-desk.sh"
    if not SSHD.is_file():
        return "sshd is not installed (package openssh-server)"
    return None


@dataclass(frozen=True)
class SshServer:
    """A running sshd and the key that it lets in."""

    folder: Path
    port: int
    process: psutil.Popen

    def session(self, *options: str, account: str | None = None, port: int | None = None) -> Terminal:
        """A terminal with an SSH session; ``options`` follow the host, as a command would."""
        return Terminal(
            [*self.command(account, "-tt", port=port), *options],
            {
                "PATH": os.environ["PATH"],
                "TERM": "xterm-256color",
                "HOME": str(self.folder),
                "COLORTERM": "truecolor",
            },
        )

    def command(self, account: str | None, *flags: str, port: int | None = None) -> list[str]:
        """The words of an ssh call up to and including the host."""
        return ["ssh", "-F", "/dev/null", "-o", f"UserKnownHostsFile={self.folder}/known_hosts",
                "-o", "StrictHostKeyChecking=accept-new", "-o", "IdentitiesOnly=yes", "-o", "LogLevel=ERROR",
                "-i", str(self.folder / "key"), "-p", str(port or self.port), *flags,
                f"{account or getpass.getuser()}@127.0.0.1"]  # fmt: skip

    def processes(self) -> list[psutil.Process]:
        """Everything that runs in its sessions, sshd's own part of them included."""
        return self.process.children(recursive=True)


def prepare(root: Path, configuration: Path, program: Path, *options: str, group: str | None = None) -> str:
    """Runs ``ssh-desk.sh setup`` below ``root``; what it said."""
    group = group or grp.getgrgid(os.getgid()).gr_name
    done = subprocess.run(
        [SSH_DESK, "setup", "--root", root, "--group", group, "--config", configuration,
         "--program", program, *options],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


@contextmanager
def ssh_server(folder: Path, rules: Path, environment: Mapping[str, str]) -> Iterator[SshServer]:
    """Starts sshd with ``rules`` included; ``environment`` is set in every session."""
    for name in ("host_key", "key"):
        subprocess.run(
            ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name],
            check=True,
            capture_output=True,
        )
    # sshd, started by root, wants its empty directory.
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = " ".join(f'"{name}={value}"' for name, value in environment.items())
    (folder / "sshd_config").write_text(
        f"Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host_key\nPidFile none\nStrictModes no\n"
        f"AuthorizedKeysFile {folder}/key.pub .ssh/authorized_keys\nPasswordAuthentication no\nUsePAM no\n"
        f"PermitRootLogin yes\nSubsystem sftp internal-sftp\nMaxStartups 100\n"
        + (f"SetEnv {settings}\n" if settings else "")
        + f"Include {rules}\n"
    )
    with (folder / "sshd.log").open("w") as log:
        process = psutil.Popen(
            [SSHD, "-D", "-e", "-f", folder / "sshd_config"], stdout=log, stderr=log, stdin=subprocess.DEVNULL
        )
    try:
        _wait_until_open(port, process, folder / "sshd.log")
        yield SshServer(folder, port, process)
    finally:
        _end(process)


def _wait_until_open(port: int, process: psutil.Popen, log: Path) -> None:
    end = time.monotonic() + _START_LIMIT
    while time.monotonic() < end and process.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"sshd did not start: {log.read_text()}")


def _end(process: psutil.Popen) -> None:
    """Ends sshd with every session that is left."""
    left = [*process.children(recursive=True), process]
    for one in left:
        if one.is_running():
            one.terminate()
    for one in psutil.wait_procs(left, timeout=10)[1]:
        one.kill()
    process.wait()
