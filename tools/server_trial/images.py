"""Images of the distributions as providers have them: systemd, sshd, an account that may sudo."""

from __future__ import annotations

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

UBUNTU = "http://archive.ubuntu.com/ubuntu"
DEBIAN = "http://deb.debian.org/debian"
ALWAYS = (
    "systemd-sysv dbus ca-certificates iproute2 openssh-server sudo python3 procps locales tzdata cron less"
)
ADMIN = "verwalter"
"""The account that the first start of a provider's image would make."""


@dataclass(frozen=True)
class Distribution:
    """One that docs/server.md names."""

    suite: str
    title: str
    mirror: str
    components: str
    script: str
    """debootstrap's script: older versions of it do not know the newest suites."""
    packages: tuple[str, ...] = ()
    """What providers' images have besides."""

    @property
    def security(self) -> str:
        """The line of its security updates for sources.list."""
        if self.mirror == UBUNTU:
            return f"deb http://security.ubuntu.com/ubuntu {self.suite}-security {self.components}"
        return f"deb http://deb.debian.org/debian-security {self.suite}-security {self.components}"


DISTRIBUTIONS = {
    made.suite: made
    for made in (
        Distribution("jammy", "Ubuntu 22.04", UBUNTU, "main,universe", "gutsy", ("rsyslog",)),
        Distribution("noble", "Ubuntu 24.04", UBUNTU, "main,universe", "gutsy", ("rsyslog",)),
        Distribution("bookworm", "Debian 12", DEBIAN, "main", "sid"),
        Distribution("trixie", "Debian 13", DEBIAN, "main", "sid"),
    )
}


def base_image(distribution: Distribution, folder: Path, keyring: Path | None) -> Path:
    """The image's directory below ``folder``, made at the first call (some minutes)."""
    place = folder / "images" / distribution.suite
    if (place / ".complete").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    words = ["debootstrap", "--variant=minbase", f"--components={distribution.components}",
             f"--include={','.join((*ALWAYS.split(), *distribution.packages))}"]  # fmt: skip
    if keyring is not None:
        words.append(f"--keyring={keyring}")
    script = Path("/usr/share/debootstrap/scripts") / distribution.script
    print(f"debootstrap {distribution.suite} …", flush=True)
    done = subprocess.run(
        [*words, distribution.suite, place, distribution.mirror, script],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"debootstrap failed:\n{done.stdout[-3000:]}")
    _complete(distribution, place)
    (place / ".complete").touch()
    return place


def _complete(distribution: Distribution, place: Path) -> None:
    """All updates of today, and the account of the administrator."""
    components = distribution.components.replace(",", " ")
    updates = f"deb {distribution.mirror} {distribution.suite}-updates {components}"
    security = distribution.security.replace(",", " ")
    sources = f"deb {distribution.mirror} {distribution.suite} {components}\n{updates}\n{security}\n"
    (place / "etc/apt/sources.list").write_text(sources)
    (place / "etc/default/locale").write_text("LANG=C.UTF-8\n")
    (place / "etc/hostname").write_text("db1\n")
    (place / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 db1\n::1 localhost\n")
    commands = (
        "export DEBIAN_FRONTEND=noninteractive",
        "apt-get -q update",
        "apt-get -q -y -o Dpkg::Options::=--force-confold dist-upgrade",
        f"useradd --create-home --shell /bin/bash {ADMIN}",
        f"echo '{ADMIN} ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/{ADMIN}",
        "rm -f /etc/machine-id && touch /etc/machine-id",
    )
    done = subprocess.run(
        ["chroot", place, "sh", "-ec", "\n".join(commands)],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    if done.returncode:
        sys.exit(f"the image could not be completed:\n{done.stdout[-3000:]}")


def open_ways(root: Path, proxy: str, key: str) -> None:
    """What a machine of this trial needs to fetch packages, and the key of its administrator."""
    (root / "etc/apt/apt.conf.d/00trial").write_text(f'Acquire::http::Proxy "{proxy}";\n')
    lines = [f"proxy = {proxy}", "disable-pip-version-check = true"]
    if certificates := _pip_certificates():
        shutil.copy(certificates, root / "etc/ssl/trial-ca.crt")
        lines.append("cert = /etc/ssl/trial-ca.crt")
    (root / "etc/pip.conf").write_text("[global]\n" + "\n".join(lines) + "\n")
    folder = root / "home" / ADMIN / ".ssh"
    folder.mkdir(mode=0o700, exist_ok=True)
    (folder / "authorized_keys").write_text(key)
    owner = (root / "home" / ADMIN).stat()
    for path in (folder, folder / "authorized_keys"):
        shutil.chown(path, owner.st_uid, owner.st_gid)


def _pip_certificates() -> str:
    """The file of authorities that pip trusts on this computer, "" for its own: proxies may need it."""
    done = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    )
    pairs = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    return pairs.get("global.cert", "").strip("'\"")
