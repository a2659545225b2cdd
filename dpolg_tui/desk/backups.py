"""How the backups stand: asked soon after the sign-in and every quarter of an hour, told when it changes."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import TYPE_CHECKING

from dpolg_tui.db import reads
from dpolg_tui.desk.events import BackupStateChanged
from dpolg_tui.domain.backups import BackupState
from dpolg_tui.domain.errors import DomainError

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

log = logging.getLogger(__name__)

LOOK_PAUSE = 3.0
"""Seconds: whoever signs in sees the chart first."""
ASK_PAUSE = 900.0


class BackupWatch:
    """Knows whether there is something to say about the backups."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._state: BackupState | None = None
        self._asked: float | None = None

    @property
    def known(self) -> bool:
        """Whether the database has answered since the sign-in."""
        return self._state is not None

    @property
    def warning(self) -> str | None:
        """The sentence for whoever is signed in, None if all is well or not known yet."""
        user = self._desk.user
        return self._state.warning(user.role) if self._state is not None and user is not None else None

    def leave(self) -> None:
        """Nobody is signed in any more; the next one is told anew."""
        self._state = None
        self._asked = None

    async def keep_asking(self) -> None:
        """Runs as long as the desk does. Without a connection the last answer stays."""
        while True:
            await asyncio.sleep(LOOK_PAUSE)
            due = self._asked is None or time.monotonic() - self._asked >= ASK_PAUSE
            if due and self._desk.listening:
                await self.ask()

    async def ask(self) -> None:
        """Ask now, and tell the screens if the sentence has changed."""
        before = self.warning
        try:
            state = await reads.backup_state(self._desk.database)
        except DomainError as error:
            log.debug("state of the backups not known: %s", type(error).__name__)
            return
        if not self._desk.listening:
            return
        self._state = state
        self._asked = time.monotonic()
        if self.warning != before:
            self._desk.tell(BackupStateChanged(self.warning))
