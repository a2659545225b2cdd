"""The emergency list as a file: written every hour while somebody is signed in, and on demand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dpolg_tui import log
from dpolg_tui.db.emergency import for_desk
from dpolg_tui.desk.events import EmergencyListFailed
from dpolg_tui.desk.personal_files import NotWritten, PersonalFiles
from dpolg_tui.domain import emergency
from dpolg_tui.domain.errors import DomainError, InvalidInput
from dpolg_tui.domain.zone import in_house

if TYPE_CHECKING:
    from dpolg_tui.config import DeskSettings
    from dpolg_tui.desk.desk import Desk

HOUR = 3600.0
LOOK_PAUSE = 60.0
_FILES = "notfall-*.txt"


class EmergencyFiles(PersonalFiles):
    """The directory of the lists; several desks may share it. Everything here blocks."""

    def __init__(self, directory: Path, settings: DeskSettings) -> None:
        super().__init__(directory, settings.export_days, "emergency_directory")
        self._personal_data = settings.emergency_personal_data

    def write(self, house: emergency.Emergency) -> Path:
        """A new list; then those whose term is over go, never the last one. Raises NotWritten."""
        stamp = in_house(house.made_at).strftime("%Y%m%d-%H%M")
        with self.writing(self.directory / f"notfall-{stamp}.txt") as file:
            file.write(emergency.text(house, self._personal_data))
        self.remove_expired()
        return self.directory / f"notfall-{stamp}.txt"

    @property
    def newest(self) -> Path | None:
        """The list to look at, also without a connection."""
        return max(self._lists(), key=lambda path: path.name, default=None)

    @property
    def due(self) -> bool:
        """Whether no desk has written one within the last hour."""
        age = min((time.time() - path.stat().st_mtime for path in self._lists()), default=HOUR)
        return age >= HOUR or age < -HOUR

    def _lists(self) -> Iterable[Path]:
        return self.directory.glob(_FILES)


class EmergencyList:
    """The desk's emergency list; ``files`` is None where no directory is set."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        settings = desk.config.desk
        directory = settings.emergency_directory
        self.files = EmergencyFiles(directory, settings) if directory else None

    async def write(self) -> Path:
        """Write it now. Raises InvalidInput where no directory is set, NotWritten."""
        if self.files is None:
            raise InvalidInput(
                "Für die Notfallliste ist kein Verzeichnis eingestellt: bitte in config.toml unter [desk] "
                "emergency_directory angeben."
            )
        with log.action("Notfallliste schreiben"):
            house = await for_desk(self._desk.database)
            return await asyncio.to_thread(self.files.write, house)

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
            await asyncio.sleep(LOOK_PAUSE)
