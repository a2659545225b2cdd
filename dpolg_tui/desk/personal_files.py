"""Files with personal data: only their user reads them, and they go after their term."""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from io import TextIOWrapper
from pathlib import Path
from typing import BinaryIO, TextIO

from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.zone import in_house

log = logging.getLogger(__name__)

DAY = 86400
PAUSE = 3600.0
_OURS = re.compile(r"(dpolg-[a-z0-9-]+|notfall-\d{8}-\d{4})\.(json|txt|csv|pdf)(\.[0-9a-f]+)?(\.part)?")
"""In a directory that the user chose there may be other files."""


class NotWritten(DomainError):  # noqa: N818 - named like the domain's errors
    """Die Datei ließ sich nicht schreiben: bitte das Verzeichnis und den freien Platz prüfen."""


class PersonalFiles:
    """The directory of these files; ``setting`` names it. Everything here blocks: call it in a thread."""

    def __init__(self, directory: Path, days: int, setting: str = "export_directory") -> None:
        self.directory = directory
        self._days = days
        self._setting = setting

    @contextmanager
    def new(self, name: str, suffix: str, encoding: str = "utf-8") -> Iterator[tuple[Path, TextIO]]:
        """A file to be, and where it will stand once it is complete; ``name`` tells nothing about a person.

        Raises NotWritten.
        """
        stamp = in_house(datetime.now(UTC)).strftime("%Y%m%d-%H%M%S")
        path = self.directory / f"dpolg-{name}-{stamp}-{secrets.token_hex(2)}.{suffix}"
        with self.writing(path, encoding) as file:
            yield path, file

    @contextmanager
    def writing(self, path: Path, encoding: str = "utf-8") -> Iterator[TextIO]:
        """The text of ``path``, which appears (or is replaced) once it is complete. Raises NotWritten."""
        with self.writing_bytes(path) as raw:
            file = TextIOWrapper(raw, encoding=encoding, newline="")
            yield file
            file.detach()

    @contextmanager
    def writing_bytes(self, path: Path) -> Iterator[BinaryIO]:
        """As ``writing``, for what is no text. Raises NotWritten."""
        part = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise self._not_written() from error
        try:
            with os.fdopen(descriptor, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            part.replace(path)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise self._not_written() from error
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _not_written(self) -> NotWritten:
        return NotWritten(
            f"Die Datei ließ sich nicht schreiben: bitte [desk] {self._setting} und den freien Platz prüfen."
        )

    async def keep_removing(self) -> None:
        """Removes expired files again and again, as long as the desk runs."""
        while True:
            await asyncio.to_thread(self.remove_expired)
            await asyncio.sleep(PAUSE)

    def remove_expired(self) -> int:
        """Remove our files whose term is over, half-written ones after a day; returns how many."""
        removed = 0
        try:
            found = [path for path in self.directory.iterdir() if _OURS.fullmatch(path.name)]
        except FileNotFoundError:
            return 0
        except OSError as error:
            log.warning("files with personal data could not be looked through: %s", type(error).__name__)
            return 0
        for path in found:
            term = DAY if path.suffix == ".part" else self._days * DAY
            try:
                if time.time() - path.lstat().st_mtime > term:
                    path.unlink()
                    removed += 1
            except FileNotFoundError:
                continue
            except OSError as error:
                log.warning("a file with personal data could not be removed: %s", type(error).__name__)
        return removed
