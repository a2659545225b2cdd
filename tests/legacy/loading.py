"""The simplest staging there is, for rows written down in a test, and the mapping of them, rolled back."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from dpolg_tui.legacy import mapping
from dpolg_tui.legacy.options import Options, silent

Row = Mapping[str, object]
Rows = Mapping[str, Sequence[Row]]


def room(**values: object) -> dict[str, object]:
    return {
        "id": 1,
        "name": "Zimmer 1",
        "gebaeude_typ": "DZ",
        "ort": "Musterort",
        "capacity": 2,
        "price_member": 51.0,
        "price_non_member": 60.0,
        "nebensaison_preis": 55.0,
        "hauptsaison_preis": 66.0,
        "endreinigung": 40.0,
        "notizen": None,
        "schluesselcode": "4711#",
    } | values


def guest(**values: object) -> dict[str, object]:
    return {
        "id": 1,
        "vorname": "Erika",
        "nachname": "Beispiel",
        "email": "erika@example.org",
        "telefon": "0171 5550100",
        "dpolg_mitglied": 1,
        "notizen": None,
        "created_at": "2025-01-02 03:04:05",
    } | values


def booking(**values: object) -> dict[str, object]:
    number = values.get("id", 1)
    return {
        "id": 1,
        "room_id": 1,
        "guest_id": 1,
        "reservierungsnummer": f"2025-{number}",
        "checkin_date": "2025-06-01",
        "checkout_date": "2025-06-04",
        "anzahl_gaeste": 2,
        "status": "bestaetigt",
        "gesamtpreis": 180.0,
        "bemerkungen": None,
        "created_at": f"2025-02-01 10:00:{int(str(number)) % 60:02}",
        "updated_at": "2025-02-03 10:00:00",
        "anzahl_begleitpersonen": 1,
        "anzahl_naechte": 3,
        "grundpreis": 140.0,
        "services_preis": 40.0,
        "rabatt_preis": 0.0,
        "bezahlt": 0,
        "bezahlt_am": None,
        "zahlungsmethode": None,
    } | values


def house(*bookings: Row, **tables: Sequence[Row]) -> dict[str, Sequence[Row]]:
    """One room, one guest, the bookings, and what else a test needs."""
    return {"rooms": [room()], "guests": [guest()], "bookings": bookings} | tables


def cell(value: object) -> list[str | None]:
    """[storage class, text]"""
    match value:
        case None:
            return ["null", None]
        case bool() | int():
            return ["integer", str(int(value))]
        case float():
            return ["real", repr(value)]
        case bytes():
            return ["blob", base64.b64encode(value).decode()]
        case str():
            stored = value.encode("utf-8", "surrogateescape")
            if "\0" in value or stored.decode("utf-8", "replace") != value:
                return ["text64", base64.b64encode(stored).decode()]
            return ["text", value]
    raise TypeError(type(value))


@asynccontextmanager
async def migrated(dsn: str, rows: Rows, *, before: str = "SELECT") -> AsyncIterator[asyncpg.Connection[Any]]:
    """A connection on which the rows are mapped, in a transaction that is rolled back at the end.

    ``before`` is SQL that runs first, in the new system.
    """
    connection = await asyncpg.connect(dsn)
    transaction = connection.transaction()
    await transaction.start()
    try:
        await connection.execute("SET LOCAL app.bulk = 'on'; SET LOCAL search_path = pg_catalog")
        await connection.execute(before)
        await take_over(connection, rows)
        yield connection
    finally:
        await transaction.rollback()
        await connection.close()


async def take_over(connection: asyncpg.Connection[Any], rows: Rows) -> None:
    """Stage and map."""
    run_id: int = await connection.fetchval(
        "INSERT INTO legacy.runs (source_sha256, program_version) VALUES ($1, 'test') RETURNING id", "0" * 64
    )
    await connection.execute("TRUNCATE legacy.source_rows")
    for table, table_rows in rows.items():
        for number, row in enumerate(table_rows, 1):
            await connection.execute(
                "INSERT INTO legacy.source_rows VALUES ($1, $2, $3, $4::jsonb)",
                run_id,
                table,
                row.get("id", number),
                json.dumps({name: cell(value) for name, value in row.items()}),
            )
    await mapping.apply(connection, run_id, Options(file=Path("alt.sqlite")), silent)


async def quarantined(connection: asyncpg.Connection[Any]) -> dict[tuple[str, int], str]:
    """Reason by table and id."""
    rows = await connection.fetch("SELECT source_table, source_id, reason_code FROM legacy.quarantine")
    return {(row[0], row[1]): row[2] for row in rows}


async def fates(connection: asyncpg.Connection[Any]) -> dict[tuple[str, int], str]:
    """Fate by table and row."""
    rows = await connection.fetch("SELECT source_table, row_id, fate FROM migration_fate")
    assert len({(row[0], row[1]) for row in rows}) == len(rows)
    return {(row[0], row[1]): row[2] for row in rows}


async def repairs(connection: asyncpg.Connection[Any]) -> dict[tuple[str, str], tuple[int, int, int]]:
    """Affected, before and after by column and kind."""
    rows = await connection.fetch("SELECT * FROM migration_repair")
    assert all(row["sentence"] for row in rows)
    return {
        (f"{row['source_table']}.{row['column_name']}", row["kind"]): (
            row["affected"],
            row["before_count"],
            row["after_count"],
        )
        for row in rows
    }


async def kept(connection: asyncpg.Connection[Any], table: str, row_id: int) -> dict[str, list[str | None]]:
    """What stays of a row in schema legacy."""
    found = await connection.fetchval(
        "SELECT data::text FROM legacy.kept_rows WHERE table_name = $1 AND row_id = $2", table, row_id
    )
    return json.loads(found) if found else {}


async def lines(connection: asyncpg.Connection[Any], booking_id: int = 1) -> list[tuple[str, str, str]]:
    """Kind, label and amount of a booking's lines in their order."""
    rows = await connection.fetch(
        "SELECT kind, label, amount::text FROM app.price_lines WHERE booking_id = $1 ORDER BY position",
        booking_id,
    )
    return [tuple(row) for row in rows]
