"""The measuring commands run; how fast or small things are on this computer, is not a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.ssh_desks.server import what_is_missing

pytestmark = pytest.mark.long

ROOT = Path(__file__).parents[2]


def _run(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, *arguments, "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert isinstance(figures, dict)
    return figures


def test_sizing_measures_a_server() -> None:
    row = _run("tools/sizing.py", "--desks", "2", "--changes", "2", "--idle", "1")
    assert row["desks"] == 2
    for figure in ("connections", "server_memory", "per_connection", "seen_by_all_median"):
        assert row[figure] > 0


def test_desks_over_ssh_are_measured() -> None:
    if reason := what_is_missing():
        pytest.skip(reason)
    figures = _run("tools/ssh_desks", "--sessions", "1")
    assert figures["memory per desk, PSS [MiB]"] > 0
    assert figures["key press (cursor): on the wire [bytes]"] > 0
