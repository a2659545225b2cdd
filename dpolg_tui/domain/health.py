"""How the system is doing: figures in, lines with OK, warning or error out. For doctor and screen alike."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from datetime import date

from dpolg_tui.domain.german import format_date
from dpolg_tui.domain.health_figures import Check, Figures, TerminalFigures, fine, unseen, wrong
from dpolg_tui.domain.health_hosts import judge_hosts, sentence_parts
from dpolg_tui.domain.health_server import judge_server
from dpolg_tui.domain.problems import ACCEPTABLE, Problem, Status

SMALLEST = (80, 24)
END_OF_SUPPORT = {
    14: date(2026, 11, 12),
    15: date(2027, 11, 11),
    16: date(2028, 11, 9),
    17: date(2029, 11, 8),
    18: date(2030, 11, 14),
}
"""When the PostgreSQL project publishes the last corrections of a version."""

LABELS = {
    Status.OK: "OK",
    Status.ACCEPTED: "bekannt",
    Status.WARNING: "Warnung",
    Status.ERROR: "Fehler",
    Status.UNKNOWN: "nicht geprüft",
}
GLYPHS = {Status.OK: "✓", Status.ACCEPTED: "·", Status.WARNING: "!", Status.ERROR: "✗", Status.UNKNOWN: "–"}


def judge(figures: Figures, accepted: Collection[str] = ()) -> tuple[Check, ...]:
    """What the figures mean, in the order in which things depend on each other.

    ``accepted``: codes of warnings that the house lives with (``ACCEPTABLE``): told, but no warnings.
    """
    checks = (
        *judge_hosts(figures),
        *_asking(figures),
        *_versions(figures),
        _findings(figures),
        *judge_server(figures),
        *_terminal(figures),
    )
    known = set(accepted).intersection(ACCEPTABLE)
    return tuple(
        replace(check, status=Status.ACCEPTED) if check.problem and check.problem.code in known else check
        for check in checks
    )


def worst(checks: Iterable[Check]) -> Status:
    """The worst of all: OK if there is nothing but OK, what is accepted, and what was not looked at."""
    found = {check.status for check in checks}
    return next((status for status in (Status.ERROR, Status.WARNING) if status in found), Status.OK)


def summary(checks: Iterable[Check]) -> str:
    """All in a few words: ``1 Fehler, 2 Warnungen``."""
    count = dict.fromkeys(Status, 0)
    for check in checks:
        count[check.status] += 1
    words = []
    if count[Status.ERROR]:
        words.append(f"{count[Status.ERROR]} Fehler")
    if count[Status.WARNING]:
        words.append(f"{count[Status.WARNING]} Warnung{'en' if count[Status.WARNING] > 1 else ''}")
    if not words:
        words.append("Alles Geprüfte in Ordnung" if count[Status.UNKNOWN] else "Alles in Ordnung")
    if count[Status.ACCEPTED]:
        words.append(f"{count[Status.ACCEPTED]} bekannt")
    if count[Status.UNKNOWN]:
        words.append(f"{count[Status.UNKNOWN]} nicht geprüft")
    return ", ".join(words)


def unreachable(figures: Figures) -> bool:
    """Whether no server answered at all."""
    return bool(figures.hosts) and all(host.round_trip_ms is None for host in figures.hosts)


# -- asking -----------------------------------------------------------------------------------------


def _asking(figures: Figures) -> Iterator[Check]:
    """That what should have been told was not: else a failure would look like something nobody asked for."""
    if figures.unreadable:
        says, remedy = sentence_parts(figures.unreadable)
        yield wrong(
            Problem.DATABASE_UNREADABLE,
            f"Antwortet, aber nicht auf alles: {says}",
            remedy or "Bitte das Protokoll des Servers ansehen.",
        )
    if figures.no_login:
        says, remedy = sentence_parts(figures.no_login)
        yield wrong(
            Problem.LOGIN_FAILED,
            f"Die Zahlen des Servers fehlen: {says}",
            remedy or "Bitte Benutzer (--login) und Passwort prüfen.",
        )


# -- versions --------------------------------------------------------------------------------------


def _versions(figures: Figures) -> Iterator[Check]:
    program, database = figures.program, figures.database
    if database is None:
        yield unseen("program", figures.no_database)
        yield _no_schema(figures)
    else:
        known = {"version": program.version, "minimum_client": database.minimum_client}
        if _parts(program.version) < _parts(database.minimum_client):
            yield wrong(
                Problem.PROGRAM_OLD,
                f"Version {program.version} ist zu alt für die Datenbank.",
                f"Bitte Version {database.minimum_client} oder neuer installieren.",
                figures=known,
            )
        else:
            yield fine("program", f"Version {program.version}.", figures=known)
        yield _schema(figures, database.schema_version)
    yield _server_version(figures)


def _no_schema(figures: Figures) -> Check:
    if not figures.no_house:
        return unseen("schema", figures.no_database)
    return wrong(
        Problem.SCHEMA_MISSING,
        "In dieser Datenbank ist kein Buchungssystem.",
        "Bitte ihren Namen (database) prüfen oder auf dem Server dpolg-tui init-db ausführen.",
    )


def _server_version(figures: Figures) -> Check:
    server = figures.server
    if server is None:
        return unseen("server", figures.no_server)
    end = END_OF_SUPPORT.get(server.major)
    values = {"version": server.version, "supported_until": end.isoformat() if end else None}
    if end is None or figures.now.date() <= end:
        return fine("server", f"Version {server.version}.", figures=values)
    return wrong(
        Problem.SERVER_ENDED,
        f"Version {server.version}: seit {format_date(end)} macht das PostgreSQL-Projekt dafür keine "
        "Fehlerkorrekturen mehr.",
        "Bitte prüfen, wie lange die Distribution sie noch pflegt, und rechtzeitig auf PostgreSQL "
        f"{max(END_OF_SUPPORT)} umziehen: sichern, dort wiederherstellen.",
        figures=values,
    )


def _schema(figures: Figures, version: int) -> Check:
    program, server = figures.program, figures.server
    outstanding = sorted(
        name for name, checksum in program.files.items() if server and server.migrations.get(name) != checksum
    )
    known = {"schema_version": version, "outstanding": outstanding}
    if version > program.schema_version:
        return wrong(
            Problem.SCHEMA_NEWER,
            f"Die Datenbank (Schema {version}) ist neuer als dieses Programm ({program.schema_version}).",
            "Bitte das Programm hier aktualisieren.",
            figures=known,
        )
    if version < program.schema_version or outstanding:
        missing = (
            f" Es fehlen: {', '.join(outstanding[:3])}{' …' if len(outstanding) > 3 else ''}."
            if outstanding
            else ""
        )
        return wrong(
            # Functions of another version may still do; a schema that is behind lets no desk in.
            Problem.SCHEMA_BEHIND if version < program.schema_version else Problem.SCHEMA_DIFFERS,
            f"Die Datenbank ist nicht auf dem Stand dieses Programms.{missing}",
            "Bitte auf dem Server dpolg-tui upgrade-db ausführen.",
            figures=known,
        )
    return fine("schema", f"Version {version}, wie dieses Programm.", figures=known)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _findings(figures: Figures) -> Check:
    found = figures.findings
    if found is None:
        return unseen("checks", figures.no_findings)
    if not found:
        return fine("checks", "Keine Abweichung.", figures={"findings": []})
    must = any(line.startswith("must") for line in found)
    return wrong(
        Problem.CHECKS_MUST if must else Problem.CHECKS_HARDENING,
        f"{len(found)} Abweichung{'en' if len(found) > 1 else ''}: {'; '.join(found[:3])}"
        f"{' …' if len(found) > 3 else ''}.",
        "Bitte auf dem Server als Superuser dpolg-tui upgrade-db ausführen: es stellt die Rechte wieder her.",
        figures={"findings": list(found)},
    )


# -- here ------------------------------------------------------------------------------------------


def _terminal(figures: Figures) -> Iterator[Check]:
    terminal = figures.terminal
    if terminal is None:
        yield unseen("terminal", figures.no_terminal)
        return
    known = {
        "term": terminal.name,
        "columns": terminal.columns,
        "lines": terminal.lines,
        "colours": terminal.colours,
        "missing_keys": list(terminal.missing_keys),
        "unicode": terminal.unicode,
    }
    problems = tuple(_terminal_problems(terminal))
    for problem, says, remedy in problems:
        yield wrong(problem, says, remedy, figures=known)
    if not problems:
        colours = "Echtfarben" if terminal.colours > 256 else f"{terminal.colours} Farben"
        says = f"{terminal.columns} × {terminal.lines} Zeichen, {colours}, alle Tasten."
        yield fine("terminal", says, figures=known)


def _terminal_problems(terminal: TerminalFigures) -> Iterator[tuple[Problem, str, str]]:
    if terminal.columns < SMALLEST[0] or terminal.lines < SMALLEST[1]:
        yield (
            Problem.TERMINAL_SMALL,
            f"Das Fenster hat nur {terminal.columns} × {terminal.lines} Zeichen.",
            f"Bitte auf mindestens {SMALLEST[0]} × {SMALLEST[1]} vergrößern oder die Schrift verkleinern.",
        )
    if terminal.colours < 16:
        yield (
            Problem.TERMINAL_COLOURS,
            f"Das Terminal {terminal.name or 'ohne Namen'} kennt "
            f"{f'nur {terminal.colours}' if terminal.colours else 'keine'} Farben.",
            "Bitte ein heutiges Terminal benutzen (Windows Terminal, PuTTY) und TERM prüfen.",
        )
    if terminal.missing_keys:
        yield (
            Problem.TERMINAL_KEYS,
            f"Diese Tasten kennt das Terminal nicht: {', '.join(terminal.missing_keys)}.",
            "Bitte TERM auf xterm-256color stellen; die Befehle gibt es auch unter Strg+P.",
        )
    if not terminal.unicode:
        yield (
            Problem.TERMINAL_ENCODING,
            "Das Terminal ist nicht auf UTF-8 gestellt: Umlaute und Rahmen erscheinen falsch.",
            "Bitte die Zeichenkodierung auf UTF-8 stellen (etwa LANG=de_DE.UTF-8).",
        )
