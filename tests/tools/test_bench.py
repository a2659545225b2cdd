"""The bench runs and says what it measured; how fast this computer is, is not a test."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tools.bench.figures import Figure, at_most, at_most_times, missed, percentile, table

ROOT = Path(__file__).parents[2]
SHAPE = {
    "group",
    "name",
    "unit",
    "value",
    "samples",
    "p99",
    "baseline",
    "beside",
    "aim",
    "limit",
    "ratio",
    "met",
}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tools" / "bench", *arguments],
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )


@pytest.mark.long
@pytest.mark.parametrize("group", ["round_trips", "window", "propagation"])
def test_a_quick_run_gives_figures_as_json(group: str) -> None:
    done = bench("--quick", "--json", group)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert set(answer) == {"figures", "missed"}
    assert answer["figures"]
    for figure in answer["figures"]:
        assert set(figure) == SHAPE
        assert figure["group"] == group
        assert figure["samples"] > 0
        assert figure["value"] >= 0
        assert (figure["met"] is None) == (figure["limit"] is None)
    assert len(answer["missed"]) == sum(figure["met"] is False for figure in answer["figures"])


def test_an_unknown_group_is_wrong_usage() -> None:
    done = bench("nonsense")
    assert done.returncode == 2
    assert "no such group: nonsense" in done.stderr


def test_aims() -> None:
    twice = Figure("keys", "key", "ms", 5.0, 3, beside="bare", **at_most_times(2, 2.0))  # type: ignore[arg-type]
    assert twice.ratio == 2.5
    assert twice.met is False
    slowest = Figure("criterion", "save", "ms", 5.0, 3, p99=250.0, **at_most(200, "ms", "p99 "))  # type: ignore[arg-type]
    assert slowest.met is False
    assert Figure("round_trips", "save", "", 1.0, 3, **at_most(1, "")).met is True  # type: ignore[arg-type]
    assert Figure("x", "y", "ms", 1.0, 1).met is None
    assert missed([twice, slowest]) == [
        "keys: key is 5 ms, aim ≤ 2× of 2 (bare)",
        "criterion: save is 250 ms, aim p99 ≤ 200 ms",
    ]
    assert table([twice]).count("MISSED") == 1


def test_percentile_is_a_measured_value() -> None:
    values = [float(number) for number in range(1, 101)]
    assert percentile(values, 0.5) == 50
    assert percentile(values, 0.99) == 99
    assert percentile([7.0], 0.99) == 7
