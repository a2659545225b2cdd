"""Guests: search, read, write."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dpolg_tui import log
from dpolg_tui.db import reads, rows
from dpolg_tui.desk.actions import RecordActions
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import Guest, GuestSummary

NOT_READ = (
    "Ohne Verbindung lässt sich dieser Gast nicht öffnen: er wurde seit der Anmeldung noch nicht gelesen."
)


class GuestActions(RecordActions):
    """What staff do with guests."""

    kind = "guest"

    async def search(self, text: str, most: int = 50) -> list[GuestSummary]:
        """Guests by name, e-mail, phone, town or member number; without text the first in the alphabet."""
        with log.action("Gast suchen"):
            known = self._desk.known
            return await known.search(lambda: self._search(text, most), lambda: known.guests(text, most))

    async def _search(self, text: str, most: int) -> list[GuestSummary]:
        return self._desk.known.remember_lines(await reads.search_guests(self._desk.database, text, most))

    def refusal(self, guest_id: int) -> str:
        """Why it cannot be opened now, before its form is made; empty: nothing is known against it."""
        return self._desk.known.refusal("guest", guest_id, NOT_READ)

    async def get(self, guest_id: int) -> Guest:
        """All fields. Raises RecordMissing."""
        with log.action("Gast lesen"):
            return await self._desk.known.read(
                "guest", guest_id, lambda id_: reads.guest(self._desk.database, id_), NOT_READ
            )

    def _take_over(self, record_id: int, answer: Mapping[str, Any], changes: Changes) -> tuple[int, ...]:
        self._desk.known.remember("guest", record_id, rows.guest(answer["state"]))
        if not changes.keys() & {"last_name", "first_name"}:
            return ()
        store, state = self._desk.store, answer["state"]
        touched: list[int] = []
        for booking_id in store.bookings_of_guests([record_id]):
            renamed = [
                replace(bar, last_name=state["last_name"], first_name=state["first_name"])
                for bar in store.stored("booking", booking_id)
                if bar.guest_id == record_id
            ]
            if not renamed:
                continue  # only a queued write will make it his
            touched += store.apply(renamed, bookings=[booking_id])
        return tuple(touched)

    def _forget(self, record_id: int) -> tuple[int, ...]:  # noqa: ARG002 - a guest without bookings has no bar
        return ()
