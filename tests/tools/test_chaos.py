"""Desks under faults lose nothing; and a checker that would find it if they did."""

from __future__ import annotations

import errno
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from dpolg_tui.db.pool import Backoff
from tools.chaos import checker
from tools.chaos.faults import KINDS
from tools.chaos.run import VIEW_LIMIT
from tools.chaos.servers import Disk

ROOT = Path(__file__).parents[2]


def chaos(tmp_path: Path, *arguments: str, limit: float = 240) -> tuple[int, dict[str, Any]]:
    """The exit code and the figures of a run."""
    file = tmp_path / "figures.json"
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "chaos", "--json", file, *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=limit,
    )
    assert file.exists(), done.stderr
    figures: dict[str, Any] = json.loads(file.read_text())
    return done.returncode, figures


def nothing_is_wrong(code: int, figures: dict[str, Any]) -> None:
    assert code == 0, json.dumps(figures, indent=1)
    assert figures["acknowledged"] > 0
    assert figures["overlap_looks"] > 0
    assert figures["pictures"] > 0, "the screen was compared, too"
    for name in ("lost", "doubled", "overlaps", "stale_views", "beyond_limit", "audit_gaps", "defects"):
        assert figures[name] == 0


def test_five_desks_lose_nothing(tmp_path: Path) -> None:
    nothing_is_wrong(
        *(
            outcome := chaos(
                tmp_path, "--seconds", "12", "--longest-fault", "1.2", "--desks", "5", "--seed", "1"
            )
        )
    )
    assert len(outcome[1]["faults"]) > len(KINDS) / 2


@pytest.mark.long
def test_without_request_ids_and_resync_the_checker_finds_it(tmp_path: Path) -> None:
    code, figures = chaos(tmp_path, "--seconds", "8", "--desks", "4", "--seed", "1", "--negative-control")
    assert code == 1
    assert figures["doubled"] > 0, "a retry under a new request id makes a guest twice"
    assert figures["stale_views"] > 0, "a desk that was away and does not ask shows old things"


@pytest.mark.long
def test_two_minutes_of_every_fault(tmp_path: Path) -> None:
    code, figures = chaos(tmp_path, "--seconds", "120", "--desks", "5", "--seed", "2", limit=600)
    nothing_is_wrong(code, figures)
    assert figures["faults"].keys() | figures["skipped"].keys() == set(KINDS)
    assert figures["unknown_resolved"] > 0


def test_a_full_disk_takes_nothing_more_and_one_that_was_freed_does() -> None:
    def use() -> tuple[str, int | None, int]:
        disk = Disk()
        if disk.place is None:
            return disk.reason, None, 0
        (disk.place / "before").write_bytes(bytes(100_000))
        disk.fill()
        with pytest.raises(OSError, match=re.escape(os.strerror(errno.ENOSPC))):
            (disk.place / "more").write_bytes(bytes(10_000_000))
        disk.free()
        written = (disk.place / "more").write_bytes(bytes(10_000_000))
        found = (disk.place / "before").stat().st_size
        disk.close()
        return "", written, found

    # In a thread: the mounts are seen by it alone, and gone with it.
    with ThreadPoolExecutor(1) as executor:
        reason, written, found = executor.submit(use).result()
    if reason:
        pytest.skip(reason)
    assert (written, found) == (10_000_000, 100_000)


def test_a_desk_tries_again_soon_enough_for_its_view_to_be_right_in_time() -> None:
    backoff = Backoff()
    assert max(backoff.next() for _ in range(200)) < VIEW_LIMIT - 1


def _event(at: float, event: str, **more: Any) -> dict[str, Any]:
    return {"event": event, "at": at, **more}


def test_the_checker_tells_lost_from_doubled_from_late() -> None:
    events = []
    for name, outcome in (("d001-1-1", "done"), ("d001-1-2", "done"), ("d001-1-3", "queued")):
        events += [
            _event(1, "begin", op=name, kind="guest_create", expect={"marker": f"chaos-{name}"}),
            _event(3, "end", op=name, outcome=outcome),
        ]
    events += [
        _event(4, "queued", op="d001-1-3", request="r"),
        _event(5, "sent", request="r"),
        _event(6, "begin", op="d001-1-4", kind="move", expect={"places": [["booking/1", 2, "a", "b"]]}),
        _event(9, "end", op="d001-1-4", outcome="done"),
    ]
    told = checker.told(events)
    assert told.acknowledged == {f"d001-1-{number}" for number in (1, 2, 3, 4)}
    counts = checker.Counter({"chaos-d001-1-1": 1, "chaos-d001-1-3": 2})
    replayed = checker.Replay({("booking/1", 3, "a", "b")}, set(), checker.Counter(), 0, [])
    verdict = checker.judge(told, replayed, counts, {})
    assert (verdict.lost, verdict.doubled) == (["d001-1-2", "d001-1-4"], ["d001-1-3"])
    assert checker.beyond(told, 2.5, [], {"d001": 0}) == (["d001-1-4"], 3)
    assert checker.beyond(told, 2.5, [(0, 6, 8)], {"d001": 0}) == ([], 2), "a stopped desk is not late"
