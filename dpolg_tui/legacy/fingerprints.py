"""A second run: what is already there, what is new, what has changed; and is it the same house at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dpolg_tui.legacy import renewal
from dpolg_tui.legacy.errors import OtherHouse

if TYPE_CHECKING:
    from dpolg_tui.legacy.options import Options

SAME_HOUSE = 90
"""Per cent of the earlier guests and bookings that must still be the same ones."""
_LISTED = 5000

_SHA = "sha256(convert_to(s.data::text, 'UTF8'))"

_RENEWED = """
            ON CONFLICT (table_name, id) DO UPDATE
           SET sha256 = excluded.sha256, run_id = excluded.run_id,
               target_table = excluded.target_table, target_id = excluded.target_id
"""

# The stamp of creation as text without zone and fraction, as far as the old program wrote it.
_CREATED = "left(replace(s.data -> 'created_at' ->> 1, 'T', ' '), 19)"


@dataclass(frozen=True, slots=True)
class Settled:
    """Rows of the source that need not be taken over, by table."""

    earlier: bool = False
    """Whether there was a run before."""
    unchanged: Mapping[str, int] = field(default_factory=dict)
    changed: Mapping[str, int] = field(default_factory=dict)
    """Changed in the old file and left alone."""
    listed: tuple[dict[str, Any], ...] = ()


async def settle(
    connection: Any, run_id: int, options: Options, refused: renewal.Refused | None = None
) -> Settled:
    """Compare with earlier runs; leave only the rows to take over in the staging.

    ``refused``: rows that an earlier attempt showed to be no longer valid; their records stay as they are.
    """
    await connection.execute(
        "CREATE TEMP TABLE migration_settled (source_table text, row_id bigint) ON COMMIT DROP;"
        " CREATE TEMP TABLE migration_earlier (source_table text, row_id bigint, target_table text,"
        " target_id bigint) ON COMMIT DROP"
    )
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM legacy.source_fingerprints)"):
        return Settled()
    await _compare(connection, run_id)
    await _require_same_house(connection)
    await renewal.choose(connection, update=options.update, refused=refused or {})
    await connection.execute(
        """
        INSERT INTO migration_earlier
        SELECT f.table_name, f.id, f.target_table, f.target_id
          FROM legacy.source_fingerprints f
         WHERE f.target_id IS NOT NULL
           AND NOT (f.target_table IN ('price_lines', 'booking_companions', 'reminders')
                    AND EXISTS (SELECT FROM migration_seen m JOIN migration_seen b ON b.row_id = m.booking
                                 WHERE m.renewed AND m.table_name = f.table_name AND m.row_id = f.id
                                   AND b.table_name = 'bookings' AND b.renewed));
        CREATE INDEX ON migration_earlier (source_table, row_id);
        INSERT INTO migration_settled
        SELECT table_name, row_id FROM migration_seen WHERE (earlier IS NOT NULL OR held) AND NOT renewed;
        CREATE INDEX ON migration_settled (source_table, row_id);
        ANALYZE migration_earlier, migration_settled
        """
    )
    await connection.execute(
        "DELETE FROM legacy.source_rows s USING migration_settled x"
        " WHERE s.run_id = $1 AND x.source_table = s.table_name AND x.row_id = s.row_id",
        run_id,
    )
    return await _settled(connection)


async def record(connection: Any, run_id: int, *, earlier: bool) -> None:
    """After the mapping: note down every row of this run and where it went."""
    # After a first run there is nothing to conflict with; the key may have stepped aside.
    conflict = _RENEWED if earlier else ""
    await connection.execute(
        f"""
        -- All rows at once: looked up one by one it would take twice as long.
        SET LOCAL enable_nestloop = off;
        INSERT INTO legacy.source_fingerprints (table_name, id, sha256, run_id, target_table, target_id)
        SELECT s.table_name, s.row_id, {_SHA}, s.run_id, f.target_table, f.target_id
          FROM legacy.source_rows s
          JOIN migration_account f ON f.source_table = s.table_name AND f.row_id = s.row_id
         WHERE s.run_id = {int(run_id)}
        {conflict};
        RESET enable_nestloop
        """
    )


async def _compare(connection: Any, run_id: int) -> None:
    await connection.execute(
        f"""
        CREATE TEMP TABLE migration_seen ON COMMIT DROP AS
        SELECT s.table_name, s.row_id, {_SHA} AS sha256, f.sha256 AS earlier, f.target_table, f.target_id,
               CASE WHEN s.table_name IN ('bookings', 'guests') THEN {_CREATED} END AS created,
               CASE WHEN s.table_name = 'bookings' THEN s.data -> 'reservierungsnummer' ->> 1 END AS number,
               CASE WHEN s.table_name = 'guests' THEN s.data -> 'nachname' ->> 1 END AS name,
               false AS renewed, false AS held, NULL::text AS obstacle
          FROM legacy.source_rows s
          LEFT JOIN legacy.source_fingerprints f ON f.table_name = s.table_name AND f.id = s.row_id
         WHERE s.run_id = {int(run_id)};
        CREATE INDEX ON migration_seen (table_name, row_id);
        ANALYZE migration_seen
        """
    )


async def _require_same_house(connection: Any) -> None:
    # What was repaired or is in quarantine is compared with what the old file said then.
    row = await connection.fetchrow(
        f"""
        SELECT count(*) AS known,
               count(*) FILTER (WHERE f.sha256 = s.sha256
                   OR (s.number IS NOT DISTINCT FROM x.number
                       AND CASE WHEN coalesce(s.created, '') = '' THEN s.name IS NOT DISTINCT FROM x.name
                                ELSE s.created = x.created END)) AS same
          FROM legacy.source_fingerprints f
          LEFT JOIN migration_seen s ON s.table_name = f.table_name AND s.row_id = f.id
          LEFT JOIN app.guests g ON f.table_name = 'guests' AND g.id = f.target_id
          LEFT JOIN app.bookings b ON f.table_name = 'bookings' AND b.id = f.target_id
          LEFT JOIN LATERAL (
               SELECT q.data FROM legacy.quarantine q WHERE f.target_id IS NULL
                  AND q.source_table = f.table_name AND q.source_id = f.id AND q.run_id = f.run_id
                UNION ALL
               SELECT k.data FROM legacy.kept_rows k WHERE f.target_id IS NOT NULL
                  AND k.table_name = f.table_name AND k.row_id = f.id AND k.run_id = f.run_id
                LIMIT 1) old ON true,
               LATERAL (SELECT coalesce({_CREATED.replace("s.data", "old.data")},
                                        left(coalesce(g.created_at, b.created_at)::text, 19)) AS created,
                               coalesce(old.data -> 'reservierungsnummer' ->> 1, b.number) AS number,
                               coalesce(old.data -> 'nachname' ->> 1, g.last_name) AS name) x
         WHERE f.table_name IN ('guests', 'bookings')
        """
    )
    known, same = row["known"], row["same"]
    if same * 100 < known * SAME_HOUSE:
        raise OtherHouse(
            f"Diese Datei gehört zu einem anderen Haus: nur {same} der {known} früher übernommenen "
            "Gäste und "
            f"Buchungen stimmen mit ihr überein (nötig sind {SAME_HOUSE} %). Zwei Häuser passen "
            "nicht in eine "
            "Datenbank: bitte für diese Datei eine eigene anlegen. Am Ziel wurde nichts verändert."
        )


async def _settled(connection: Any) -> Settled:
    unchanged: dict[str, int] = {}
    changed: dict[str, int] = {}
    for row in await connection.fetch(
        "SELECT table_name, coalesce(sha256 = earlier, false) AND NOT held AS same, count(*) AS rows"
        " FROM migration_seen"
        " WHERE (earlier IS NOT NULL OR held) AND NOT renewed GROUP BY 1, 2"
    ):
        (unchanged if row["same"] else changed)[row["table_name"]] = row["rows"]
    listed = await connection.fetch(
        'SELECT table_name AS "table", row_id AS id, renewed AS taken, obstacle FROM migration_seen'
        " WHERE earlier <> sha256 OR held ORDER BY 1, 2 LIMIT $1",
        _LISTED,
    )
    return Settled(True, unchanged, changed, tuple(dict(row) for row in listed))
