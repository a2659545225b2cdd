"""Indexes and references of empty tables step aside for a large load, and come back exactly as they were.

A million rows sorted at once cost a fraction of a million looked up one by one. All of it inside the
caller's transaction: who rolls back, or is killed, has the indexes still.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from dpolg_tui.domain.errors import Busy
from dpolg_tui.legacy import target

WORTH_IT: Final = 100_000
"""Staged rows. Below, it would save seconds; and nobody could read those tables meanwhile."""

_MASSES: Final = (
    *("app.guests", "app.bookings", "app.occupancies", "app.price_lines", "app.payments"),
    *("app.companions", "app.booking_companions", "app.reminders", "app.email_log"),
    *("app.credit_transactions", "legacy.kept_rows", "legacy.source_fingerprints"),
)

# These are few, but what refers to them is not.
_FEW: Final = ("app.rooms", "app.service_templates", "app.discount_templates", "app.payers")

# References first: they need the keys of the other side. Primary keys of app stay, as the mapping looks
# into them. What its definition does not say in full (a comment, another disk) is left where it is.
_DEFINITIONS: Final = """
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', c.conrelid::regclass, c.conname) AS removal,
           format('ALTER TABLE %s ADD CONSTRAINT %I %s', c.conrelid::regclass, c.conname,
                  pg_get_constraintdef(c.oid)) AS definition,
           c.contype = 'f' AS refers
      FROM pg_constraint c LEFT JOIN pg_class i ON i.oid = c.conindid AND c.contype <> 'f'
      LEFT JOIN pg_index x ON x.indexrelid = i.oid
     WHERE c.conrelid = ANY ($1::regclass[])
       AND (c.contype = 'f' AND c.confrelid = ANY ($2::regclass[])
            OR c.contype IN ('u', 'x')
            OR c.contype = 'p' AND c.connamespace = 'legacy'::regnamespace)
       AND c.convalidated AND obj_description(c.oid, 'pg_constraint') IS NULL
       AND (i.oid IS NULL OR i.reloptions IS NULL AND i.reltablespace = 0 AND NOT x.indisclustered
            AND NOT x.indisreplident AND obj_description(i.oid, 'pg_class') IS NULL)
    UNION ALL
    SELECT format('DROP INDEX %s', i.oid::regclass), pg_get_indexdef(i.oid), false
      FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
     WHERE x.indrelid = ANY ($1::regclass[]) AND i.reltablespace = 0 AND x.indisvalid
       AND NOT x.indisclustered AND NOT x.indisreplident AND obj_description(i.oid, 'pg_class') IS NULL
       AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.oid)
     ORDER BY 3 DESC, 2
"""


@dataclass(frozen=True, slots=True)
class Aside:
    """What has to come back, in this order."""

    definitions: tuple[str, ...] = ()
    references: tuple[str, ...] = ()


async def step_aside(connection: Any, rows: int) -> Aside:
    """Before a load of so many rows; nothing where it is not worth it, or where there are rows already."""
    if rows < WORTH_IT:
        return Aside()
    masses = [name for name in _MASSES if await _is_empty(connection, name)]
    # The runs are locked already.
    referred = [*masses, "legacy.runs"]
    referred += [name for name in _FEW if await _is_empty(connection, name)]
    if not masses:
        return Aside()
    # Nobody may read a table while it loses an index: what is empty is missed by nobody.
    try:
        await target.lock(connection, ", ".join(referred), "ACCESS EXCLUSIVE")
    except Busy:
        return Aside()  # somebody is reading, and reading on: then it takes longer
    found = await connection.fetch(_DEFINITIONS, masses, referred)
    for row in found:
        await connection.execute(row["removal"])
    return Aside(
        tuple(row["definition"] for row in found if not row["refers"]),
        tuple(row["definition"] for row in found if row["refers"]),
    )


async def bring_back(connection: Any, aside: Aside) -> None:
    """After the load: every index built and every reference checked, all rows at once."""
    for definition in (*aside.definitions, *aside.references):
        await connection.execute(definition)


async def _is_empty(connection: Any, name: str) -> bool:
    return not await connection.fetchval(f"SELECT EXISTS (SELECT FROM {name})")
