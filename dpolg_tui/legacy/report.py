"""What people see of a migration: the terminal while it works, the JSON report, the protocol to sign."""

from __future__ import annotations

import html
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from dpolg_tui.domain import german

if TYPE_CHECKING:
    from dpolg_tui.legacy import options
    from dpolg_tui.legacy.migrate import Plan

PHASES = {
    "copy": "Datei abschreiben",
    "backup": "Ziel sichern",
    "staging": "Einlesen",
    "comparing": "Vergleichen",
    "mapping": "Zuordnen",
    "recording": "Vermerken",
    "indexing": "Indizes aufbauen",
    "verifying": "Prüfen",
    "commit": "Abschließen",
}
_ATTENTION = {
    "overlap": "ohne Zimmer, weil doppelt belegt",
    "stay_cut": "auf 365 Nächte gekürzt",
    "too_many_persons": "mehr Personen als Betten",
    "number_replaced": "neue Reservierungsnummer",
    "room_there": "Zimmer war schon da, seine Werte gelten",
}
_NAMED = 50
_COLUMNS = (
    ("read", "gelesen"),
    ("migrated", "übernommen"),
    ("quarantined", "Quarantäne"),
    ("kept_in_legacy", "aufbewahrt"),
    ("already_there", "schon da"),
    ("changed_not_taken", "geändert"),
)
_SECRETS = {"schluesselcode": "Schlüsselcode", "smtp_password": "Passwort des Mailservers"}


def number(value: float) -> str:
    """A whole number the German way: 1.234.567."""
    return f"{round(value):,}".replace(",", ".")


@dataclass(frozen=True, slots=True)
class _Phase:
    name: str
    seconds: float
    rows: int

    def as_json(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"phase": self.name, "seconds": round(self.seconds, 3)}
        if self.rows:
            answer |= {"rows": self.rows, "rows_per_second": round(self.rows / max(self.seconds, 1e-6))}
        return answer


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{number(task.speed)} Zeilen/s" if task.speed and task.total else "", style="dim")


class Screen:
    """The terminal. Without one: a line at the beginning and at the end of each phase."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(highlight=False)
        self._done: list[_Phase] = []
        self._bars: Progress | None = None

    @contextmanager
    def phase(self, name: str, rows: int = 0) -> Iterator[options.Progress]:
        """A step with its time; ``rows`` it works on, if it does."""
        label = PHASES[name]
        if not self.console.is_terminal:
            self.say(f"{label} …")
        began = time.perf_counter()
        with self._bar(label, rows) as progress:
            yield progress
        phase = _Phase(name, time.perf_counter() - began, rows)
        self._done.append(phase)
        speed = f", {number(rows / max(phase.seconds, 1e-6))} Zeilen/s" if rows else ""
        self.say(f"{label}: {_seconds(phase.seconds)}{speed}")

    @contextmanager
    def _bar(self, label: str, rows: int) -> Iterator[options.Progress]:
        if not self.console.is_terminal:
            yield _silent
            return
        bars = Progress(
            TextColumn("{task.description}"), BarColumn(), _Rate(), TimeElapsedColumn(),
            TextColumn("{task.fields[what]}", markup=False), console=self.console, transient=True,
        )  # fmt: skip
        self._bars = bars
        with bars:
            task = bars.add_task(label, total=rows or None, what="")
            finished = 0
            within = ""

            def progress(what: str, done: int, total: int = 0) -> None:
                # Without a total each table counts from its own beginning.
                nonlocal finished, within
                if what != within:
                    within, finished = what, 0 if total else int(bars.tasks[0].completed)
                bars.update(task, completed=finished + done, what=what[:40])

            yield progress
        self._bars = None

    def phases(self) -> list[dict[str, Any]]:
        """The phases so far, for the report."""
        return [phase.as_json() for phase in self._done]

    def say(self, text: str) -> None:
        self.console.print(text, markup=False, soft_wrap=True)
        if not self.console.is_terminal:
            self.console.file.flush()

    def confirm(self, question: str) -> bool:
        try:
            answer = self.console.input(question, markup=False)
        except EOFError:
            return False
        return answer.strip().lower() in ("j", "ja")

    def close(self) -> None:
        """Leave the terminal as it was, whatever stopped the work."""
        if self._bars is not None:
            self._bars.stop()
            self._bars = None

    def plan(self, plan: Plan) -> None:
        """What was found, before the question."""
        source, found = plan.source, plan.target
        self.say(f"Datei:  {plan.options.file} (SHA-256 {source.sha256})")
        table = Table(box=None, pad_edge=False)
        table.add_column("Tabelle")
        table.add_column("Zeilen", justify="right")
        table.add_column("Spalten", justify="right")
        table.add_column("")
        for name, known in sorted(source.tables.items()):
            remark = "" if known.known else "unbekannt, wird aufbewahrt"
            table.add_row(Text(name), number(known.rows), str(len(known.columns)), remark)
        self.console.print(table)
        if source.ignored:
            self.say(
                f"Sichten und virtuelle Tabellen, deren Daten schon dabei sind: {', '.join(source.ignored)}"
            )
        for warning in source.warnings[:_NAMED]:
            self.say(f"SQLite meldet: {warning}")
        held = "leer" if found.is_empty else (
            f"{number(found.rooms)} Zimmer, {number(found.guests)} Gäste, {number(found.bookings)} "
            "Buchungen"
        )  # fmt: skip
        self.say(f"Ziel:   {found.database} auf {found.address} ({held})")
        self.say(f"Ordner: {plan.directory}")
        if plan.options.dry_run:
            self.say("Probelauf: alles wird getan und geprüft, nichts bleibt.")

    def summary(self, report: dict[str, Any]) -> None:
        """The numbers of the report."""
        columns = [pair for pair in _COLUMNS if any(row[pair[0]] for row in report["tables"].values())]
        table = Table(box=None, pad_edge=False)
        table.add_column("Tabelle")
        for _, label in columns:
            table.add_column(label, justify="right")
        for name, row in sorted(report["tables"].items()):
            table.add_row(Text(name), *(number(row[key]) for key, _ in columns))
        self.console.print(table)
        for line in findings(report):
            self.say(line)
        self.say(verdict(report))


def _silent(what: str, done: int, total: int = 0) -> None:
    """Without a terminal nobody watches a bar."""


def _seconds(value: float) -> str:
    return f"{value:.1f} s".replace(".", ",")


def findings(report: dict[str, Any]) -> list[str]:
    """What somebody should look at, a line each."""
    lines = [
        f"Berichtigt: {repair['table']}.{repair['column']}, {number(repair['affected'])} ×: "
        f"{repair['sentence']}"
        for repair in report["repairs"]
    ]
    lines += [
        f"Quarantäne: {reason['table']}, {number(reason['rows'])} × {reason['code']}: {reason['example']}"
        for reason in report["quarantine_reasons"]
    ]
    for kind, label in _ATTENTION.items():
        numbers = [
            row["number"] + (f" ({row['columns']})" if row.get("columns") else "")
            for row in report["attention"]
            if row["kind"] == kind
        ]
        if numbers:
            more = f" und {number(len(numbers) - _NAMED)} weitere" if len(numbers) > _NAMED else ""
            lines.append(f"Bitte prüfen, {label}: {', '.join(numbers[:_NAMED])}{more}")
    if report["differences_total"]:
        lines.append(
            f"Beträge: bei {number(report['differences_total'])} Buchungen ergeben die "
            "Einzelbeträge nicht den "
            "gespeicherten Gesamtpreis; der Gesamtpreis gilt."
        )
    lines += [f"Aufbewahrt: {kept['table']} ({number(kept['rows'])})" for kept in report["kept"]]
    if hidden := report["secrets_only_in_copy"]:
        words = ", ".join(
            f"{_SECRETS[entry['column']]} ({entry['table']}, {number(entry['rows'])} ×)" for entry in hidden
        )
        lines.append(f"Nicht übernommen, steht nur noch in der alten Datei und ihrer Abschrift: {words}")
    lines += [f"Neue Nummern: {entry['table']} ({number(entry['rows'])})" for entry in report["new_ids"]]
    left = [row for row in report["changed"] if not row["taken"]]
    if left:
        hint = "" if any(row["obstacle"] for row in left) else (
            " (--update übernimmt, was hier noch niemand geändert hat)"
        )  # fmt: skip
        lines.append(
            "Seit dem letzten Lauf in der alten Datei geändert und nicht übernommen: "
            f"{number(len(left))} Zeilen{hint}."
        )
        lines += [
            f"Nicht übernommen: {row['table']} {row['id']}: {row['obstacle']}"
            for row in left
            if row["obstacle"]
        ][:_NAMED]
    return lines + _left_behind(report)


def _left_behind(report: dict[str, Any]) -> list[str]:
    """Bookings that did not come over though nothing is wrong with them; the last thing to be read."""
    reasons = {(reason["table"], reason["code"]): reason["rows"] for reason in report["quarantine_reasons"]}
    follow = reasons.get(("bookings", "parent_quarantined"), 0)
    orphans = reasons.get(("bookings", "parent_missing"), 0)
    if not follow + orphans:
        return []
    parents = [
        f"{number(sum(rows for (name, _), rows in reasons.items() if name == table))} {label}"
        for table, label in (("rooms", "Zimmer"), ("guests", "Gäste"))
        if any(name == table for name, _ in reasons)
    ]
    named = f" ({', '.join(parents)})" if parents else ""
    because = [
        *([f"{number(follow)}, weil ihr Zimmer oder Gast es ist{named}"] if follow else []),
        *([f"{number(orphans)}, weil ihr Zimmer oder Gast in der alten Datei fehlt"] if orphans else []),
    ]
    remedy = "noch einmal proben" if report["dry_run"] else "noch einmal mit --update aufrufen"
    return [
        f"ACHTUNG: {number(follow + orphans)} × bleibt eine Buchung in Quarantäne: {'; '.join(because)}. "
        f"Bitte diese Zimmer und Gäste im alten Programm berichtigen und {remedy}: dann kommen die "
        "Buchungen mit."
    ]


def verdict(report: dict[str, Any]) -> str:
    """The last line."""
    rows = number(report["rows"])
    if report["dry_run"]:
        return f"Probelauf in Ordnung: {rows} Zeilen gelesen, zugeordnet und geprüft; nichts wurde verändert."
    if not any(table["read"] - table["already_there"] for table in report["tables"].values()):
        return f"Nichts zu tun: alle {rows} Zeilen sind schon da, unverändert."
    return f"Fertig: {rows} Zeilen gelesen, zugeordnet, geprüft und gespeichert; nichts ging verloren."


def write_json(path: Path, report: dict[str, Any]) -> None:
    """The report for programs."""
    _write(path, json.dumps(report, ensure_ascii=False, indent=2) + "\n")


def write_protocol(path: Path, report: dict[str, Any]) -> None:
    """The protocol for people, to sign and file: HTML, or text for any other ending."""
    page = _as_html(report) if path.suffix.lower() in (".html", ".htm") else _as_text(report)
    _write(path, page)


def _write(path: Path, text: str) -> None:
    """Whole or not at all; for us alone, since it may name guests' data."""
    draft = path.with_name(f".{path.name}.part")
    handle = os.open(draft, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)


def _facts(report: dict[str, Any]) -> list[tuple[str, str]]:
    def moment(name: str) -> str:
        return german.format_datetime(datetime.fromisoformat(report[name]))

    target = report["target"]
    return [
        ("Art", "Probelauf (nichts gespeichert)" if report["dry_run"] else "Übernahme"),
        ("Datei", report["source"]),
        ("SHA-256", report["source_sha256"]),
        ("Abschrift", report["source_copy"] or "keine"),
        ("Ziel", f"{target['database']} auf {target['address']}, PostgreSQL {target['server_version']}"),
        ("Sicherung vorher", report["backup"] or "keine (Ziel leer, Probelauf oder --no-backup)"),
        ("Begonnen", moment("started_at")),
        ("Beendet", moment("finished_at")),
        ("Programm", f"dpolg-tui {report['program_version']}"),
        ("Geprüft", "ja, durch zweites Lesen der Datei" if report["verified"] else "nein"),
    ]


def _as_text(report: dict[str, Any]) -> str:
    lines = ["Protokoll der Datenübernahme", "=" * 28, ""]
    lines += [f"{label + ':':<18}{value}" for label, value in _facts(report)]
    lines += ["", f"{'Tabelle':<34}" + "".join(f"{label:>14}" for _, label in _COLUMNS)]
    for name, row in sorted(report["tables"].items()):
        lines.append(f"{name:<34}" + "".join(f"{number(row[key]):>14}" for key, _ in _COLUMNS))
    lines += ["", *findings(report), "", verdict(report), "", ""]
    lines += ["_" * 30 + "    " + "_" * 30, f"{'Ort, Datum':<34}Unterschrift", ""]
    return "\n".join(lines)


_STYLE = (
    "body{font:11pt sans-serif;max-width:60em;margin:2em auto}table{border-collapse:collapse;margin:1em 0}"
    "td,th{border:1px solid #999;padding:.2em .6em;text-align:left}td.n{text-align:right}"
    ".sign{margin-top:5em;display:flex;gap:4em}.sign div{border-top:1px solid;width:20em;padding-top:.3em}"
)


def _as_html(report: dict[str, Any]) -> str:
    def cell(value: str, kind: str = "td", css: str = "") -> str:
        return f"<{kind}{css}>{html.escape(value)}</{kind}>"

    facts = "".join(f"<tr>{cell(label, 'th')}{cell(value)}</tr>" for label, value in _facts(report))
    head = "".join(cell(label, "th") for label in ("Tabelle", *(label for _, label in _COLUMNS)))
    rows = "".join(
        f"<tr>{cell(name)}{''.join(cell(number(row[key]), css=' class=n') for key, _ in _COLUMNS)}</tr>"
        for name, row in sorted(report["tables"].items())
    )
    remarks = "".join(cell(line, "li") for line in findings(report))
    return (
        '<!DOCTYPE html><html lang="de"><head><meta charset="utf-8"><title>Protokoll der '
        "Datenübernahme</title>"
        f"<style>{_STYLE}</style></head><body><h1>Protokoll der Datenübernahme</h1><table>{facts}</table>"
        f"<table><tr>{head}</tr>{rows}</table><ul>{remarks}</ul><p><strong>{html.escape(verdict(report))}</strong>"
        '</p><div class="sign"><div>Ort, Datum</div><div>Unterschrift</div></div></body></html>\n'
    )
