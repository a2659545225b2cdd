"""A network of our own: one bridge, an address for each machine and house, and no way out but the proxy.

Everything lies in network namespaces, so the firewall of the computer that runs the trial is never touched.
"""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

GATEWAY = "10.77.0.1"
MACHINE = "10.77.0.10"
SECOND_MACHINE = "10.77.0.11"
HOUSE = "10.77.0.7"
OTHER_HOUSE = "10.77.0.8"
STRANGER = "10.77.0.66"
ADDRESSES = {
    "db1": MACHINE,
    "db2": SECOND_MACHINE,
    "house": HOUSE,
    "other": OTHER_HOUSE,
    "stranger": STRANGER,
}
_CLONE_NEWNET = 0x40000000


def namespace(place: str) -> str:
    """The network namespace of a place ("house", "db1", …)."""
    return f"dpolg-{os.getpid()}-{place}"


def path(place: str) -> Path:
    """Its file, as systemd-nspawn and nsenter want it."""
    return Path("/run/netns") / namespace(place)


@contextmanager
def network() -> Iterator[None]:
    """All places connected; gone afterwards."""
    try:
        _ip("netns", "add", namespace("net"))
        _ip("-n", namespace("net"), "link", "add", "bridge", "type", "bridge")
        _ip("-n", namespace("net"), "address", "add", f"{GATEWAY}/24", "dev", "bridge")
        _ip("-n", namespace("net"), "link", "set", "bridge", "up")
        for number, (place, address) in enumerate(ADDRESSES.items()):
            inside = namespace(place)
            _ip("netns", "add", inside)
            _ip("-n", inside, "link", "add", "host0", "type", "veth",
                "peer", "name", f"port{number}", "netns", namespace("net"))  # fmt: skip
            _ip("-n", namespace("net"), "link", "set", f"port{number}", "master", "bridge", "up")
            _ip("-n", inside, "address", "add", f"{address}/24", "dev", "host0")
            for device in ("lo", "host0"):
                _ip("-n", inside, "link", "set", device, "up")
        yield
    finally:
        for place in (*ADDRESSES, "net"):
            subprocess.run(["ip", "netns", "delete", namespace(place)], check=False, capture_output=True)


def listening_socket() -> socket.socket:
    """A socket that listens on the gateway's address, although this process stays in its own network."""
    made: list[socket.socket] = []
    failed: list[OSError] = []

    def make() -> None:
        # Only this thread moves.
        libc = ctypes.CDLL(None, use_errno=True)
        with path("net").open() as file:
            if libc.setns(file.fileno(), _CLONE_NEWNET):
                failed.append(OSError(ctypes.get_errno(), "setns"))
                return
        made.append(socket.create_server((GATEWAY, 0)))

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if failed or not made:
        raise failed[0] if failed else OSError("no socket in the trial's network")
    return made[0]


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
