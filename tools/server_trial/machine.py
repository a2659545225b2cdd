"""A machine of the trial: systemd as its first process, reached by SSH as an administrator would."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tools.server_trial import network
from tools.server_trial.images import ADMIN, open_ways

_BOOT_LIMIT = 180.0
_COMMAND_LIMIT = 900.0
_KNOCKS = 10
# What systemd-nspawn says with --keep-unit when the machine wants to be started anew.
_RESTART = 133

Done = subprocess.CompletedProcess[str]


def from_place(place: str, words: list[str], *, hosts: Path | None = None, limit: float = 120.0) -> Done:
    """Runs a command where ``place`` is in the network; ``hosts`` is its /etc/hosts."""
    inside = ["nsenter", f"--net={network.path(place)}"]
    if hosts is not None:
        inside += ["unshare", "-m", "sh", "-c", 'mount --bind "$0" /etc/hosts && exec "$@"', str(hosts)]
    return subprocess.run(
        [*inside, *words], text=True, check=False, timeout=limit, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@dataclass
class Machine:
    """A booted container; ``place`` is its name and its place in the network."""

    place: str
    root: Path
    key: Path
    process: subprocess.Popen[bytes] = field(init=False)

    @property
    def address(self) -> str:
        """Where desks and the administrator reach it."""
        return network.ADDRESSES[self.place]

    def ssh_words(self, account: str = ADMIN, *flags: str, program: str = "ssh") -> list[str]:
        """The words of an ssh (or scp) call before what it shall do."""
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR",
                   "ConnectTimeout=10", "BatchMode=yes")  # fmt: skip
        words = [program, "-F", "/dev/null", "-i", str(self.key), *flags]
        for option in options:
            words += ["-o", option]
        return words if program == "scp" else [*words, f"{account}@{self.address}"]

    def sh(self, command: str, *, limit: float = _COMMAND_LIMIT, port: int = 22) -> Done:
        """A line of shell as the administrator, from the house."""
        for _ in range(_KNOCKS):
            done = from_place("house", [*self.ssh_words(ADMIN, "-p", str(port)), command], limit=limit)
            # sshd that reads its settings anew is away for a moment.
            if not (done.returncode == 255 and "Connection refused" in done.stdout):
                break
            time.sleep(0.5)
        return done

    def sudo(self, *words: str, limit: float = _COMMAND_LIMIT) -> Done:
        """A command as root."""
        return self.sh(f"sudo {shlex.join(words)}", limit=limit)

    def answer(self, command: str) -> str:
        """What a line of shell says; it has to succeed."""
        done = self.sh(command)
        if done.returncode:
            raise RuntimeError(f"{command}: {done.stdout}")
        return done.stdout.strip()

    def copy(self, *paths: Path) -> None:
        """Copies files and directories into the administrator's home."""
        target = f"{ADMIN}@{self.address}:"
        done = from_place(
            "house", [*self.ssh_words(ADMIN, "-r", program="scp"), *map(str, paths), target], limit=300
        )
        if done.returncode:
            raise RuntimeError(done.stdout)

    def wait_until_up(self) -> str:
        """Until systemd has started everything; its state ("running", or "degraded": a unit failed)."""
        end = time.monotonic() + _BOOT_LIMIT
        said = ""
        while time.monotonic() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.place} did not boot:\n{self.console()[-3000:]}")
            said = self.sh("systemctl is-system-running", limit=30).stdout.strip()
            if said in {"running", "degraded"}:
                return said
            time.sleep(1)
        raise RuntimeError(f"{self.place} is not up: {said}\n{self.console()[-3000:]}")

    def reboot(self) -> str:
        """Restarts it; the state afterwards."""
        self.sh("sudo systemctl reboot", limit=60)
        if (code := self.process.wait(_BOOT_LIMIT)) != _RESTART:
            raise RuntimeError(f"{self.place} ended with {code}:\n{self.console()[-3000:]}")
        self.start()
        return self.wait_until_up()

    def start(self) -> None:
        """Switches it on."""
        with (self.root.parent / "console").open("ab") as console:
            self.process = subprocess.Popen(
                ["systemd-nspawn", "--boot", "--quiet", "--register=no", "--keep-unit", "--console=pipe",
                 f"--directory={self.root}", f"--machine={self.place}",
                 f"--network-namespace-path={network.path(self.place)}",
                 "--capability=CAP_NET_ADMIN,CAP_NET_RAW", "--resolv-conf=off", "--timezone=off",
                 "--link-journal=no"],
                stdin=subprocess.DEVNULL, stdout=console, stderr=subprocess.STDOUT,
                env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            )  # fmt: skip

    def stop(self) -> None:
        """Shuts it down."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Its power fails."""
        pid = self.process.pid
        # systemd-nspawn itself is only the one who watches.
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            os.kill(int(child), signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def console(self) -> str:
        """What the machine has written on its console."""
        return (self.root.parent / "console").read_text(errors="replace")


@contextmanager
def machine(place: str, image: Path, folder: Path, proxy: str) -> Iterator[Machine]:
    """Boots a copy of ``image`` (what it writes lies below ``folder``); shut down and gone afterwards."""
    here = folder / place
    for name in ("upper", "work", "root"):
        (here / name).mkdir(parents=True)
    root, key = here / "root", here / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    layers = f"lowerdir={image},upperdir={here}/upper,workdir={here}/work"
    subprocess.run(["mount", "-t", "overlay", "overlay", "-o", layers, root], check=True)
    (root / "etc/hostname").write_text(f"{place}\n")
    (root / "etc/hosts").write_text(
        f"127.0.0.1 localhost\n127.0.1.1 {place}\n"
        + "".join(f"{network.ADDRESSES[name]} {name}.example.org\n" for name in ("db1", "db2"))
    )
    open_ways(root, proxy, (here / "key.pub").read_text())
    made = Machine(place, root, key)
    made.start()
    try:
        yield made
    finally:
        made.stop()
        subprocess.run(["umount", root], check=False)
