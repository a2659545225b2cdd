"""Rooms: the list is in the store; here is what changes it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dpolg_tui.db import rows
from dpolg_tui.desk.actions import RecordActions
from dpolg_tui.domain.merge import Changes


class RoomActions(RecordActions):
    """What staff do with rooms."""

    kind = "room"

    def _take_over(self, record_id: int, answer: Mapping[str, Any], changes: Changes) -> tuple[int, ...]:  # noqa: ARG002
        known = self._desk.store.rooms.get(record_id)
        fresh = rows.room(answer["state"])
        if known is None or known.version <= fresh.version:
            self._desk.store.rooms[record_id] = fresh
        return ()

    def _forget(self, record_id: int) -> tuple[int, ...]:
        self._desk.store.rooms.pop(record_id, None)
        return ()
