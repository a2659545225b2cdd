"""The screen of the old data, on what a real migration left."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpolg_tui.domain.errors import NotAllowed
from dpolg_tui.domain.legacy import Place
from dpolg_tui.tui.dialogs.legacy_row import LegacyRowDialog
from dpolg_tui.tui.screens import legacy
from dpolg_tui.tui.screens.legacy import LegacyScreen
from tests.databases import TestDatabase
from tests.legacy.files import make
from tests.legacy.migration import execute, migrate
from tests.tui.desk_app import Running, config_for, running
from tests.tui.forms_house import signed_in

LEFT = """
INSERT INTO rooms VALUES (4, 'Zimmer 4', 'EZ', 'Ort', -1, 45.0, 65.5, 'geheim-4711');
INSERT INTO guests VALUES (8, 'Kai', '', 'k@example.org', '2', 0, '2025-01-02 03:04:05');
CREATE TABLE wünsche (id INTEGER PRIMARY KEY, text TEXT, bild BLOB);
INSERT INTO wünsche VALUES
    (1, 'Kissen [b]weich[/b]' || char(10) || 'und 😀' || char(27) || '[31m', x'000102');
"""


@pytest.fixture
def migrated(database: TestDatabase, tmp_path: Path) -> TestDatabase:
    """A house with rows in quarantine and an unknown table."""
    rows = "".join(
        f"INSERT INTO wünsche VALUES ({number}, 'Wunsch {number}', NULL);" for number in range(2, 8)
    )
    file = make(tmp_path / "alt.sqlite", LEFT + rows)
    assert migrate(database, file, tmp_path / "run").code == 0
    return database


def rows_of(screen: Running) -> int:
    assert isinstance(screen.app.screen, LegacyScreen)
    return screen.app.screen.table.row_count


async def test_only_admins_read_it(migrated: TestDatabase) -> None:
    async with signed_in(migrated, "anna") as anna, signed_in(migrated, "admin") as admin:
        for call in (
            anna.legacy.runs(),
            anna.legacy.tables(),
            anna.legacy.quarantine("", 10),
            anna.legacy.kept_rows("wünsche", "", 10),
            anna.legacy.row("rooms", 4),
        ):
            with pytest.raises(NotAllowed):
                await call
        assert [(table.place, table.name, table.rows) for table in await admin.legacy.tables()] == [
            (Place.QUARANTINE, "guests", 1),
            (Place.QUARANTINE, "rooms", 1),
            (Place.KEPT, "rooms", 1),
            (Place.KEPT, "wünsche", 7),
        ]
        (part,) = await admin.legacy.row("rooms", 4)
        assert dict(part.cells)["schluesselcode"] == "***"
        (part,) = await admin.legacy.row("wünsche", 1)
        assert dict(part.cells)["bild"] == "(Binärdaten, 3 Bytes)"


async def test_quarantine_tables_rows_and_back(
    migrated: TestDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(legacy, "PAGE", 5)
    async with running(config_for(migrated), size=(100, 30)) as desk:
        await desk.sign_in("admin", migrated.users["admin"].password)
        await desk.pilot.press("ctrl+p", *"altdaten", "enter")
        await desk.sees("Der Nachname fehlt.")
        await desk.sees("letzte Übernahme")
        await desk.pilot.press("enter")
        await desk.until(lambda: isinstance(desk.app.screen, LegacyRowDialog), "the row")
        await desk.sees("schluesselcode  ***")
        assert "4711" not in desk.text()
        await desk.pilot.press("escape")
        # The unknown table, in two pages.
        await desk.pilot.press("tab", "end")
        await desk.sees("Wunsch 5")
        assert "Seite 1 · + zeigt weitere" in desk.text()
        await desk.pilot.press("enter", "plus")
        await desk.sees("2 Zeilen · Seite 2")
        await desk.pilot.press("plus", "minus")
        await desk.sees("5 Zeilen · Seite 1")
        await desk.pilot.press("home", "enter")
        await desk.sees("Kissen [b]weich[/b]")
        await desk.sees("und 😀")
        assert "\x1b" not in desk.text()
        await desk.pilot.press("escape", "slash", *"wunsch 7")
        await desk.until(lambda: rows_of(desk) == 1, "search")
        await desk.pilot.press("escape")
        await desk.until(lambda: rows_of(desk) == 5, "search left")
        await desk.pilot.press("escape")
        await desk.until(lambda: desk.app.current_mode == "chart", "chart")


async def test_nothing_was_migrated(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("admin", database.users["admin"].password)
        await desk.app.run_action("legacy")
        await desk.sees("Hier wurden noch keine Daten übernommen.")
        await desk.sees("Nichts in Quarantäne.")
        await desk.pilot.press("enter", "plus", "minus")
        execute(database, "SELECT app.announce_reload()")
