"""How the system is doing: figures in, lines with OK, warning or error out. For doctor and screen alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta

from dpolg_tui.domain.german import format_date
from dpolg_tui.domain.health_figures import (
    Check,
    Figures,
    HostFigures,
    Status,
    TerminalFigures,
)
from dpolg_tui.domain.health_server import judge_server, number

SLOW_ROUND_TRIP_MS = 150.0
"""Above it people notice every key that asks the database."""
CERTIFICATE_WARNING = timedelta(days=30)
CLOCK_WARNING, CLOCK_ERROR = 60.0, 3600.0
"""Seconds. The screen's today is this computer's, all that is stored has the server's time."""
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
    Status.WARNING: "Warnung",
    Status.ERROR: "Fehler",
    Status.UNKNOWN: "nicht geprüft",
}
GLYPHS = {Status.OK: "✓", Status.WARNING: "!", Status.ERROR: "✗", Status.UNKNOWN: "–"}


def judge(figures: Figures) -> tuple[Check, ...]:
    """What the figures mean, in the order in which things depend on each other."""
    return (
        *_hosts(figures),
        *_certificates(figures),
        _clock(figures),
        *_versions(figures),
        _findings(figures),
        *judge_server(figures),
        *_terminal(figures),
    )


def worst(checks: Iterable[Check]) -> Status:
    """The worst of all: OK if there is nothing but OK and what was not looked at."""
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
    if count[Status.UNKNOWN]:
        words.append(f"{count[Status.UNKNOWN]} nicht geprüft")
    return ", ".join(words)


def unreachable(figures: Figures) -> bool:
    """Whether no server answered at all."""
    return bool(figures.hosts) and all(host.round_trip_ms is None for host in figures.hosts)


# -- servers ---------------------------------------------------------------------------------------


def _hosts(figures: Figures) -> Iterator[Check]:
    works = any(_works(host) for host in figures.hosts)
    for host in figures.hosts:
        yield _host(host, works=works)
    standbys = [host for host in figures.hosts if host.standby]
    if standbys and not works:
        yield Check(
            "primary",
            "Schreibender Server",
            Status.ERROR,
            "Es antworten nur Server, die einem anderen folgen: niemand kann etwas speichern.",
            "Bitte den ersten Server starten oder einen der anderen befördern (docs/standby.md).",
        )


def _works(host: HostFigures) -> bool:
    return host.round_trip_ms is not None and not host.error and not host.standby


def _host(host: HostFigures, *, works: bool) -> Check:
    title = "Server"
    figures = {"round_trip_ms": host.round_trip_ms, "standby": host.standby}

    def line(status: Status, says: str, remedy: str = "") -> Check:
        return Check("host", title, status, says, remedy, host.address, figures)

    if host.round_trip_ms is None or (host.error and not host.standby):
        return line(
            # With another one that works the house goes on.
            Status.WARNING if works else Status.ERROR,
            _sentence_part(host.error)[0] or "Antwortet nicht.",
            _sentence_part(host.error)[1] or "Bitte Netzwerk und Server prüfen.",
        )
    time = f"{number(host.round_trip_ms, 1)} ms"
    if host.standby:
        return line(Status.OK, f"Antwortet in {time}; er folgt dem schreibenden Server.")
    if host.round_trip_ms > SLOW_ROUND_TRIP_MS:
        return line(
            Status.WARNING,
            f"Antwortet erst nach {time}: das Arbeiten wird zäh.",
            "Bitte die Netzwerkverbindung zum Server prüfen (WLAN, VPN, ausgelastete Leitung).",
        )
    return line(Status.OK, f"Antwortet in {time}.")


def _sentence_part(sentence: str) -> tuple[str, str]:
    """What is wrong and what to do of a sentence "… : bitte …"."""
    says, found, remedy = sentence.partition(": bitte ")
    return (f"{says}.", f"Bitte {remedy}") if found else (sentence, "")


def _certificates(figures: Figures) -> Iterator[Check]:
    for host in figures.hosts:
        if host.round_trip_ms is None or not host.looked_for_tls:
            continue
        if host.tls is not None:
            yield _certificate(
                host.address,
                host.tls.valid_until,
                figures.now,
                f"{host.tls.version}, Zertifikat",
                "Bitte das Zertifikat auf dem Server erneuern (docs/server.md): danach verbindet sich kein "
                "Arbeitsplatz mehr.",
            )
        elif host.local:
            yield Check(
                "tls",
                "Verschlüsselung",
                Status.OK,
                "Unverschlüsselt, aber nur auf diesem Rechner.",
                subject=host.address,
            )
        else:
            yield Check(
                "tls",
                "Verschlüsselung",
                Status.ERROR,
                "Der Server verschlüsselt nicht: Passwörter und Gästedaten gehen offen durchs Netz.",
                "Bitte TLS auf dem Server einschalten (docs/server.md) und ssl_mode auf verify-full lassen.",
                host.address,
            )
    for authority in figures.authorities:
        yield _certificate(
            authority.name,
            authority.valid_until,
            figures.now,
            "Ausstellerzertifikat (ca_file),",
            "Bitte ein neues Ausstellerzertifikat machen und an alle Arbeitsplätze verteilen.",
        )


def _certificate(subject: str, until: datetime, now: datetime, what: str, remedy: str) -> Check:
    left = until - now
    day = format_date(until.date())
    figures = {"valid_until": until.isoformat(), "days_left": left.days}
    if left <= timedelta(0):
        status, says = Status.ERROR, f"{what} abgelaufen am {day}."
        remedy = remedy.replace("danach verbindet", "bis dahin verbindet")
    elif left < CERTIFICATE_WARNING:
        status, says = Status.WARNING, f"{what} gilt nur noch bis {day}."
    else:
        status, says, remedy = Status.OK, f"{what} gilt bis {day}.", ""
    return Check("tls", "Verschlüsselung", status, says, remedy, subject, figures)


def _clock(figures: Figures) -> Check:
    offset = figures.clock_offset
    if offset is None:
        return Check("clock", "Uhr", Status.UNKNOWN, _why(figures.no_database))
    ahead = abs(offset)
    values = {"offset_seconds": round(offset, 3)}
    if ahead < CLOCK_WARNING:
        return Check(
            "clock", "Uhr", Status.OK, f"{number(ahead, 1)} s Unterschied zum Server.", figures=values
        )
    much = (
        f"{number(ahead / 60, 0)} Minuten"
        if ahead < CLOCK_ERROR * 2
        else f"{number(ahead / 3600, 0)} Stunden"
    )
    return Check(
        "clock",
        "Uhr",
        Status.ERROR if ahead >= CLOCK_ERROR else Status.WARNING,
        f"Die Uhr dieses Rechners geht gegenüber dem Server {much} {'vor' if offset > 0 else 'nach'}.",
        "Bitte auf beiden Rechnern die Uhr nach dem Internet stellen lassen (NTP).",
        figures=values,
    )


# -- versions --------------------------------------------------------------------------------------


def _versions(figures: Figures) -> Iterator[Check]:
    program, database, server = figures.program, figures.database, figures.server
    if database is None:
        yield Check("program", "Programm", Status.UNKNOWN, _why(figures.no_database))
        yield Check("schema", "Schema", Status.UNKNOWN, _why(figures.no_database))
    else:
        known = {"version": program.version, "minimum_client": database.minimum_client}
        if _parts(program.version) < _parts(database.minimum_client):
            yield Check(
                "program",
                "Programm",
                Status.ERROR,
                f"Version {program.version} ist zu alt für die Datenbank.",
                f"Bitte Version {database.minimum_client} oder neuer installieren.",
                figures=known,
            )
        else:
            yield Check("program", "Programm", Status.OK, f"Version {program.version}.", figures=known)
        yield _schema(figures, database.schema_version)
    if server is None:
        yield Check("server", "PostgreSQL", Status.UNKNOWN, _why(figures.no_server))
        return
    end = END_OF_SUPPORT.get(server.major)
    if end is not None and figures.now.date() > end:
        yield Check(
            "server",
            "PostgreSQL",
            Status.WARNING,
            f"Version {server.version}: seit {format_date(end)} macht das PostgreSQL-Projekt dafür keine "
            "Fehlerkorrekturen mehr.",
            "Bitte prüfen, wie lange die Distribution sie noch pflegt, und rechtzeitig auf PostgreSQL "
            f"{max(END_OF_SUPPORT)} umziehen: sichern, dort wiederherstellen.",
            figures={"version": server.version},
        )
    else:
        yield Check(
            "server",
            "PostgreSQL",
            Status.OK,
            f"Version {server.version}.",
            figures={"version": server.version},
        )


def _schema(figures: Figures, version: int) -> Check:
    program, server = figures.program, figures.server
    outstanding = sorted(
        name for name, checksum in program.files.items() if server and server.migrations.get(name) != checksum
    )
    known = {"schema_version": version, "outstanding": outstanding}
    if version > program.schema_version:
        return Check(
            "schema",
            "Schema",
            Status.WARNING,
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
        return Check(
            "schema",
            "Schema",
            # Functions of another version may still do; a schema that is behind lets no desk in.
            Status.ERROR if version < program.schema_version else Status.WARNING,
            f"Die Datenbank ist nicht auf dem Stand dieses Programms.{missing}",
            "Bitte auf dem Server dpolg-tui upgrade-db ausführen.",
            figures=known,
        )
    return Check("schema", "Schema", Status.OK, f"Version {version}, wie dieses Programm.", figures=known)


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdigit())


def _findings(figures: Figures) -> Check:
    found = figures.findings
    if found is None:
        return Check("checks", "Rechte (checks.sql)", Status.UNKNOWN, _why(figures.no_findings))
    if not found:
        return Check(
            "checks", "Rechte (checks.sql)", Status.OK, "Keine Abweichung.", figures={"findings": []}
        )
    must = any(line.startswith("must") for line in found)
    return Check(
        "checks",
        "Rechte (checks.sql)",
        Status.ERROR if must else Status.WARNING,
        f"{len(found)} Abweichung{'en' if len(found) > 1 else ''}: {'; '.join(found[:3])}"
        f"{' …' if len(found) > 3 else ''}.",
        "Bitte auf dem Server als Superuser dpolg-tui upgrade-db ausführen: es stellt die Rechte wieder her.",
        figures={"findings": list(found)},
    )


# -- here ------------------------------------------------------------------------------------------


def _terminal(figures: Figures) -> Iterator[Check]:
    terminal = figures.terminal
    if terminal is None:
        yield Check("terminal", "Terminal", Status.UNKNOWN, _why(figures.no_terminal))
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
    for status, says, remedy in problems:
        yield Check("terminal", "Terminal", status, says, remedy, figures=known)
    if not problems:
        colours = "Echtfarben" if terminal.colours > 256 else f"{terminal.colours} Farben"
        says = f"{terminal.columns} × {terminal.lines} Zeichen, {colours}, alle Tasten."
        yield Check("terminal", "Terminal", Status.OK, says, figures=known)


def _terminal_problems(terminal: TerminalFigures) -> Iterator[tuple[Status, str, str]]:
    if terminal.columns < SMALLEST[0] or terminal.lines < SMALLEST[1]:
        yield (
            Status.WARNING,
            f"Das Fenster hat nur {terminal.columns} × {terminal.lines} Zeichen.",
            f"Bitte auf mindestens {SMALLEST[0]} × {SMALLEST[1]} vergrößern oder die Schrift verkleinern.",
        )
    if terminal.colours < 16:
        yield (
            Status.WARNING,
            f"Das Terminal {terminal.name or 'ohne Namen'} kennt {terminal.colours or 'keine'} Farben.",
            "Bitte ein heutiges Terminal benutzen (Windows Terminal, PuTTY) und TERM prüfen.",
        )
    if terminal.missing_keys:
        yield (
            Status.WARNING,
            f"Diese Tasten kennt das Terminal nicht: {', '.join(terminal.missing_keys)}.",
            "Bitte TERM auf xterm-256color stellen; die Befehle gibt es auch unter Strg+P.",
        )
    if not terminal.unicode:
        yield (
            Status.WARNING,
            "Das Terminal ist nicht auf UTF-8 gestellt: Umlaute und Rahmen erscheinen falsch.",
            "Bitte die Zeichenkodierung auf UTF-8 stellen (etwa LANG=de_DE.UTF-8).",
        )


def _why(reason: str) -> str:
    return reason or "Nicht gefragt."
