"""Puts a generated house into an empty database, in one transaction, as its owner.

Forced row-level security forbids COPY into the real tables, also to their owner: rows are
copied into temporary tables and inserted from there. Bulk mode keeps the audit log and the
change feed from growing by a line per row; desks that are open get one "reload".
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import asyncpg

from dpolg_tui.operations.house import BookingRow, GuestRow, House, OccupancyRow, RoomRow

OWNER: Final = "dpolg_owner"


class HouseExistsError(Exception):
    """There are rooms, guests or bookings already: a generated house needs an empty database."""


async def load_house(connection: asyncpg.Connection[Any], house: House) -> dict[str, int]:
    """Store the house; the answer is the number of rows per table.

    ``connection`` belongs to the owner of the database, or to a superuser who then acts as owner.
    """
    counts: dict[str, int] = {}
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        await connection.execute("SET LOCAL app.bulk = 'on'; SET LOCAL statement_timeout = 0")
        if await connection.fetchval(
            "SELECT EXISTS (SELECT FROM app.rooms) OR EXISTS (SELECT FROM app.guests)"
            " OR EXISTS (SELECT FROM app.bookings)"
        ):
            raise HouseExistsError(HouseExistsError.__doc__)
        for table, columns, rows, order in (
            ("rooms", RoomRow._fields, house.rooms(), "id"),
            ("guests", GuestRow._fields, house.guests(), "id"),
            ("bookings", BookingRow._fields, house.bookings(), "id"),
            # In this order neighbours in the index arrive together.
            ("occupancies", OccupancyRow._fields, house.occupancies(), "room_id, arrival"),
        ):
            counts[table] = await _insert(connection, table, columns, rows, order)
        await connection.execute(
            """
            INSERT INTO app.number_counters (year, last)
            SELECT split_part(number, '-', 1)::integer AS year, max(split_part(number, '-', 2)::bigint)
              FROM app.bookings GROUP BY 1
            ON CONFLICT (year) DO UPDATE SET last = greatest(number_counters.last, excluded.last)
            """
        )
        await connection.execute("SELECT app.announce_reload()")
    # Without fresh statistics the first queries of a large house take the wrong indexes.
    for table in counts:
        await _as_owner(connection, f"ANALYZE app.{table}")
    return counts


async def _insert(
    connection: asyncpg.Connection[Any],
    table: str,
    columns: tuple[str, ...],
    rows: Iterable[tuple[object, ...]],
    order: str,
) -> int:
    """COPY the rows into a temporary table and insert them from there with their ids.

    The members of staff take turns as those who made them.
    """
    listed = ", ".join(columns)
    staging = f"house_{table}"
    author = "(SELECT users.ids[1 + mod(id, cardinality(users.ids))] FROM users)"
    # Without a moment of change there is nobody who changed the row.
    editor = (
        f", CASE WHEN updated_at IS NOT NULL THEN {author} END"
        if "updated_at" in columns
        else ", NULL::bigint"
    )
    # All names come from this module and from house.py.
    await connection.execute(
        f"CREATE TEMPORARY TABLE {staging} ON COMMIT DROP AS SELECT {listed} FROM app.{table} WITH NO DATA"  # noqa: S608
    )
    await connection.copy_records_to_table(staging, schema_name="pg_temp", records=rows, columns=columns)
    answer = await connection.execute(
        f"""
        WITH users AS MATERIALIZED (
            SELECT coalesce(array_agg(id ORDER BY id), ARRAY[NULL::bigint]) AS ids FROM auth.users)
        INSERT INTO app.{table} ({listed}, created_by, updated_by) OVERRIDING SYSTEM VALUE
        SELECT {listed}, {author}{editor} FROM {staging} ORDER BY {order}
        """  # noqa: S608
    )
    await connection.execute(
        f"SELECT setval(pg_get_serial_sequence('app.{table}', 'id'), max(id)) FROM app.{table}"  # noqa: S608
        " HAVING max(id) IS NOT NULL"
    )
    return int(str(answer).rpartition(" ")[2])


async def _as_owner(connection: asyncpg.Connection[Any], statement: str) -> None:
    async with connection.transaction():
        await connection.execute(f"SET LOCAL ROLE {OWNER}")
        await connection.execute(statement)
