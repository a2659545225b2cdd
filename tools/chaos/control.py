"""What the negative control takes away: without it the checker must find something wrong."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from dpolg_tui.db.connection import Database
from dpolg_tui.db.live import Live


def without_request_ids_and_resync() -> None:
    """In this process each try of a write bears a new request id, and a new connection asks for no news."""
    run, connected, tell = Database._run, Live._connected, Live._tell

    async def fetchval(
        self: Database,
        sql: str,
        *args: object,
        limit: float | None = None,
        write: bool = False,
        repeat: bool = True,
    ) -> Any:
        def fresh() -> list[object]:
            return [uuid4() if isinstance(one, UUID) else one for one in args]

        return await run(self, lambda s: s.fetchval(*fresh()), sql, limit, write, repeat=repeat)

    async def connected_without_resync(self: Live, *args: Any) -> None:
        # The first of all is the sign-in: without it there would be nothing to show.
        self.deaf = hasattr(self, "deaf")  # type: ignore[attr-defined]
        await connected(self, *args)

    def tell_unless_deaf(self: Live, callback: Any, news: Any) -> None:
        if callback == self._on_changes and self.deaf:  # type: ignore[attr-defined]
            self.deaf = False  # type: ignore[attr-defined]
            return
        tell(self, callback, news)

    Database.fetchval = fetchval  # type: ignore[method-assign]
    Live._connected = connected_without_resync  # type: ignore[method-assign]
    Live._tell = tell_unless_deaf  # type: ignore[method-assign]
