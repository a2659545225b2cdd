"""Takes the picture: own server, the small generated house around a fixed day, the real application."""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg

from dpolg_tui.operations.house import DEFAULT_SEED, generate
from dpolg_tui.operations.house_loader import load_house
from tests.databases import Servers, TestDatabase, run

if TYPE_CHECKING:
    from tests.snapshots.opening import Scene

DAY = date(2026, 11, 21)
USER = "anna"
STILL = 1.5
"""Seconds until everything is there: lists, holidays, the last frame."""
CELL = 12.2
"""Width of a character in Rich's pictures."""
_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}\s*")
_SPACE = "&#160;"
_TEXT = re.compile(
    r'<text(?P<before>[^>]*?)x="(?P<x>[\d.]+)"(?P<between>[^>]*?)textLength="(?P<length>[\d.]+)"(?P<after>[^>]*)>'
    r"(?P<words>[^<]*)</text>"
)
_CLASS = re.compile(r"terminal-\d+-")


@dataclass(frozen=True, slots=True)
class Shot:
    """How to get to what is taken, the size in characters, and who looks; ``None``: the login."""

    scene: Scene
    size: tuple[int, int]
    user: str | None


def main(argv: list[str] | None = None) -> int:
    """Writes the picture; the exit code."""
    # Textual and Rich read them when imported.
    os.environ.update({"TERM": "xterm-256color", "COLORTERM": "truecolor", "TEXTUAL_ANIMATIONS": "none"})
    from tests.snapshots.scenes import SCENES

    parser = argparse.ArgumentParser(prog="tools/screenshot", description=__doc__)
    parser.add_argument("file", type=Path, help="where to write the SVG; with --manual a directory")
    parser.add_argument("--manual", action="store_true", help="all pictures of docs/handbuch.md")
    parser.add_argument("--only", metavar="NAME", help="of those this one")
    parser.add_argument("--screen", choices=SCENES, default="chart")
    parser.add_argument("--size", type=_size, default=(120, 36), metavar="120x36")
    parser.add_argument("--png", action="store_true", help="beside it a PNG, if rsvg-convert is installed")
    options = parser.parse_args(argv)
    (options.file if options.manual else options.file.parent).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="dpolg-screenshot-") as state:
        # No trace of who signed in on this computer.
        os.environ["XDG_STATE_HOME"] = state
        written = _written(options)
    print(*written, sep="\n")
    return max(_png(path) for path in written) if options.png else 0


def _written(options: argparse.Namespace) -> list[Path]:
    """Takes what is wanted and writes it; the files."""
    from tests.snapshots.scenes import SCENES
    from tools.screenshot.manual import PICTURES, SIZE

    if not options.manual:
        shot = Shot(SCENES[options.screen], options.size, None if options.screen == "login" else USER)
        wanted = {options.file: shot}
    else:
        wanted = {
            options.file / f"{name}.svg": Shot(picture.scene, SIZE, picture.user)
            for name, picture in PICTURES.items()
            if options.only in (None, name)
        }
    with _house() as database:
        for path, shot in wanted.items():
            path.write_text(asyncio.run(_take(database, shot)), encoding="utf-8")
    return list(wanted)


def _size(text: str) -> tuple[int, int]:
    width, height = map(int, text.split("x"))
    return width, height


@contextmanager
def _house() -> Iterator[TestDatabase]:
    """A server of its own with the small generated house."""
    servers = Servers()
    try:
        server = servers.get("embedded")
        if server is None:
            raise SystemExit("the embedded PostgreSQL is missing: pip install 'dpolg-tui[embedded]'")
        database = server.clone()
        run(lambda: _fill(database))
        yield database
    finally:
        servers.close()


async def _fill(database: TestDatabase) -> None:
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        await load_house(connection, generate(DEFAULT_SEED, DAY, "small"))
    finally:
        await connection.close()


async def _take(database: TestDatabase, shot: Shot) -> str:
    from tests.snapshots.opening import opened
    from tests.tui.desk_app import config_for

    account = None if shot.user is None else (shot.user, database.users[shot.user].password)
    async with opened(config_for(database), DAY, shot.size, account) as here:
        await shot.scene(here)
        await here.pilot.pause(STILL)
        return _readable(here.app.export_screenshot())


def _readable(svg: str) -> str:
    """The picture asks no other computer for fonts, is the same text each time, and small."""
    svg = _FONT_FACE.sub("", svg).replace(
        "font-family: Fira Code, monospace", "font-family: Fira Code, DejaVu Sans Mono, Menlo, monospace"
    )
    return _TEXT.sub(_without_edges, _CLASS.sub("terminal-", svg))


def _without_edges(found: re.Match[str]) -> str:
    """Spaces at the ends of a text become its position: not every program keeps them."""
    words = found["words"].replace(_SPACE, " ")
    text = words.strip()
    if not text:
        return ""
    left = float(found["x"]) + CELL * (len(words) - len(words.lstrip()))
    length = float(found["length"]) - CELL * (len(words) - len(text))
    return (
        f'<text{found["before"]}x="{left:.1f}"{found["between"]}textLength="{length:.1f}"{found["after"]}>'
        f"{text.replace(' ', _SPACE)}</text>"
    )


def _png(svg: Path) -> int:
    program = shutil.which("rsvg-convert")
    if program is None:
        sys.stderr.write("rsvg-convert is not installed: no PNG\n")
        return 1
    png = svg.with_suffix(".png")
    subprocess.run([program, "--output", png, svg], check=True)
    print(png)
    return 0
