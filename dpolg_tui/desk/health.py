"""How the system is doing, for admins: looked at as a whole first, then one round trip each time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from dpolg_tui.db import health
from dpolg_tui.domain.health_figures import Figures, TerminalFigures
from dpolg_tui.log import action

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk


class HealthActions:
    """Measures what ``dpolg-tui doctor`` measures, from this desk. Raises NotAllowed for non-admins."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def look_around(self, terminal: TerminalFigures) -> Figures:
        """Everything: servers, certificates, rights, clock, and what ``look`` asks."""
        database = self._desk.database
        with action("Zustand ganz ansehen"):
            server = await health.of_server(database)
            hosts, seen, authorities, program = await asyncio.gather(
                health.look_at_hosts(database.settings),
                health.of_catalogue(database),
                asyncio.to_thread(health.authorities, database.settings.ca_file),
                asyncio.to_thread(health.program),
            )
        return Figures(
            now=health.now(),
            program=program,
            hosts=hosts,
            authorities=authorities,
            clock_offset=seen.clock_offset,
            database=seen.database,
            server=server,
            findings=seen.findings,
            terminal=terminal,
        )

    async def look(self, before: Figures, terminal: TerminalFigures) -> Figures:
        """What changes from moment to moment, in one round trip; the rest is of ``before``."""
        with action("Zustand ansehen"):
            server = await health.of_server(self._desk.database)
        return replace(before, now=health.now(), server=server, terminal=terminal)
