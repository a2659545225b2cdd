"""Which backups stay: the newest of each of so many days, weeks and months."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.operations import manifest
from dpolg_tui.operations.files import sync

if TYPE_CHECKING:
    from dpolg_tui.settings import BackupSettings

log = logging.getLogger(__name__)


def kept(names: Iterable[str], settings: BackupSettings) -> set[str]:
    """Of these backups those that stay; of the newest day all.

    Days, weeks and months without a backup do not count: a server that stood still for a year loses nothing.
    """
    newest_first = sorted(names, reverse=True)
    stay = {name for name in newest_first if _day(name) == _day(newest_first[0])}
    for period, count in (
        (_day, settings.keep_daily),
        (_week, settings.keep_weekly),
        (_month, settings.keep_monthly),
    ):
        newest: dict[tuple[int, ...], str] = {}
        for name in newest_first:
            newest.setdefault(period(name), name)
        stay |= set(list(newest.values())[:count])
    return stay


def prune(directory: Path, database: str, settings: BackupSettings) -> list[str]:
    """Remove this database's backups that had their time; their names.

    What is not ours stays: other files, unreadable manifests, backups of another database. Raises OSError if
    a file does not go, after all the others.
    """
    ours = [name for name in manifest.names_in(directory) if _is_of(directory, name, database)]
    gone = [name for name in ours if name not in kept(ours, settings)] if ours else []
    failure: OSError | None = None
    for name in gone:
        # The manifest first: what is left of a backup after a crash must not look like one.
        for suffix in (manifest.MANIFEST, manifest.DUMP, manifest.GLOBALS):
            try:
                (directory / f"{name}{suffix}").unlink(missing_ok=True)
            except OSError as error:
                failure = failure or error
    if gone:
        sync(directory)
    if failure is not None:
        raise failure
    return gone


def _is_of(directory: Path, name: str, database: str) -> bool:
    try:
        return manifest.read(directory / f"{name}{manifest.MANIFEST}").facts.database == database
    except manifest.BadManifest as error:
        log.warning("backup left alone: %s", error.message)
        return False


def _day(name: str) -> tuple[int, ...]:
    moment = manifest.day_of(name)
    return (moment.year, moment.month, moment.day)


def _week(name: str) -> tuple[int, ...]:
    return manifest.day_of(name).isocalendar()[:2]


def _month(name: str) -> tuple[int, ...]:
    return _day(name)[:2]
