"""The command line in German: verbs, options, help and complaints."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from itertools import groupby
from pathlib import Path
from typing import NoReturn

from dpolg_tui import __version__

PROGRAM = "dpolg-tui"
WRONG_USAGE = 2

# argparse says these in English; what it quotes stays.
_COMPLAINTS: tuple[tuple[str, str], ...] = (
    (r"argument (.*): expected (?:one|at least one) argument", "{0} braucht einen Wert"),
    (r"argument (.*): ignored explicit argument .*", "{0} nimmt keinen Wert"),
    (r"argument (.*): invalid int value: (.*)", "{0} braucht eine ganze Zahl, nicht {1}"),
    (r"argument (.*): invalid \w+ value: (.*)", "{0} versteht {1} nicht"),
    (r"argument (.*): not allowed with argument (.*)", "{0} und {1} gehen nicht zusammen"),
    (r"the following arguments are required: (.*)", "es fehlt: {0}"),
)
_UNKNOWN = re.compile(r"unrecognized arguments: (.*)", re.DOTALL)
_PASSWORD = re.compile(r"--[\w-]*pass(?:word|wort|wd)?(?==|$)", re.IGNORECASE)
_CHOICE = re.compile(r"argument (.*): invalid choice: '(.*)' \(choose from (.*)\)")


class _Help(argparse.HelpFormatter):
    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, "Aufruf: " if prefix is None else prefix)


class Parser(argparse.ArgumentParser):
    """argparse with German headings, and one line on stderr for a wrong call."""

    def __init__(self, *, description: str = "", prog: str | None = None) -> None:
        super().__init__(
            prog=prog, description=description, formatter_class=_Help, add_help=False, allow_abbrev=False
        )
        self.options = self.add_argument_group("Optionen")
        self.options.add_argument("-h", "--help", action="help", help="diese Hilfe zeigen")

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USAGE, f"{PROGRAM}: {_in_german(message)} (Hilfe: {self.prog} --help)\n")


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """The options of the call; leaves the program on ``--help``, ``--version`` and wrong usage."""
    parser = build_parser()
    for word in sys.argv[1:] if argv is None else argv:
        if found := _PASSWORD.match(word):
            parser.error(
                f"{found[0]} gibt es nicht, denn andere könnten ein Passwort in der Befehlszeile lesen: "
                "bitte eine Datei nennen (--…-password-file), die Umgebung oder die Eingabe benutzen"
            )
    return parser.parse_args(argv)


def build_parser() -> Parser:
    parser = Parser(
        prog=PROGRAM,
        description="Buchungssystem der Stiftung der DPolG. Ohne Befehl öffnet sich der Arbeitsplatz.",
    )
    parser.options.add_argument(
        "--version", action="version", version=f"{PROGRAM} {__version__}", help="die Version zeigen"
    )
    _add_common(parser, top=True)
    parser.set_defaults(verb="desk")
    verbs = parser.add_subparsers(title="Befehle", metavar="BEFEHL", parser_class=Parser)

    demo = _verb(verbs, "demo", "Vorführung mit eigenem PostgreSQL und einem erfundenen Haus")
    demo.options.add_argument(
        "--reset", action="store_true", help="die vorhandene Demo löschen und neu beginnen"
    )
    demo.options.add_argument("--seed", type=int, metavar="ZAHL", help="gleiche Zahl, gleiches Haus")
    demo.options.add_argument(
        "--size",
        choices=("empty", "small", "large"),
        metavar="GRÖSSE",
        help="empty: nur Benutzer, small: 16 Zimmer, large: 200 Zimmer und 100.000 Buchungen",
    )
    demo.options.add_argument(
        "--serve", action="store_true", help="nur den Server betreiben und seine Adressen als JSON ausgeben"
    )

    init = _verb(
        verbs, "init-db", "leere Datenbank einrichten: Rollen, Schema, erste Person mit der Rolle Admin"
    )
    init.options.add_argument(
        "--admin", default="admin", metavar="NAME", help="Benutzername (Vorgabe: admin)"
    )
    init.options.add_argument(
        "--admin-full-name",
        default="Administrator",
        metavar="NAME",
        help="voller Name (Vorgabe: Administrator)",
    )
    _add_password_file(init, "admin", "dieser Person")
    _add_role_passwords(init)
    init.options.add_argument(
        "--managed",
        action="store_true",
        help="ohne Superuser, für gemietete Datenbanken; nennt, was offen bleibt",
    )

    upgrade = _verb(verbs, "upgrade-db", "das Schema der Datenbank auf den Stand dieses Programms bringen")
    upgrade.options.add_argument("--no-backup", action="store_true", help="vorher nicht sichern")
    _add_backup_directory(upgrade)
    _add_backup(verbs)
    _add_doctor(verbs)

    _verb(
        verbs,
        "housekeeping",
        "löschen, was seine Zeit hatte: Protokoll nach der Frist, alte Anmeldeversuche und Sitzungen",
    )

    emergency = _verb(
        verbs, "emergency-list", "die Notfallliste der nächsten sieben Tage schreiben, etwa jede Stunde"
    )
    emergency.options.add_argument(
        "--directory", type=Path, metavar="ORDNER", help="wohin; sonst [desk] emergency_directory"
    )

    _add_migrate_data(verbs)
    _add_user(verbs)

    config = _verb(verbs, "config", "Einstellungen zeigen und prüfen", actions=True)
    actions = config.add_subparsers(
        title="Befehle", metavar="BEFEHL", parser_class=Parser, dest="config_verb", required=True
    )
    for name, summary in (
        ("show", "alle Einstellungen und woher sie kommen"),
        ("test", "Verbindung testen, Schritt für Schritt"),
        ("path", "wo gesucht wird und was benutzt wird"),
    ):
        _add_common(actions.add_parser(name, help=summary, description=_sentence(summary)))
    return parser


def _add_backup(verbs: argparse._SubParsersAction[Parser]) -> None:
    backup = _verb(verbs, "backup", "die Datenbank sichern; backup verify prüft die neueste Sicherung")
    backup.options.add_argument(
        "what",
        nargs="?",
        choices=("verify",),
        metavar="verify",
        help="statt zu sichern: die neueste Sicherung probeweise wiederherstellen und vergleichen",
    )
    _add_backup_directory(backup)
    restore = _verb(verbs, "restore", "eine Sicherung in eine neue Datenbank zurückholen")
    restore.options.add_argument("file", type=Path, metavar="DATEI", help="die Sicherung (.dump)")
    restore.options.add_argument(
        "--into",
        required=True,
        metavar="NAME",
        help="Name der neuen Datenbank; eine vorhandene bleibt, wie sie ist",
    )
    restore.options.add_argument(
        "--without-manifest", action="store_true", help="ohne Begleitdatei (.json), also ohne Vergleich"
    )
    _add_role_passwords(restore)


def _add_doctor(verbs: argparse._SubParsersAction[Parser]) -> None:
    doctor = _verb(verbs, "doctor", "nachsehen, ob alles in Ordnung ist, und sagen, was zu tun ist")
    for flag, summary in (
        ("--json", "das Ergebnis als JSON, mit allen Messwerten"),
        ("--quiet", "nur Warnungen und Fehler zeigen: für cron, das dann nur bei Bedarf eine E-Mail schickt"),
        ("--strict", "Exit-Code 1 auch bei Warnungen"),
    ):
        doctor.options.add_argument(flag, action="store_true", help=summary)
    doctor.options.add_argument(
        "--login", metavar="NAME", help="als dieser Benutzer mit der Rolle Admin anmelden und alles sehen"
    )
    _add_password_file(doctor, "admin", "dieses Benutzers")


def _add_backup_directory(parser: Parser) -> None:
    parser.options.add_argument(
        "--directory", type=Path, metavar="ORDNER", help="Ordner der Sicherungen; sonst [backup] directory"
    )


def _add_role_passwords(parser: Parser) -> None:
    """For roles that the server does not have yet."""
    for whose, role in (
        ("owner", "dpolg_owner"),
        ("booking-user", "booking_user"),
        ("backup", "dpolg_backup"),
    ):
        _add_password_file(parser, whose, f"der Rolle {role}")


def _add_password_file(parser: Parser, whose: str, of: str) -> None:
    parser.options.add_argument(
        f"--{whose}-password-file",
        type=Path,
        metavar="DATEI",
        help=f"Datei mit dem Passwort {of}; sonst DPOLG_TUI_{whose.upper().replace('-', '_')}_PASSWORD "
        "oder Eingabe",
    )


def _add_migrate_data(verbs: argparse._SubParsersAction[Parser]) -> None:
    migrate = _verb(verbs, "migrate-data", "die Daten des Vorgängers aus seiner SQLite-Datei übernehmen")
    migrate.options.add_argument(
        "file", type=Path, metavar="DATEI", help="die SQLite-Datei; sie bleibt, wie sie ist"
    )
    for flag, summary in (
        ("--dry-run", "alles tun und prüfen, dann nichts speichern"),
        ("--no-backup", "das Ziel vorher nicht sichern"),
        ("--yes", "nicht nachfragen"),
        ("--into-empty-only", "nur in eine leere Datenbank"),
        ("--update", "zweiter Lauf: in der alten Datei Geändertes übernehmen, wenn es hier unverändert ist"),
        ("--strict", "Exit-Code 1, wenn etwas in Quarantäne kommt"),
        ("--without-transaction-log", "transaction_log weglassen (enthält Daten gelöschter Gäste)"),
    ):
        migrate.options.add_argument(flag, action="store_true", help=summary)
    for option, metavar, summary in (
        ("--report", "DATEI.json", "Bericht als JSON"),
        ("--protocol", "DATEI.html", "Protokoll zum Unterschreiben, HTML oder Text"),
        ("--backup-dir", "ORDNER", "wohin die Abschrift der Datei und die Sicherung des Ziels kommen"),
    ):
        migrate.options.add_argument(option, type=Path, metavar=metavar, help=summary)


def _add_user(verbs: argparse._SubParsersAction[Parser]) -> None:
    user = _verb(verbs, "user", "Benutzer verwalten, als Eigentümer der Datenbank", actions=True)
    actions = user.add_subparsers(
        title="Befehle", metavar="BEFEHL", parser_class=Parser, dest="user_verb", required=True
    )
    for name, summary in (
        ("list", "alle Benutzer mit Rolle, letzter Anmeldung und Fehlversuchen"),
        ("add", "Benutzer anlegen; das erste Passwort wird erzeugt und einmal gezeigt"),
        ("edit", "Namen, E-Mail oder Rolle ändern"),
        ("reset-password", "neues Passwort vergeben; meldet den Benutzer überall ab"),
        ("deactivate", "Zugang sperren; meldet den Benutzer überall ab"),
        ("reactivate", "Zugang wieder öffnen"),
        ("sessions", "offene Sitzungen zeigen"),
        ("end-sessions", "alle Sitzungen beenden"),
        ("lift-lock", "Sperre nach falschen Passwörtern aufheben"),
        ("parameters", "Aufwand von argon2id zeigen oder ändern"),
    ):
        action = actions.add_parser(name, help=summary, description=_sentence(summary))
        _add_common(action)
        if name not in ("list", "parameters"):
            action.options.add_argument("username", metavar="BENUTZER", help="der Benutzername")
        if name == "edit":
            action.options.add_argument(
                "--username", dest="new_username", metavar="NAME", help="neuer Benutzername"
            )
        if name in ("add", "edit"):
            action.options.add_argument("--full-name", metavar="NAME", help="voller Name; leer: keiner")
            action.options.add_argument("--email", metavar="ADRESSE", help="E-Mail; leer: keine")
            action.options.add_argument(
                "--role", choices=("admin", "user"), metavar="ROLLE", help="admin oder user"
            )
        if name in ("add", "reset-password"):
            action.options.add_argument(
                "--password-file",
                type=Path,
                metavar="DATEI",
                help="Datei mit dem ersten Passwort; sonst DPOLG_TUI_USER_PASSWORD, sonst wird eines erzeugt",
            )
        if name == "parameters":
            for option, metavar, help_text in (
                ("--memory-kib", "KIB", "Speicher, 19456 bis 262144"),
                ("--iterations", "ZAHL", "Durchläufe, 2 bis 10"),
                ("--parallelism", "ZAHL", "Fäden, 1 bis 8"),
            ):
                action.options.add_argument(option, type=int, metavar=metavar, help=help_text)


def _verb(
    verbs: argparse._SubParsersAction[Parser], name: str, summary: str, *, actions: bool = False
) -> Parser:
    parser = verbs.add_parser(name, help=summary, description=_sentence(summary))
    parser.set_defaults(verb=name)
    if not actions:
        _add_common(parser)
    return parser


def _add_common(parser: Parser, *, top: bool = False) -> None:
    """``--config`` and ``--dsn``, before and after the verb; after it only where given."""
    missing = None if top else argparse.SUPPRESS
    parser.options.add_argument(
        "--config", type=Path, default=missing, metavar="DATEI", help="diese Konfigurationsdatei benutzen"
    )
    parser.options.add_argument(
        "--dsn",
        default=missing,
        metavar="URL",
        help="Datenbank, etwa postgresql://benutzer@server/datenbank; "
        "ein Passwort darin wäre für andere sichtbar",
    )


def _sentence(summary: str) -> str:
    return f"{summary[0].upper()}{summary[1:]}."


def _in_german(message: str) -> str:
    if found := _CHOICE.fullmatch(message):
        what, given, listed = found.groups()
        known = [choice.strip(" '") for choice in listed.split(",")]
        near = get_close_matches(given, known, n=1, cutoff=0.5)
        hint = f" (gemeint: {near[0]}?)" if near else f"; möglich: {', '.join(known)}"
        verb = what in ("BEFEHL", "config_verb", "user_verb")
        return f"den Befehl „{given}“ gibt es nicht{hint}" if verb else f"{what} kennt „{given}“ nicht{hint}"
    if found := _UNKNOWN.fullmatch(message):
        return f"unbekannt: {_without_values(found[1])}"
    for pattern, german in _COMPLAINTS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return german.format(*found.groups())
    return message


def _without_values(given: str) -> str:
    """The names of options that nobody knows. What else was typed may be a secret."""
    words = (re.sub("=.*", "=…", word) if word.startswith("-") else "…" for word in given.split())
    return " ".join(word for word, _ in groupby(words))
