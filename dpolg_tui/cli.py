"""The verbs: each imports what it needs when it runs, and ends in an exit code.

0 fine, 1 failed, 2 wrong usage or configuration, 3 database unreachable. A failure is one line on
stderr; what nobody expected goes to the log file under an error id.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from dpolg_tui import arguments

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from dpolg_tui.config import Config
    from dpolg_tui.settings import BackupSettings, DatabaseSettings

FINE, FAILED, WRONG_USAGE, UNREACHABLE, INTERRUPTED = 0, 1, arguments.WRONG_USAGE, 3, 130


def main(argv: list[str] | None = None) -> int:
    """Run the command line; the exit code."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that is not UTF-8 shows a question mark instead of ending in an error.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    try:
        options = arguments.parse(argv)
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else FINE
    return _fenced(_VERBS[options.verb], options)


def _fenced(verb: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    from dpolg_tui import log
    from dpolg_tui.domain.errors import DomainError, Unreachable
    from dpolg_tui.setting_types import ConfigError

    try:
        code = verb(options)
        sys.stdout.flush()
        return code
    except ConfigError as error:
        return _tell(error.message, WRONG_USAGE)
    except Unreachable as error:
        return _tell(error.message, UNREACHABLE)
    except DomainError as error:
        return _tell(error.message, FAILED)
    except KeyboardInterrupt:
        return _tell("abgebrochen", INTERRUPTED)
    except BrokenPipeError:
        # The reader of our output has left; Python would complain once more when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # noqa: BLE001 - the last fence: logged with an id the user sees
        if not log.is_set_up():
            log.setup()
        return _tell(
            f"unerwarteter Fehler {log.log_defect(error)}; Einzelheiten stehen in der Protokolldatei.", FAILED
        )
    finally:
        log.shutdown()


def _tell(sentence: str, code: int) -> int:
    sys.stderr.write(f"{arguments.PROGRAM}: {' '.join(sentence.split())}\n")
    return code


def _load(options: argparse.Namespace) -> Config:
    """The configuration in force, its warnings told, the log open."""
    from dpolg_tui import config, log

    loaded = config.load(config.Arguments(options.config, options.dsn))
    for warning in (*loaded.warnings, log.setup(loaded.log)):
        if warning:
            sys.stderr.write(f"Warnung: {warning}\n")
    return loaded


def _desk(options: argparse.Namespace) -> int:
    config = _load(options)
    config.database.require_verified_server()
    _require_terminal()
    return _open_desk(config)


def _open_desk(config: Config) -> int:
    # Windows Terminal loses AltGr (no @, no €) with this protocol; Textual reads it when imported.
    os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
    from dpolg_tui.tui.run import run_desk

    return run_desk(config)


def _demo(options: argparse.Namespace) -> int:
    from dpolg_tui.setting_types import ConfigError

    if options.dsn:
        raise ConfigError("demo hat eine eigene Datenbank: bitte ohne --dsn aufrufen.")
    _load(options)
    if not options.serve:
        _require_terminal()
    from dpolg_tui.operations.demo import run

    return run(options, _open_desk)


def _require_terminal() -> None:
    from dpolg_tui.setting_types import ConfigError

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ConfigError("Der Arbeitsplatz braucht ein Terminal; die Befehle zeigt dpolg-tui --help.")


def _init_db(options: argparse.Namespace) -> int:
    settings = _owner_settings(options)
    from dpolg_tui.operations.administration import init_database
    from dpolg_tui.operations.passwords import InitOptions, Passwords

    passwords = Passwords(
        {
            "admin": options.admin_password_file,
            "owner": options.owner_password_file,
            "booking_user": options.booking_user_password_file,
            "backup": options.backup_password_file,
        }
    )
    return init_database(
        settings, InitOptions(passwords, options.admin, options.admin_full_name, options.managed)
    )


def _upgrade_db(options: argparse.Namespace) -> int:
    config = _load(options)
    settings = _owner_settings(options, config)
    from dpolg_tui.operations.administration import upgrade_database

    return upgrade_database(settings, None if options.no_backup else _backup_settings(options, config))


def _backup(options: argparse.Namespace) -> int:
    config = _load(options)
    settings = _owner_settings(options, config)
    from dpolg_tui.operations import backup_command

    verb = backup_command.verify_backup if options.what == "verify" else backup_command.make_backup
    return verb(settings, _backup_settings(options, config))


def _restore(options: argparse.Namespace) -> int:
    settings = _owner_settings(options)
    from dpolg_tui.operations.backup_command import RestoreOptions, restore_backup
    from dpolg_tui.operations.passwords import Passwords

    passwords = Passwords(
        {
            "owner": options.owner_password_file,
            "booking_user": options.booking_user_password_file,
            "backup": options.backup_password_file,
        }
    )
    return restore_backup(
        settings, RestoreOptions(options.file, options.into, options.without_manifest, passwords)
    )


def _backup_settings(options: argparse.Namespace, config: Config) -> BackupSettings:
    """Section [backup]; the command line's directory comes first."""
    from dataclasses import replace

    if options.directory is None:
        return config.backup
    return replace(config.backup, directory=options.directory)


def _housekeeping(options: argparse.Namespace) -> int:
    settings = _owner_settings(options)
    from dpolg_tui.operations.administration import keep_house

    return keep_house(settings)


def _doctor(options: argparse.Namespace) -> int:
    config = _load(options)
    settings = config.database
    settings.require_verified_server()
    if settings.username != "booking_user":
        settings = _ask_password(settings)
    from dpolg_tui.operations.doctor import DoctorOptions, run
    from dpolg_tui.operations.passwords import Passwords

    passwords = Passwords({"admin": options.admin_password_file})
    return run(
        settings,
        DoctorOptions(
            options.json, options.quiet, options.strict, options.login, passwords, config.doctor.accept
        ),
    )


def _emergency_list(options: argparse.Namespace) -> int:
    settings = _owner_settings(options)
    from dpolg_tui.operations.emergency import write_list

    return write_list(settings, _load(options).desk, options.directory)


def _user(options: argparse.Namespace) -> int:
    settings = _owner_settings(options)
    from dpolg_tui.operations.people import UserOptions, run

    given = vars(options)
    return run(
        settings,
        UserOptions(
            action=options.user_verb,
            username=given.get("username", ""),
            values={
                "username": given.get("new_username"),
                **{name: given.get(name) for name in ("full_name", "email", "role")},
            },
            password_file=given.get("password_file"),
            parameters={name: given.get(name) for name in ("memory_kib", "iterations", "parallelism")},
        ),
    )


def _migrate_data(options: argparse.Namespace) -> int:
    settings = _owner_settings(options)
    from dpolg_tui.legacy.command import run
    from dpolg_tui.legacy.options import Options

    return run(
        settings,
        Options(
            file=options.file,
            dry_run=options.dry_run,
            report=options.report,
            protocol=options.protocol,
            backup_dir=options.backup_dir,
            no_backup=options.no_backup,
            yes=options.yes,
            into_empty_only=options.into_empty_only,
            update=options.update,
            strict=options.strict,
            without_transaction_log=options.without_transaction_log,
        ),
    )


def _owner_settings(options: argparse.Namespace, config: Config | None = None) -> DatabaseSettings:
    """Where to do the owner's work, and as whom; a missing password is asked for."""
    from dpolg_tui.setting_types import ConfigError

    settings = (config or _load(options)).database
    if settings.username == "booking_user":
        whose, role = (
            ("der Rolle dpolg_backup", "dpolg_backup")
            if options.verb == "backup"
            else ("des Eigentümers", "postgres")
        )
        raise ConfigError(
            f"{options.verb} ist Sache {whose}, nicht von booking_user: bitte mit "
            f'--dsn "postgresql://{role}@{settings.hosts[0][0]}/{settings.database}" oder PGUSER aufrufen.'
        )
    settings.require_verified_server()
    return _ask_password(settings)


def _ask_password(settings: DatabaseSettings) -> DatabaseSettings:
    from dataclasses import replace

    if settings.password is None and sys.stdin.isatty():
        from getpass import getpass

        typed = getpass(f"Passwort von {settings.username} auf {settings.address} (leer: ohne): ")
        settings = replace(settings, password=typed or None)
    return settings


def _config(options: argparse.Namespace) -> int:
    match options.config_verb:
        case "show":
            return _config_show(options)
        case "test":
            return _config_test(options)
        case _:
            return _config_path(options)


def _config_show(options: argparse.Namespace) -> int:
    config = _load(options)
    section = ""
    for value in config.values:
        if value.setting.section != section:
            section = value.setting.section
            _print(f"[{section}]")
        _print(f"{value.setting.key} = {value.shown}  # {value.origin}")
    return FINE


def _config_test(options: argparse.Namespace) -> int:
    import asyncio

    settings = _load(options).database
    settings.require_verified_server()
    from dpolg_tui.db.probe import Result, Step, failure, probe

    glyphs = {Result.OK: "✓", Result.FAILED: "✗", Result.SKIPPED: "–"}
    steps = asyncio.run(probe(settings))
    for host in dict.fromkeys(step.host for step in steps):
        _print(host)
        for step in steps:
            if step.host == host:
                _print(f"  {glyphs[step.result]} {step.step}: {step.sentence}")
    failed = failure(steps)
    if failed is None:
        _print("Verbindung erfolgreich!")
        return FINE
    reached = any(step.result is Result.FAILED and step.step not in (Step.NAME, Step.PORT) for step in steps)
    return _tell(f"Verbindung fehlgeschlagen: {failed.sentence}", FAILED if reached else UNREACHABLE)


def _config_path(options: argparse.Namespace) -> int:
    from dpolg_tui import config, locations

    used = config.find_file(config.Arguments(options.config), os.environ)
    rows = [("--config", str(options.config or "nicht angegeben"))]
    rows.append(("DPOLG_TUI_CONFIG", os.environ.get("DPOLG_TUI_CONFIG") or "nicht gesetzt"))
    for path in locations.config_files():
        rows.append(("gesucht", f"{path}{'' if path.is_file() else ' (fehlt)'}"))
    rows.append(("benutzt", str(used) if used else "keine Datei: es gelten Umgebung und Vorgaben"))
    rows.append(("Protokoll", str(locations.log_file())))
    rows.append(("Demo", str(locations.data_directory())))
    for label, text in rows:
        _print(f"{label + ':':<18}{text}")
    return FINE


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")


_VERBS: dict[str, Callable[[argparse.Namespace], int]] = {
    "desk": _desk,
    "demo": _demo,
    "init-db": _init_db,
    "upgrade-db": _upgrade_db,
    "backup": _backup,
    "restore": _restore,
    "doctor": _doctor,
    "housekeeping": _housekeeping,
    "emergency-list": _emergency_list,
    "migrate-data": _migrate_data,
    "user": _user,
    "config": _config,
}
