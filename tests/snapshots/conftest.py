"""Pictures as text: compared with the files beside this one, written anew with ``--update-snapshots``."""

from __future__ import annotations

import difflib
import re
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.tui.desk_app import Running

PICTURES = Path(__file__).parent / "pictures"
_CLOCK = re.compile(r"\d\d\.\d\d\.\d{4} \d\d:\d\d")
_LIMIT = 20.0
_STILL = 0.4

Compare = Callable[[Running, str], Awaitable[str]]


def picture(here: Running) -> str:
    """The screen as text, moments masked."""
    return _CLOCK.sub("TT.MM.JJJJ HH:MM", here.text()) + "\n"


async def still(here: Running) -> str:
    """The screen once nothing has changed on it for a moment."""
    seen, since = "", time.monotonic()
    while time.monotonic() - since < _STILL:
        await here.pilot.pause(0.05)
        if (now := picture(here)) != seen:
            seen, since = now, time.monotonic()
    return seen


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No name of who signed in before."""
    monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: tmp_path)


@pytest.fixture
def compare(request: pytest.FixtureRequest) -> Compare:
    """Compares the screen with the picture of that name; the answer is what is on the screen."""
    update = request.config.getoption("--update-snapshots")

    async def check(here: Running, name: str) -> str:
        file = PICTURES / f"{name}.txt"
        if update:
            file.parent.mkdir(exist_ok=True)
            file.write_text(await still(here), encoding="utf-8")
        if not file.exists():
            pytest.fail(f"no picture {file.name}: look at the screen, then run with --update-snapshots")
        expected = file.read_text(encoding="utf-8")
        end = time.monotonic() + _LIMIT
        while (shown := picture(here)) != expected:
            if time.monotonic() > end:
                lines = difflib.unified_diff(
                    expected.splitlines(), shown.splitlines(), file.name, "now on the screen", lineterm=""
                )
                pytest.fail("\n".join(lines), pytrace=False)
            await here.pilot.pause(0.05)
        return shown

    return check
