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
        self._desk.store.take_room(rows.room(answer["state"]))
        return ()

    def _forget(self, record_id: int) -> tuple[int, ...]:
        self._desk.store.forget_room(record_id)
        return ()
