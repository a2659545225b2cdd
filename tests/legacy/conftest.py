"""Where old files and their copies are, in tests that do not say it themselves."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture
def file(tmp_path: Path) -> Path:
    folder = tmp_path / "Altes Programm 100%#?"
    folder.mkdir()
    return folder / "buchungen.db"


@pytest.fixture
def backups(tmp_path: Path) -> Path:
    return tmp_path / "new" / "backups"
