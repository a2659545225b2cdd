"""The emergency list as a file: written every hour while somebody is signed in, and on demand."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui import documents, log
from dpolg_tui.db.emergency import for_desk
from dpolg_tui.desk.emergency import newest
from dpolg_tui.desk.events import EmergencyListFailed
from dpolg_tui.desk.personal_files import NotWritten, PersonalFiles
from dpolg_tui.domain import emergency
from dpolg_tui.domain.errors import DomainError, InvalidInput
from dpolg_tui.domain.zone import in_house

if TYPE_CHECKING:
    from dpolg_tui.config import DeskSettings
    from dpolg_tui.desk.desk import Desk

HOUR = timedelta(hours=1)
LOOK_PAUSE = 60.0


@dataclass(frozen=True, slots=True)
class Written:
    """Where a list stands: as text, and as PDF where the extra ``pdf`` is installed."""

    text: Path
    pdf: Path | None

    def __str__(self) -> str:
        return str(self.text) if self.pdf is None else f"{self.text} und {self.pdf.name}"


class EmergencyFiles(PersonalFiles):
    """The directory of the lists; several desks may share it. Everything here blocks."""

    def __init__(self, directory: Path, settings: DeskSettings) -> None:
        super().__init__(directory, settings.export_days, "emergency_directory")
        self._personal_data = settings.emergency_personal_data

    def write(self, house: emergency.Emergency) -> Written:
        """A new list; then those whose term is over go, never the last one. Raises NotWritten."""
        stamp = in_house(house.made_at).strftime("%Y%m%d-%H%M")
        path = self.directory / f"notfall-{stamp}.txt"
        with self.writing(path) as file:
            file.write(emergency.text(house, self._personal_data))
        written = Written(path, self._write_pdf(house, path.with_suffix(".pdf")))
        self.remove_expired()
        return written

    def _write_pdf(self, house: emergency.Emergency, path: Path) -> Path | None:
        if not documents.available():
            return None
        from dpolg_tui.documents.emergency_list import pdf

        content = pdf(house, self._personal_data)
        with self.writing_bytes(path) as file:
            file.write(content)
        return path

    @property
    def due(self) -> bool:
        """Whether no desk has written one within the last hour."""
        last = newest(self.directory)
        return last is None or abs(datetime.now(UTC) - last.at) >= HOUR


class EmergencyList:
    """The desk's emergency list; ``files`` is None where no directory is set."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        settings = desk.config.desk
        directory = settings.emergency_directory
        self.files = EmergencyFiles(directory, settings) if directory else None
        self._told_of_missing = False

    async def write(self) -> Written:
        """Write it now. Raises InvalidInput where no directory is set, NotWritten."""
        if self.files is None:
            raise InvalidInput(
                "Für die Notfallliste ist kein Verzeichnis eingestellt: bitte in config.toml unter [desk] "
                "emergency_directory angeben."
            )
        with log.action("Notfallliste schreiben"):
            house = await for_desk(self._desk.database)
            return await asyncio.to_thread(self.files.write, house)

    def text_only(self, written: Written) -> str:
        """Why there is no PDF, the first time that there is none; else nothing."""
        if written.pdf is not None or self._told_of_missing:
            return ""
        self._told_of_missing = True
        return documents.MISSING

    async def keep_writing(self) -> None:
        """Every hour; what goes wrong is told once and tried again."""
        told = False
        while self.files is not None:
            try:
                if self._desk.listening and await asyncio.to_thread(lambda files: files.due, self.files):
                    await self.write()
                    told = False
            except NotWritten as error:
                if not told:
                    self._desk.tell(EmergencyListFailed(error.message))
                told = True
            except (DomainError, OSError) as error:
                # Without a connection there is nothing new to write: the last list stays.
                logging.getLogger(__name__).warning("no emergency list: %s", type(error).__name__)
            except Exception as error:  # noqa: BLE001 - no defect may stop the lists of the next hours
                log.log_defect(error)
            await asyncio.sleep(LOOK_PAUSE)
