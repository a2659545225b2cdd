"""The verb ``migrate-data``: asks, runs, reports, and ends in an exit code."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING

from dpolg_tui.domain.errors import DomainError
from dpolg_tui.legacy import report
from dpolg_tui.legacy.errors import Declined, reason
from dpolg_tui.setting_types import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from dpolg_tui.legacy.migrate import Outcome, Plan
    from dpolg_tui.legacy.options import Options
    from dpolg_tui.settings import DatabaseSettings

FINE, FAILED = 0, 1


def run(settings: DatabaseSettings, options: Options) -> int:
    """Migrate a file; the exit code: 0 done and nothing lost, 1 failed, 2 wrong call."""
    _check_call(options)
    from dpolg_tui.legacy import migrate

    screen = report.Screen()
    try:
        outcome = asyncio.run(migrate.migrate(settings, options, screen, _ask(options, screen)))
    except Declined as error:
        screen.close()
        screen.say(error.message)
        return FAILED
    finally:
        screen.close()
    screen.summary(outcome.report)
    _write_files(options, outcome, screen)
    return _exit_code(options, outcome)


def _check_call(options: Options) -> None:
    """What can be said before anything is opened."""
    _check_path(options.file, f"Die Datei {options.file} gibt es nicht: bitte den Pfad prüfen.")
    if not options.yes and not options.dry_run and not sys.stdin.isatty():
        raise ConfigError("Ohne Terminal fragt niemand nach: bitte --yes oder --dry-run angeben.")
    for path in (options.report, options.protocol):
        if path is not None:
            folder = path.absolute().parent
            missing = f"Den Ordner {folder} gibt es nicht: bitte zuerst anlegen."
            _check_path(folder, missing)
            if not folder.is_dir():
                raise ConfigError(missing)
        if path is not None and path.is_dir():
            raise ConfigError(f"{path} ist ein Ordner: bitte den Namen einer Datei angeben.")
        if path is not None and path.exists() and path.samefile(options.file):
            raise ConfigError(f"{path} ist die Datei, die gelesen werden soll: bitte einen anderen Namen.")
    if options.report is not None and options.report == options.protocol:
        raise ConfigError(f"Bericht und Protokoll heißen beide {options.report}: bitte zwei Namen angeben.")


def _check_path(path: Path, missing: str) -> None:
    """Whether there is something, and whether we may look at it."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise ConfigError(missing) from None
    except OSError as error:
        raise ConfigError(
            f"{path} lässt sich nicht ansehen ({error.strerror}): bitte Pfad und Zugriffsrechte prüfen."
        ) from None


def _ask(options: Options, screen: report.Screen) -> Callable[[Plan], bool]:
    def ask(plan: Plan) -> bool:
        screen.plan(plan)
        if options.yes or options.dry_run:
            return True
        return screen.confirm("Daten jetzt übernehmen? [j/N] ")

    return ask


def _write_files(options: Options, outcome: Outcome, screen: report.Screen) -> None:
    """The report and the protocol; the data is already safe, so a full disk is told, not fatal."""
    failed: list[str] = []
    for path, write in ((options.report, report.write_json), (options.protocol, report.write_protocol)):
        if path is None:
            continue
        try:
            write(path, outcome.report)
        except OSError as error:
            failed.append(f"{path} lässt sich nicht schreiben ({reason(error)})")
        else:
            screen.say(f"Geschrieben: {path}")
    if failed:
        state = (
            "am Ziel wurde nichts verändert"
            if outcome.report["dry_run"]
            else "die Daten sind übernommen, der Bericht steht auch in legacy.runs"
        )
        raise DomainError(f"{'; '.join(failed)}; {state}.")


def _exit_code(options: Options, outcome: Outcome) -> int:
    if options.strict and outcome.quarantined:
        return FAILED
    return FINE
