"""The audit log as a whole: a page at a time, or all of it into a file."""

from __future__ import annotations

import asyncio
import csv
from collections.abc import Iterable
from dataclasses import astuple
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui import log
from dpolg_tui.db import audit
from dpolg_tui.domain.audit import AuditEntry, AuditFilter
from dpolg_tui.domain.words import audit_lines

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

PAGE = 200
"""Entries of a page on the screen."""
_FILE_PAGE = 1000

COLUMNS = ("Wann", "Wer", "Arbeitsplatz", "Art", "Datensatz", "Was", "vorher", "nachher")


class AuditActions:
    """What admins do with the audit log."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def page(
        self, wanted: AuditFilter, before: int | None = None, most: int = PAGE
    ) -> list[AuditEntry]:
        """Entries, newest first; ``before``: the id of the last one of the page before. Raises NotAllowed."""
        with log.action("Protokoll lesen"):
            return await audit.audit(self._desk.database, wanted, before, most)

    async def export_csv(self, wanted: AuditFilter) -> Path:
        """Everything that the filter lets through, as CSV for Excel; returns the file. Raises NotWritten."""
        with self._desk.files.new("protokoll", "csv", encoding="utf-8-sig") as (path, file):
            writer = csv.writer(file, delimiter=";", lineterminator="\r\n")
            writer.writerow(COLUMNS)
            before: int | None = None
            while entries := await self.page(wanted, before, _FILE_PAGE):
                await asyncio.to_thread(writer.writerows, self._lines(entries, wanted.field))
                before = entries[-1].id
                if len(entries) < _FILE_PAGE:
                    break
        return path

    def _lines(self, entries: Iterable[AuditEntry], field: str | None) -> list[list[str]]:
        rooms = self._desk.store.rooms
        return [[harmless(cell) for cell in astuple(line)] for line in audit_lines(entries, rooms, field)]


def harmless(cell: str) -> str:
    """A cell that a spreadsheet would take for a formula, as a text."""
    return f"'{cell}" if cell.lstrip()[:1] in ("=", "+", "-", "@") or cell[:1] in ("\t", "\r") else cell
