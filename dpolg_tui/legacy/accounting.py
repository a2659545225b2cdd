"""The numbers of a run, as the report states them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dpolg_tui.legacy.fingerprints import Settled

LISTED = 5000
"""Single rows that a report lists of each kind; the numbers are always complete."""

_ATTENTION = ("overlap", "too_many_persons", "number_replaced")
"""Repairs of single bookings that somebody should look at: these are named."""

_FATES = {"migrated": "migrated", "quarantined": "quarantined", "kept": "kept_in_legacy"}

# Key codes and passwords of rows that did not come over: masked here, so the copy of the file alone has them.
_HIDDEN = """
    SELECT source_table AS "table", secret AS "column", count(*) AS rows
      FROM (SELECT q.source_table, q.data FROM legacy.quarantine q WHERE q.run_id = $1
            UNION ALL
            -- All rows of a table have the same columns: one tells whether to look at the others.
            SELECT t.source_table, k.data
              FROM (SELECT DISTINCT source_table FROM migration_account WHERE fate = 'kept') t
             CROSS JOIN LATERAL (SELECT o.data ?| ARRAY['schluesselcode', 'smtp_password'] AS has_secrets
                                   FROM legacy.kept_rows o
                                  WHERE o.run_id = $1 AND o.table_name = t.source_table LIMIT 1) l
              JOIN legacy.kept_rows k ON l.has_secrets AND k.run_id = $1 AND k.table_name = t.source_table
            UNION ALL -- the key code of a room that was here with another one
            SELECT k.table_name, k.data FROM legacy.kept_rows k
             WHERE k.run_id = $1 AND k.table_name = 'rooms') x,
           unnest(ARRAY['schluesselcode', 'smtp_password']) secret
     WHERE x.data -> secret ->> 1 = '***'
     GROUP BY 1, 2 ORDER BY 1, 2"""

_ROOMS_THERE = """
    SELECT 'rooms' AS "table", f.row_id AS id, 'room_there' AS kind, r.name AS number,
           (SELECT coalesce(string_agg(c.column_name, ', ' ORDER BY c.column_name COLLATE "C"), '')
              FROM migration_cell c
             WHERE c.source_table = 'rooms' AND c.row_id = f.row_id AND c.kind = 'room_differs') AS columns
      FROM migration_cell t
      JOIN migration_account f ON f.source_table = 'rooms' AND f.row_id = t.row_id
      JOIN app.rooms r ON r.id = f.target_id
     WHERE t.source_table = 'rooms' AND t.kind = 'room_there'
     ORDER BY 2"""


async def settle_accounts(connection: Any) -> None:
    """Write down the fate of every row, to look it up by its number."""
    await connection.execute(
        "ALTER TABLE pg_temp.migration_fate RENAME TO migration_account;"
        " CREATE TEMP VIEW migration_fate AS SELECT * FROM migration_account;"
        " CREATE INDEX ON migration_account (source_table, row_id); ANALYZE migration_account"
    )


async def collect(
    connection: Any,
    run_id: int,
    read: Mapping[str, int],
    settled: Settled,
    left_out: Mapping[str, int],
) -> dict[str, Any]:
    """Tables, repairs, differences, quarantine and what was kept, as JSON values."""
    tables: dict[str, dict[str, int]] = {
        name: {
            "read": rows,
            "migrated": 0,
            "quarantined": 0,
            "kept_in_legacy": 0,
            "already_there": settled.unchanged.get(name, 0),
            "changed_not_taken": settled.changed.get(name, 0),
        }
        for name, rows in read.items()
    }
    for name, rows in left_out.items():
        tables[name] = dict.fromkeys(("read", *_FATES.values(), "already_there", "changed_not_taken"), 0)
        tables[name]["left_out"] = rows
    for row in await connection.fetch(
        "SELECT source_table, fate, count(*) AS rows FROM migration_account GROUP BY 1, 2"
    ):
        tables[row["source_table"]][_FATES[row["fate"]]] = row["rows"]
    return {
        "tables": tables,
        "rows": sum(read.values()),
        "repairs": await _list(
            connection,
            'SELECT source_table AS "table", column_name AS "column", kind, affected,'
            " before_count AS before, after_count AS after, sentence"
            " FROM migration_repair ORDER BY 1, 2, 3",
        ),
        "differences": await _list(
            connection,
            'SELECT source_table AS "table", row_id AS id, what, stored::text, computed::text'
            f" FROM migration_difference ORDER BY 1, 2, 3 LIMIT {LISTED}",
        ),
        "differences_total": await connection.fetchval("SELECT count(*) FROM migration_difference"),
        "quarantine_reasons": await _list(
            connection,
            'SELECT source_table AS "table", reason_code AS code, count(*) AS rows, min(sentence) '
            "AS example"
            " FROM legacy.quarantine WHERE run_id = $1 GROUP BY 1, 2 ORDER BY 1, 2",
            run_id,
        ),
        "quarantine": await _list(
            connection,
            'SELECT source_table AS "table", source_id AS id, reason_code AS code, sentence'
            f" FROM legacy.quarantine WHERE run_id = $1 ORDER BY 1, 2, 3 LIMIT {LISTED}",
            run_id,
        ),
        "attention": await _list(
            connection,
            'SELECT c.source_table AS "table", c.row_id AS id, c.kind, b.number'
            " FROM migration_cell c JOIN migration_account f"
            "   ON f.source_table = c.source_table AND f.row_id = c.row_id"
            " JOIN app.bookings b ON b.id = f.target_id"
            " WHERE c.source_table = 'bookings' AND (c.kind = ANY ($1)"
            "   OR c.kind = 'stay_cut' AND c.column_name = 'checkout_date')"
            f" ORDER BY 3, 2 LIMIT {LISTED}",
            _ATTENTION,
        )
        + await _list(connection, _ROOMS_THERE),
        "kept": await _list(
            connection,
            'SELECT table_name AS "table", count(*) AS rows'
            " FROM legacy.kept_rows WHERE run_id = $1 GROUP BY 1 ORDER BY 1",
            run_id,
        ),
        "new_ids": await _list(
            connection,
            'SELECT table_name AS "table", count(*) AS rows'
            " FROM legacy.id_map WHERE run_id = $1 GROUP BY 1 ORDER BY 1",
            run_id,
        ),
        "secrets_only_in_copy": await _list(connection, _HIDDEN, run_id),
        "changed": list(settled.listed),
        "earlier_run": settled.earlier,
    }


async def _list(connection: Any, query: str, *arguments: object) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(query, *arguments)]
