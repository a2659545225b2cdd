"""What is tried, in the order of docs/server.md, and how it is told."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tools.server_trial import access, firewall, later, network, second, server
from tools.server_trial.ground import Ground, NoServerError
from tools.server_trial.images import DISTRIBUTIONS, base_image
from tools.server_trial.machine import machine
from tools.server_trial.proxy import proxy
from tools.server_trial.report import Report

NEEDED = ("debootstrap", "systemd-nspawn", "ip", "nsenter", "unshare", "ssh", "scp")
_PRIVATE = "DPOLG_TRIAL_PRIVATE"
STEPS: tuple[Callable[[Ground], None], ...] = (
    server.set_up,
    firewall.look_at_firewall,
    server.look_at_services,
    access.desks,
    access.passwords,
    firewall.change_while_banned,
    server.restart,
    later.later,
    access.ssh_desks,
)


def main(argv: list[str] | None = None) -> int:
    """1 if something was found, 2 where it cannot be tried."""
    parser = argparse.ArgumentParser(prog="tools.server_trial", description=__doc__)
    parser.add_argument("suite", nargs="+", choices=DISTRIBUTIONS, metavar="|".join(DISTRIBUTIONS))
    parser.add_argument("--wheel", type=Path, help="default: the one in dist/ (make wheel)")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()) / "dpolg-server-trial",
                        help="images (kept) and what machines write; 2 GB for each distribution")  # fmt: skip
    parser.add_argument("--keyring", type=Path, help="of Ubuntu's archive, on a Debian without its package")
    parser.add_argument("--standby", action="store_true", help="a second machine, too")
    parser.add_argument("--oracle", action="store_true", help="with the firewall rules of Oracle's images")
    parser.add_argument("--image-only", action="store_true", help="make the images and end")
    options = parser.parse_args(argv)
    if os.geteuid() != 0:
        parser.exit(2, "only root can boot machines\n")
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        parser.exit(
            2, f"not on this system: {', '.join(missing)} (debootstrap, systemd-container, iproute2)\n"
        )
    if _PRIVATE not in os.environ:
        # Mounts are seen by nobody else, and gone with us.
        words = ["unshare", "--mount", "--propagation", "private", sys.executable, "-m", "tools.server_trial"]
        os.environ[_PRIVATE] = "yes"
        return subprocess.run([*words, *(sys.argv[1:] if argv is None else argv)], check=False).returncode
    _unified_cgroups()
    # systemd-nspawn cleans a directory of its own at a restart, and only where it is kept in memory.
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run/systemd"], check=True)
    failed = 0
    for suite in options.suite:
        image = base_image(DISTRIBUTIONS[suite], options.folder, options.keyring)
        if not options.image_only:
            failed += _try(suite, image, options)
    return 1 if failed else 0


def _unified_cgroups() -> None:
    """New versions of systemd boot on cgroup v2 only."""
    mounts = Path("/proc/mounts").read_text().splitlines()
    if any(line.split()[1:3] == ["/sys/fs/cgroup", "cgroup2"] for line in mounts):
        return
    subprocess.run(["umount", "--recursive", "--lazy", "/sys/fs/cgroup"], check=False)
    subprocess.run(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"], check=True)


def _try(suite: str, image: Path, options: argparse.Namespace) -> int:
    """One distribution; how many findings."""
    folder = Path(tempfile.mkdtemp(prefix=f"{suite}-", dir=options.folder))
    report = Report(DISTRIBUTIONS[suite].title, folder / "log")
    wheel = options.wheel or max(Path("dist").glob("*.whl"), default=None)
    if wheel is None:
        sys.exit("no wheel in dist/: make wheel")
    steps = (*STEPS, second.standby) if options.standby else STEPS
    try:
        with (
            network.network(),
            proxy(network.listening_socket()) as way_out,
            machine("db1", image, folder, way_out) as first,
        ):
            ground = Ground(
                DISTRIBUTIONS[suite], first, folder, wheel.resolve(), image, way_out, report, options.oracle
            )
            for step in steps:
                report.heading(step)
                try:
                    step(ground)
                except NoServerError:
                    break
                except (RuntimeError, OSError, subprocess.SubprocessError) as error:
                    report.check(f"{step.__name__} went through", False, str(error))
    finally:
        kept = options.folder / f"{suite}.log"
        if report.log.exists():
            shutil.copy(report.log, kept)
        shutil.rmtree(folder, ignore_errors=True)
    report.end(kept)
    return report.failed
