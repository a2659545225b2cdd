"""Desks over SSH on a real sshd: five at once, nothing but the desk, accounts by the script."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.databases import Server, TestDatabase
from tests.server.house_server import ROOT
from tests.tui.forms_house import furnish, signed_in
from tools.bench import ground
from tools.ssh_desks.measure import CHART, FIELD, PROGRAM, sign_in, write_configuration
from tools.ssh_desks.server import SSH_DESK, SshServer, prepare, ssh_server, what_is_missing

ROOM = "Zugspitze"
ALL_COLOURS = "\x1b[38;2;"
NOT_A_SHELL = "öffnet nur das Buchungssystem"


@pytest.fixture
def folder() -> Iterator[Path]:
    """Open to other accounts, as a server's directories are."""
    if reason := what_is_missing():
        pytest.skip(reason)
    path = Path(tempfile.mkdtemp(prefix="dpolg-ssh-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


def _server(stack: ExitStack, folder: Path, database: TestDatabase, *options: str) -> SshServer:
    prepare(folder / "root", write_configuration(folder, database), PROGRAM, *options)
    environment = {"XDG_STATE_HOME": str(folder / "state"), "TMUX_TMPDIR": str(folder)}
    rules = folder / "root/etc/ssh/sshd_config.d/dpolg-desk.conf"
    return stack.enter_context(ssh_server(folder, rules, environment))


@pytest.mark.long
async def test_five_sessions_work_on_one_house(database: TestDatabase, folder: Path) -> None:
    with ExitStack() as stack:
        sshd = _server(stack, folder, database)
        terminals = [stack.enter_context(sshd.session()) for _ in range(5)]
        for terminal, username in zip(terminals, ground.STAFF, strict=False):
            sign_in(terminal, username, database.users[username].password)
        running = [process for process in sshd.processes() if process.name().startswith(("dpolg", "python"))]
        assert len(running) == 5
        for terminal in terminals:
            terminal.forget()
        async with signed_in(database, "admin") as admin:
            await furnish(admin)
        for terminal in terminals:
            terminal.wait_for(ROOM)


def test_session_in_tmux_goes_on_after_the_line_broke(database: TestDatabase, folder: Path) -> None:
    if shutil.which("tmux") is None:
        pytest.skip("tmux is not installed")
    with ExitStack() as stack:
        sshd = _server(stack, folder, database, "--tmux")
        first = sshd.session()
        sign_in(first, "anna", database.users["anna"].password)
        first.end()
        with sshd.session() as again:
            again.wait_for(CHART)
            # tmux's own keys lead nowhere: no second window, no shell.
            again.type("\x02c")
            again.rest()
            windows = subprocess.run(
                ["tmux", "-L", "desk", "list-windows", "-t", "desk"],
                env={**os.environ, "TMUX_TMPDIR": str(folder)}, capture_output=True, text=True, check=True,
            )  # fmt: skip
            assert len(windows.stdout.splitlines()) == 1
        subprocess.run(
            ["tmux", "-L", "desk", "kill-server"], env={**os.environ, "TMUX_TMPDIR": str(folder)}, check=True
        )


@pytest.fixture
def account() -> Iterator[str]:
    """A name for an account that is removed whatever happens."""
    name = f"dpolgt{os.getpid()}"
    yield name
    if subprocess.run(["id", name], capture_output=True, check=False).returncode == 0:
        subprocess.run([SSH_DESK, "remove", name, "--group", f"{name}g"], check=True, capture_output=True)
    subprocess.run(["groupdel", f"{name}g"], capture_output=True, check=False)


def test_account_gets_the_desk_and_nothing_else(
    server: Server, database: TestDatabase, folder: Path, account: str
) -> None:
    program = _program_for_accounts(folder)
    group = ("--group", f"{account}g")
    root = folder / "root"
    prepare(root, write_configuration(folder, database), program, group=group[1])
    with ssh_server(folder, root / "etc/ssh/sshd_config.d/dpolg-desk.conf", {}) as sshd:
        _run([SSH_DESK, "add", account, "--key", folder / "key.pub", "--root", root, *group])
        assert account in _run([SSH_DESK, "list", *group]).stdout.split()
        with sshd.session(account=account) as terminal:
            terminal.wait_for(FIELD)
            assert ALL_COLOURS not in terminal.seen
        with sshd.session("-o", "SendEnv=COLORTERM", account=account) as terminal:
            terminal.wait_for(ALL_COLOURS)
        for command in (["id"], ["cat", str(root / "etc/dpolg-tui/config.toml")]):
            with sshd.session(*command, account=account) as terminal:
                assert terminal.read_to_end() == 1
                assert NOT_A_SHELL in terminal.seen
        (folder / "known_hosts").touch()
        host = sshd.command(account)
        copied = subprocess.run(
            ["sftp", *host[1:-2], "-P", str(sshd.port), host[-1]], input="ls /\n",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert copied.returncode != 0
        tunnel = subprocess.run(
            sshd.command(account, "-W", f"127.0.0.1:{server.cluster.port}"),
            input="", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert tunnel.returncode != 0
        configuration = root / "etc/dpolg-tui/config.toml"
        assert stat.S_IMODE(configuration.stat().st_mode) == 0o640
        stranger = ["runuser", "-u", "nobody", "--", "cat", configuration]
        assert subprocess.run(stranger, capture_output=True, check=False).returncode != 0
        _new_key_follows_no_link(folder, root, account, group)
        _run([SSH_DESK, "remove", account, *group])
        assert subprocess.run(["id", account], capture_output=True, check=False).returncode != 0


def _new_key_follows_no_link(folder: Path, root: Path, account: str, group: tuple[str, str]) -> None:
    """The account lays a link where root is about to write."""
    keys = Path(f"~{account}").expanduser() / ".ssh" / "authorized_keys"
    elsewhere, other = folder / "elsewhere", folder / "other.pub"
    elsewhere.write_text("not theirs")
    other.write_text("ssh-ed25519 AAAA other\n")
    _run(["runuser", "-u", account, "--", "ln", "-s", elsewhere, f"{keys}.new"])
    _run([SSH_DESK, "add", account, "--key", other, "--root", root, *group])
    assert (elsewhere.read_text(), elsewhere.owner()) == ("not theirs", "root")
    assert (keys.read_text(), keys.owner()) == (other.read_text(), account)
    assert stat.S_IMODE(keys.stat().st_mode) == 0o600


def test_only_its_own_accounts_are_touched(folder: Path) -> None:
    for arguments, said in (
        (("remove", "root"), "ist kein Arbeitsplatz"),
        (("add", "root", "--root", folder), "zuerst:"),
        (("add", "Mit Leerzeichen"), "braucht einen Kontonamen"),
        (("setup", "--config", folder / "missing"), "gibt es nicht"),
    ):
        done = subprocess.run([SSH_DESK, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert said in done.stderr


def _run(command: list[str | Path]) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def _program_for_accounts(folder: Path) -> Path:
    """dpolg-tui as other accounts can run it, which a checkout below root's home does not allow."""
    if _runs_for_others(PROGRAM):
        return PROGRAM
    version = ".".join(map(str, sys.version_info[:2]))
    packages = PROGRAM.parents[1] / "lib" / f"python{version}" / "site-packages"
    launcher = folder / "dpolg-tui"
    launcher.write_text(
        f'#!/bin/sh\nPYTHONPATH={ROOT}:{packages} exec /usr/bin/python{version} -m dpolg_tui "$@"\n'
    )
    launcher.chmod(0o755)
    if not _runs_for_others(launcher):
        pytest.skip(
            f"other accounts can run neither {PROGRAM} nor /usr/bin/python{version} with its packages"
        )
    return launcher


def _runs_for_others(program: Path) -> bool:
    command = ["runuser", "-u", "nobody", "--", program, "--version"]
    return subprocess.run(command, capture_output=True, check=False, cwd="/").returncode == 0
