"""What the call of ``migrate-data`` asks for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Options:
    """The options of one call."""

    file: Path
    dry_run: bool = False
    report: Path | None = None
    """Where the JSON report goes."""
    protocol: Path | None = None
    """Where the protocol to sign goes: HTML, or text for any other ending."""
    backup_dir: Path | None = None
    """Where the copy of the file and the backup of the target go; None: the data directory."""
    no_backup: bool = False
    yes: bool = False
    into_empty_only: bool = False
    update: bool = False
    strict: bool = False
    without_transaction_log: bool = False


class Progress(Protocol):
    """Hears how far a phase is: ``done`` rows of all ``total``; without a total, of the table at work."""

    def __call__(self, what: str, done: int, total: int = 0) -> None:
        """``what``: the table or step at work, as it may be shown."""


def silent(what: str, done: int, total: int = 0) -> None:
    """Nobody is listening."""
