"""Which days of the house the store holds: read on by paging, anew after a leap or when news went missing."""

from __future__ import annotations

import asyncio
from datetime import date, timedelta
from typing import TYPE_CHECKING

from dpolg_tui.db import reads
from dpolg_tui.db.state import Phase
from dpolg_tui.desk.events import StoreReloaded
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.domain.models import Occupancy
from dpolg_tui.log import action

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

BEFORE_TODAY = timedelta(days=21)
AFTER_TODAY = timedelta(days=100)
MARGIN = timedelta(days=45)
"""Read beyond what is asked for, so that paging does not read at every step."""
LONGEST_WINDOW = timedelta(days=800)
NOT_READ = "Ohne Verbindung sind nur die Tage zu sehen, die schon gelesen waren."


class Window:
    """Reads the days of a desk's store, one reader at a time."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.lock = asyncio.Lock()
        """Held by whoever changes what the store holds of the days."""

    async def show(self, first: date, last: date) -> None:
        """Make sure that the store holds [first, last): by reading on, or anew after a leap.

        All of it within the limit of one action, also if a reload is under way: else raises Unreachable,
        without a connection at once.
        """
        # Not behind the lock: a reload may hold it until a hung server is given up.
        if self._desk.store.covers(first, last):
            return
        if self._desk.connection.phase is Phase.OFFLINE:
            raise Unreachable(NOT_READ)
        try:
            async with asyncio.timeout(self._desk.config.database.action_timeout):
                await self._show(first, last)
        except TimeoutError:
            raise Unreachable from None

    async def _show(self, first: date, last: date) -> None:
        async with self.lock:
            store = self._desk.store
            if store.covers(first, last):
                return
            first, last = first - MARGIN, last + MARGIN
            apart = last < store.first or first > store.last
            if apart or max(last, store.last) - min(first, store.first) > LONGEST_WINDOW:
                loaded = await self._chart(first, last)
                store.begin_window(first, last)
                store.add_loaded(loaded)
            else:
                if first < store.first:
                    loaded = await self._chart(first, store.first)
                    store.extend_window(first, store.last)
                    store.add_loaded(loaded)
                if last > store.last:
                    loaded = await self._chart(store.last, last)
                    store.extend_window(store.first, last)
                    store.add_loaded(loaded)
        self._desk.tell(StoreReloaded())

    async def _chart(self, first: date, last: date) -> list[Occupancy]:
        """The bars of a window, not older than the answers to own writes."""
        while True:
            written = self._desk.writes_answered
            with action("Belegungsplan lesen"):
                loaded = await reads.chart(self._desk.database, first, last)
            if written == self._desk.writes_answered:
                return loaded

    async def read_anew(self) -> None:
        """The days that are shown (at first those around today), rooms and colleagues, all of it."""
        store = self._desk.store
        async with self.lock:
            today = self._desk.today()
            first, last = store.first, store.last
            if first == last:
                first, last = today - BEFORE_TODAY, today + AFTER_TODAY
            # One after the other on the warm connection: a second one would have to be opened first.
            written = None
            while written != self._desk.writes_answered:
                written = self._desk.writes_answered
                loaded = await reads.chart(self._desk.database, first, last)
                rooms = await reads.rooms(self._desk.database)
                colleagues = await reads.colleagues(self._desk.database)
            store.forget_versions()
            store.begin_window(first, last)
            store.add_loaded(loaded)
            store.take_rooms(rooms)
            store.colleagues = {}
            for user in colleagues:
                self._desk.know_colleague(user)
        self._desk.tell(StoreReloaded())
