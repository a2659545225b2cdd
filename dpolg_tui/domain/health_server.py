"""What the figures of the database server mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from decimal import Decimal

from dpolg_tui.domain.german import format_date, format_datetime
from dpolg_tui.domain.health_backups import iso, judge_backups
from dpolg_tui.domain.health_figures import (
    Check,
    Figures,
    OpenTransaction,
    ServerFigures,
    Statistics,
    fine,
    unseen,
    wrong,
)
from dpolg_tui.domain.problems import Problem

CONNECTIONS_WARNING, CONNECTIONS_ERROR = 0.8, 0.95
TRANSACTION_WARNING, TRANSACTION_ERROR = 60, 3600
"""Seconds. Desks' end after 15 s without work: longer ones are those of a person or a program."""
BACKUP_TRANSACTION_WARNING = 4 * 3600
SLOW_STATEMENT_MS = 200.0
DEAD_SHARE, DEAD_LEAST = 0.4, 10_000
"""Autovacuum begins at a fifth of the rows: twice that means that it does not get through."""
QUEUE_WARNING, QUEUE_ERROR = 0.1, 0.5
AGE_WARNING, AGE_ERROR = 500_000_000, 1_500_000_000
"""Transactions since the last freeze: autovacuum forces one at 200 million, at 2000 the server stops."""
GROWTH_DAYS, GROWTH_LEAST, GROWTH_SHARE = 30, 512 * 1024**2, 0.5
SLOT_HUGE = 10 * 1024**3

_BACKUP_ROLE = "dpolg_backup"
_BY_STATISTICS = ("connections", "transactions", "statements", "dead_rows")
_WITHOUT_STATISTICS = (
    "Dafür fehlt dpolg_owner das Recht: bitte einmal als Superuser dpolg-tui upgrade-db ausführen "
    "(gemietete Server: GRANT pg_monitor TO dpolg_owner)."
)
_NO_STATEMENTS = {
    "not_installed": "pg_stat_statements ist nicht eingerichtet (docs/health.md).",
    "not_loaded": "pg_stat_statements steht nicht in shared_preload_libraries (docs/health.md).",
    "not_allowed": "dpolg_owner darf pg_stat_statements nicht lesen: die Erweiterung gehört ins Schema ext.",
    "too_old": "pg_stat_statements ist zu alt: ALTER EXTENSION pg_stat_statements UPDATE ausführen.",
}


def judge_server(figures: Figures) -> Iterator[Check]:
    """Everything that app.health() tells; a line that says why for each that could not be looked at."""
    server = figures.server
    if server is None:
        for key in (*_BY_STATISTICS, "size", "vacuum", "notify_queue", "backup", "verification"):
            yield unseen(key, figures.no_server)
        return
    if server.statistics is None:
        for key in _BY_STATISTICS:
            yield unseen(key, _WITHOUT_STATISTICS)
    else:
        for judging in _STATISTICS:
            yield from judging(server, server.statistics)
    for each in _SERVER:
        yield from each(server)


def number(value: float, places: int) -> str:
    """``1,5``"""
    return f"{Decimal(value):.{places}f}".replace(".", ",")


def size(count: int) -> str:
    """``12,3 MB``"""
    for unit, factor in (("GB", 1024**3), ("MB", 1024**2)):
        if count >= factor:
            return f"{number(count / factor, 1)} {unit}"
    return f"{count // 1024} kB"


# -- statistics ------------------------------------------------------------------------------------


def _connections(server: ServerFigures, statistics: Statistics) -> Iterator[Check]:
    total = sum(role.count for role in statistics.connections)
    parts = [(role.role, role.count, role.limit) for role in statistics.connections if role.limit]
    for role, count, limit in (*parts, ("", total, server.most_connections)):
        whose = f"von {role}" if role else "insgesamt"
        share = count / limit if limit else 1.0
        says = f"{count} {whose}, höchstens {limit}."
        values: dict[str, object] = {"role": role or None, "count": count, "limit": limit}
        if share < CONNECTIONS_WARNING:
            yield fine("connections", says, role, values)
            continue
        full = share >= CONNECTIONS_ERROR
        yield wrong(
            Problem.CONNECTIONS_USED_UP if full else Problem.CONNECTIONS_SCARCE,
            f"{says} {'Weitere Arbeitsplätze werden abgewiesen.' if full else 'Es wird eng.'}",
            "Bitte nicht benutzte Arbeitsplätze schließen; auf Dauer max_connections erhöhen (drei je "
            "Arbeitsplatz und 15) und dpolg-tui upgrade-db als Superuser ausführen.",
            role,
            values,
        )


def _transactions(_: ServerFigures, statistics: Statistics) -> Iterator[Check]:
    long = [open_ for open_ in statistics.transactions if open_.seconds >= _patience(open_)]
    for open_ in long:
        what = "wartet auf ihr Programm" if open_.idle else "arbeitet"
        very = open_.seconds >= TRANSACTION_ERROR and open_.role != _BACKUP_ROLE
        yield wrong(
            Problem.TRANSACTIONS_VERY_LONG if very else Problem.TRANSACTIONS_LONG,
            f"Eine Transaktion von {open_.role} ist seit {_duration(open_.seconds)} offen und {what}: sie "
            "kann Sperren halten und hindert das Aufräumen.",
            f"Bitte nachsehen, wessen sie ist (psql, ein Werkzeug); beenden als Superuser: SELECT "
            f"pg_terminate_backend({open_.pid})",
            open_.role,
            {"role": open_.role, "pid": open_.pid, "seconds": open_.seconds, "idle": open_.idle},
        )
    if not long:
        longest = max((open_.seconds for open_ in statistics.transactions), default=0)
        says = f"Die längste seit {_duration(longest)}." if longest else "Keine länger als eine Sekunde."
        yield fine("transactions", says, figures={"seconds": longest})


def _patience(transaction: OpenTransaction) -> int:
    return BACKUP_TRANSACTION_WARNING if transaction.role == _BACKUP_ROLE else TRANSACTION_WARNING


def _duration(seconds: int) -> str:
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} Minuten" if seconds < 7200 else f"{seconds // 3600} Stunden"


def _statements(_: ServerFigures, statistics: Statistics) -> Iterator[Check]:
    if statistics.statements is None:
        yield unseen("statements", _NO_STATEMENTS.get(statistics.no_statements, statistics.no_statements))
        return
    slow = [statement for statement in statistics.statements if statement.mean_ms > SLOW_STATEMENT_MS]
    for statement in slow:
        yield wrong(
            Problem.STATEMENTS_SLOW,
            f"{statement.function or f'Anweisung {statement.id}'} braucht im Mittel "
            f"{number(statement.mean_ms, 0)} ms ({statement.calls} Aufrufe, längster "
            f"{number(statement.max_ms, 0)} ms).",
            "Bitte Auslastung und Speicher des Servers prüfen; bleibt es so, den Entwicklern mit der Ausgabe "
            "von dpolg-tui doctor --json melden.",
            statement.function or statement.id,
            {
                "id": statement.id,
                "function": statement.function,
                "calls": statement.calls,
                "mean_ms": statement.mean_ms,
                "max_ms": statement.max_ms,
            },
        )
    if not slow:
        longest = max((statement.mean_ms for statement in statistics.statements), default=0.0)
        says = f"Keine über {number(SLOW_STATEMENT_MS, 0)} ms im Mittel."
        yield fine("statements", says, figures={"mean_ms": longest})


def _dead_rows(_: ServerFigures, statistics: Statistics) -> Iterator[Check]:
    worn = [t for t in statistics.tables if t.dead >= DEAD_LEAST and t.dead > DEAD_SHARE * max(t.live, 1)]
    for table in worn:
        yield wrong(
            Problem.DEAD_ROWS_MANY,
            f"{table.name} hat {table.dead} tote Zeilen neben {table.live} lebenden: Abfragen werden "
            "langsamer.",
            "Bitte nach offenen Transaktionen sehen und autovacuum prüfen; sofort hilft als Superuser: "
            f"VACUUM {table.name}",
            table.name,
            {"live": table.live, "dead": table.dead},
        )
    if not worn:
        most = max((table.dead for table in statistics.tables), default=0)
        yield fine("dead_rows", f"Höchstens {most} in einer Tabelle.", figures={"dead": most})


def _pages(_: ServerFigures, statistics: Statistics) -> Iterator[Check]:
    failures = statistics.checksum_failures
    if failures:
        yield wrong(
            Problem.PAGES_DAMAGED,
            # Each reading of a damaged page counts.
            f"Beim Lesen war {failures}-mal eine Prüfsumme falsch: Teile der Datenbank sind beschädigt, "
            "vermutlich durch einen Defekt der Platte.",
            "Bitte sofort sichern, die Platte prüfen und aus der letzten guten Sicherung in eine neue "
            "Datenbank wiederherstellen (docs/backup.md).",
            figures={"failures": failures},
        )
    elif failures is not None:
        yield fine("pages", "Keine beschädigte Seite bemerkt.", figures={"failures": 0})


def _archive(_: ServerFigures, statistics: Statistics) -> Iterator[Check]:
    if not statistics.archiving:
        return
    good, bad = statistics.archived, statistics.archive_failed
    values: dict[str, object] = {"archived": iso(good), "failed": iso(bad)}
    if bad is not None and (good is None or bad > good):
        yield wrong(
            Problem.ARCHIVE_FAILING,
            f"Das Archivieren scheitert, zuletzt {format_datetime(bad)}: die Platte des Servers läuft voll.",
            "Bitte archive_command und den Platz am Ziel prüfen; der Grund steht im Protokoll des Servers.",
            figures=values,
        )
    else:
        says = f"Zuletzt {format_datetime(good)}." if good else "Noch nichts archiviert."
        yield fine("archive", says, figures=values)


# -- the server itself -----------------------------------------------------------------------------


def _size(server: ServerFigures) -> Iterator[Check]:
    now = size(server.bytes)
    tables = server.statistics.tables if server.statistics else ()
    by_size = sorted(tables, key=lambda table: (-table.bytes, table.name))
    largest = [{"name": table.name, "bytes": table.bytes} for table in by_size[:5]]
    day = server.at.date()
    earlier = sorted(
        (on, count) for on, count in server.sizes if timedelta(1) <= day - on <= timedelta(GROWTH_DAYS + 5)
    )
    if not earlier:
        says = f"{now}. Das Wachstum ist bekannt, wenn dpolg-tui housekeeping an mehreren Tagen lief."
        yield fine("size", says, figures={"bytes": server.bytes, "growth": None, "tables": largest})
        return
    since, before = earlier[0]
    grown = server.bytes - before
    says = f"{now}, {'+' if grown >= 0 else '−'}{size(abs(grown))} seit {format_date(since)}."
    values: dict[str, object] = {
        "bytes": server.bytes,
        "growth": grown,
        "since": since.isoformat(),
        "tables": largest,
    }
    if grown > GROWTH_LEAST and grown > GROWTH_SHARE * before:
        most = f" Am größten: {', '.join(str(table['name']) for table in largest[:3])}." if largest else ""
        yield wrong(
            Problem.SIZE_GROWN,
            f"{says} Das ist ungewöhnlich viel.{most}",
            "Bitte den freien Platz des Servers prüfen und nachsehen, was so wächst (docs/health.md).",
            figures=values,
        )
    else:
        yield fine("size", says, figures=values)


def _vacuum(server: ServerFigures) -> Iterator[Check]:
    age = server.transaction_age
    values = {"age": age}
    if age >= AGE_WARNING:
        yield wrong(
            Problem.VACUUM_FAR_BEHIND if age >= AGE_ERROR else Problem.VACUUM_BEHIND,
            f"{age // 1_000_000} Millionen Transaktionen seit dem letzten Einfrieren: "
            "bei 2000 hält der Server an.",
            "Bitte offene Transaktionen und Replikationsslots prüfen, dann als Superuser: VACUUM FREEZE",
            figures=values,
        )
    if not server.autovacuum:
        yield wrong(
            Problem.VACUUM_OFF,
            "autovacuum ist ausgeschaltet: die Datenbank wird immer größer und langsamer.",
            "Bitte auf dem Server autovacuum = on setzen und neu laden.",
            figures=values,
        )
    elif age < AGE_WARNING:
        yield fine("vacuum", "Eingeschaltet.", figures=values)


def _notify_queue(server: ServerFigures) -> Iterator[Check]:
    share = server.notify_queue
    says = f"Die Warteschlange ist zu {number(share * 100, 0)} % voll."
    if share < QUEUE_WARNING:
        yield fine("notify_queue", says, figures={"share": share})
        return
    yield wrong(
        Problem.NOTIFY_QUEUE_NEARLY_FULL if share >= QUEUE_ERROR else Problem.NOTIFY_QUEUE_FILLING,
        f"{says} Ist sie voll, kann niemand mehr speichern.",
        "Eine Verbindung hört zu und hält eine Transaktion offen: bitte die älteste Transaktion beenden.",
        figures={"share": share},
    )


def _slots(server: ServerFigures) -> Iterator[Check]:
    for slot in server.slots:
        values: dict[str, object] = {"active": slot.active, "bytes": slot.bytes}
        if slot.active:
            yield fine("slots", f"{slot.name} läuft mit.", slot.name, values)
            continue
        yield wrong(
            Problem.SLOTS_HUGE if slot.bytes >= SLOT_HUGE else Problem.SLOTS_UNFETCHED,
            f"{slot.name} wird nicht abgeholt: {size(slot.bytes)} WAL werden dafür aufgehoben.",
            "Bitte den zweiten Server starten oder, wenn es ihn nicht mehr gibt, als Superuser: SELECT "
            f"pg_drop_replication_slot('{slot.name}')",
            slot.name,
            values,
        )


_STATISTICS: tuple[Callable[[ServerFigures, Statistics], Iterator[Check]], ...] = (
    _connections,
    _transactions,
    _statements,
    _dead_rows,
    _pages,
    _archive,
)
_SERVER: tuple[Callable[[ServerFigures], Iterator[Check]], ...] = (
    _size,
    _vacuum,
    _notify_queue,
    _slots,
    judge_backups,
)
