"""The old data that found no place: read by admins, never changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dpolg_tui import log
from dpolg_tui.db import legacy
from dpolg_tui.domain.legacy import LegacyEntry, LegacyRow, LegacyRun, LegacyTable

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk


class LegacyActions:
    """What admins read of schema legacy. Everybody else gets NotAllowed."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def runs(self) -> list[LegacyRun]:
        """Completed migrations."""
        with log.action("Altdaten: Läufe lesen"):
            return await legacy.runs(self._desk.database)

    async def tables(self) -> list[LegacyTable]:
        """Old tables of which something is in quarantine or kept."""
        with log.action("Altdaten: Tabellen lesen"):
            return await legacy.tables(self._desk.database)

    async def quarantine(self, searched: str, most: int, after: int | None = None) -> list[LegacyEntry]:
        """A page of the rows in quarantine, behind the cursor of an earlier one."""
        with log.action("Altdaten: Quarantäne lesen"):
            return await legacy.quarantine(self._desk.database, searched, after, most)

    async def kept_rows(
        self, table: str, searched: str, most: int, after: int | None = None
    ) -> list[LegacyEntry]:
        """A page of the kept rows of one old table."""
        with log.action("Altdaten: Aufbewahrtes lesen"):
            return await legacy.kept_rows(self._desk.database, table, searched, after, most)

    async def row(self, table: str, row_id: int) -> list[LegacyRow]:
        """All that is left of one old row; it may be in quarantine and kept."""
        with log.action("Altdaten: Zeile lesen"):
            return await legacy.row(self._desk.database, table, row_id)
