"""Blocks: rooms that are out of order or kept for the house."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from dpolg_tui.desk.actions import RecordActions
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Kind, Occupancy, WriteResult
from dpolg_tui.domain.queued import bars_with


class BlockActions(RecordActions):
    """What staff do with blocks."""

    kind = "block"

    async def create(  # type: ignore[override]  # a block is always made of these
        self, room_id: int, arrival: date, departure: date, kind: Kind, reason: str | None
    ) -> WriteResult:
        """Block a room for [arrival, departure)."""
        stay = {"room_id": room_id, "arrival": arrival, "departure": departure}
        return await super().create({"stay": stay, "kind": kind.value, "reason": reason})

    async def of_room(self, room_id: int, first: date, last: date) -> list[Occupancy]:
        """The blocks of a room in [first, last) as they will be, by arrival.

        Without a connection those that the desk knows: of the days it holds, and what waits to be sent.
        """
        desk = self._desk
        taken = await desk.known.search(
            lambda: desk.bookings.taken(room_id, first, last),
            lambda: desk.store.in_room(room_id, first, last),
        )
        blocks = {bar.id: bar for bar in taken if bar.is_block}
        changed = {one.record_id for one in desk.outbox.changes("block")}
        for block_id in changed:
            known = blocks.pop(block_id, None)
            stored = desk.store.stored("block", block_id) or ([known] if known else [])
            shown = bars_with(stored, desk.outbox.changes("block", block_id), desk.known.name_of)
            blocks.update({bar.id: bar for bar in shown})
        found = (one for one in blocks.values() if one.arrival < last and one.departure > first)
        return sorted((one for one in found if one.room_id == room_id), key=lambda one: (one.arrival, one.id))

    async def move(self, block: Occupancy, room_id: int, arrival: date, departure: date) -> WriteResult:
        """Move a block to another room or other days."""
        before = {"room_id": block.room_id, "arrival": block.arrival, "departure": block.departure}
        after = {"room_id": room_id, "arrival": arrival, "departure": departure}
        return await self.save(block.id, {"stay": Change(before, after)})

    def _take_over(self, record_id: int, answer: Mapping[str, Any], changes: Changes) -> tuple[int, ...]:
        store = self._desk.store
        values: dict[str, Any] = {field: change.after for field, change in changes.items()}
        stay = values.pop("stay", {})
        if "kind" in values:
            values["kind"] = Kind(str(values["kind"]))
        known = store.stored("block", record_id)
        if known:
            fresh = replace(known[0], **stay, **values, version=answer["version"])
        elif stay and "kind" in values:
            fresh = Occupancy(id=record_id, **stay, **values, version=answer["version"])
        else:
            return ()  # outside the window
        return store.apply([fresh], blocks=[record_id])

    def _forget(self, record_id: int) -> tuple[int, ...]:
        return self._desk.store.forget(block_id=record_id)
