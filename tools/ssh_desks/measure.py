"""Memory per desk and bytes per key press of desks over SSH."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from tests.databases import TestDatabase
from tools.bench import ground
from tools.ssh_desks.server import SshServer, prepare, ssh_server, what_is_missing
from tools.ssh_desks.terminal import Terminal
from tools.wire_proxy import WireProxy, wire_proxy

FIELD = "enutzername"
"""The cursor of a bare field stands on the first letter and is drawn on its own."""
CHART = "Belegungsplan"
MOVES = {"cursor": ("\x1b[C", "\x1b[B", "\x1b[D", "\x1b[A"), "page": ("\x1b[6~", "\x1b[5~")}
PROGRAM = Path(sys.executable).parent / "dpolg-tui"


def main(argv: list[str] | None = None) -> int:
    """Measures and prints; 2 where it cannot be done."""
    parser = argparse.ArgumentParser(prog="tools/ssh_desks", description=__doc__)
    parser.add_argument("--sessions", type=int, default=5, choices=range(1, 6), metavar="1..5")
    parser.add_argument("--tmux", action="store_true", help="one desk in tmux: it belongs to an account")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(argv)
    if reason := what_is_missing():
        parser.exit(2, f"{reason}\n")
    figures = measure(1 if options.tmux else options.sessions, tmux=options.tmux)
    if options.json:
        print(json.dumps(figures, indent=1))
    else:
        for name, value in figures.items():
            print(f"{name:<58}{value:>10.1f}")
    return 0


def measure(sessions: int, *, tmux: bool = False) -> dict[str, float]:
    """The figures by name, with their unit."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="dpolg-ssh-")))
        server = stack.enter_context(ground.server())
        database = stack.enter_context(ground.house(server, "small"))
        configuration = write_configuration(folder, database)
        prepare(folder / "root", configuration, PROGRAM, *(("--tmux",) if tmux else ()))
        rules = folder / "root/etc/ssh/sshd_config.d/dpolg-desk.conf"
        environment = {"XDG_STATE_HOME": str(folder / "state"), "TMUX_TMPDIR": str(folder)}
        sshd = stack.enter_context(ssh_server(folder, rules, environment))
        proxy = stack.enter_context(_counted(sshd))
        terminals = [stack.enter_context(sshd.session(port=proxy.port)) for _ in range(sessions)]
        for terminal, username in zip(terminals, ground.STAFF, strict=False):
            sign_in(terminal, username, database.users[username].password)
        for terminal in terminals:
            terminal.rest(2.0)
        return memory(sshd, sessions, tmux=tmux) | bytes_per_key(terminals[0], proxy)


def write_configuration(folder: Path, database: TestDatabase) -> Path:
    """A desk's config.toml for this database, as setup.sh writes one."""
    settings = ground.config(database).database
    (host, port), *_ = settings.hosts
    file = folder / "config.toml"
    file.touch(mode=0o600)
    file.write_text(
        f'[database]\nhost = "{host}"\nport = {port}\ndatabase = "{settings.database}"\n'
        f'username = "{settings.username}"\npassword = "{settings.password}"\nssl_mode = "disable"\n'
    )
    return file


def sign_in(terminal: Terminal, username: str, password: str) -> None:
    """From the login screen to the chart, at the pace of a person."""
    terminal.wait_for(FIELD)
    terminal.rest()
    for keys in (username, "\t", password, "\r"):
        terminal.type(keys)
        terminal.rest()
    terminal.wait_for(CHART)


def memory(sshd: SshServer, sessions: int, *, tmux: bool) -> dict[str, float]:
    """Proportional MiB: what one more desk costs, shared pages counted by halves, thirds …"""
    parts = {"dpolg-tui": 0.0, "sshd": 0.0}
    processes = sshd.processes()
    if tmux:
        parts["tmux"] = 0.0
        # The server of tmux has left the session's tree.
        folder = str(sshd.folder)
        for process in psutil.process_iter(["cmdline"]):
            if folder in " ".join(process.info["cmdline"] or ()) and process not in processes:
                processes.append(process)
    for process in processes:
        name = process.name()
        part = next((part for part in ("tmux", "sshd") if part in name and part in parts), "dpolg-tui")
        parts[part] += process.memory_full_info().pss / 1024**2
    figures = {f"memory per desk: {part}, PSS [MiB]": total / sessions for part, total in parts.items()}
    return figures | {"memory per desk, PSS [MiB]": sum(parts.values()) / sessions}


def bytes_per_key(terminal: Terminal, proxy: WireProxy) -> dict[str, float]:
    """Medians: to the terminal, and on the wire with SSH's own, both ways."""
    figures = {}
    for move, keys in MOVES.items():
        screen, wire = [], []
        for number in range(24):
            before, sent = terminal.received, proxy.traffic.to_client + proxy.traffic.to_server
            terminal.type(keys[number % len(keys)])
            terminal.rest(0.4)
            screen.append(terminal.received - before)
            wire.append(proxy.traffic.to_client + proxy.traffic.to_server - sent)
        figures[f"key press ({move}): to the terminal [bytes]"] = float(statistics.median(screen))
        figures[f"key press ({move}): on the wire [bytes]"] = float(statistics.median(wire))
    return figures


@contextmanager
def _counted(sshd: SshServer) -> Iterator[WireProxy]:
    """A counting proxy in front of sshd, in a thread: terminals are read in this one."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    context = wire_proxy(("127.0.0.1", sshd.port))
    try:
        yield asyncio.run_coroutine_threadsafe(context.__aenter__(), loop).result()
    finally:
        asyncio.run_coroutine_threadsafe(context.__aexit__(None, None, None), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
