"""``--update``: rows that changed in the old file since, taken over anew where nobody changed them here.

Leaves of the tree are removed and mapped again under their id, a booking with all that belongs to it.
What others refer to stays: the mapping makes a second record beside it, whose content moves over.
"""

from __future__ import annotations

from typing import Any, Final

PARENTS: Final = ("rooms", "guests", "guest_companions", "payment_recipients", "service_templates", "discount_templates")
"""Old tables whose records others refer to."""

OF_A_BOOKING: Final = (
    "accompanying_guests",
    "additional_services",
    "discounts",
    "booking_services",
    "booking_discounts",
    "reminders",
)
"""Old tables whose rows are taken over anew with their booking."""

PRICES: Final = ("additional_services", "discounts", "booking_services", "booking_discounts")
"""Rows that make up a booking's total: a new one changes the booking."""

_LEAVES: Final = ("email_templates", "email_logs", "guest_credit_transactions", "reminders")
_REFERRING: Final = ("email_log", "credit_transactions")
_UNIQUE_NAMES: Final = ("rooms", "service_templates", "discount_templates")

_TOUCHED = "wurde hier inzwischen geändert"
_SETTING = "Einstellungen werden nur einmal übernommen"
_GONE = "wurde hier inzwischen gelöscht"


async def hold_back(connection: Any) -> None:
    """New price lines of a booking that is there already change its total: they are a change of the booking."""
    await connection.execute(
        f"""
        ALTER TABLE migration_seen ADD COLUMN booking bigint;
        UPDATE migration_seen m
           SET booking = legacy.integer_of(s.data -> 'booking_id')
          FROM legacy.source_rows s
         WHERE s.table_name = m.table_name AND s.row_id = m.row_id AND m.table_name IN {OF_A_BOOKING};
        UPDATE migration_seen m SET booking = m.row_id WHERE m.table_name = 'bookings';
        CREATE INDEX ON migration_seen (booking);
        UPDATE migration_seen m SET held = true
          FROM migration_seen b
         WHERE m.earlier IS NULL AND m.table_name IN {PRICES} AND b.table_name = 'bookings'
           AND b.row_id = m.booking AND b.target_id IS NOT NULL
        """  # noqa: S608 - names from above
    )


async def prepare(connection: Any) -> None:
    """Choose what may be taken over anew, and make room for it."""
    await connection.execute(
        "CREATE TEMP TABLE migration_renewed (source_table text, row_id bigint, target_table text, target_id bigint)"
        " ON COMMIT DROP;"
        " CREATE TEMP TABLE migration_parted (record text, id bigint, booking bigint) ON COMMIT DROP"
    )
    await _choose_bookings(connection)
    await _choose_others(connection)
    await connection.execute(
        """
        UPDATE migration_seen SET held = false WHERE renewed;
        INSERT INTO migration_renewed
        SELECT table_name, row_id, target_table, target_id FROM migration_seen
         WHERE renewed AND target_id IS NOT NULL;
        CREATE INDEX ON migration_renewed (source_table, target_id);
        DELETE FROM legacy.quarantine q USING migration_seen m
         WHERE m.renewed AND q.source_table = m.table_name AND q.source_id = m.row_id;
        DELETE FROM legacy.kept_rows k USING migration_seen m
         WHERE m.renewed AND k.table_name = m.table_name AND k.row_id = m.row_id;
        DELETE FROM legacy.id_map i USING migration_seen m
         WHERE m.renewed AND i.table_name = m.table_name AND i.old_id = m.row_id
        """
    )
    await _make_room(connection)


async def _choose_bookings(connection: Any) -> None:
    # One of its rows changed or came new, nobody touched it here: all of its rows anew.
    await connection.execute(
        f"""
        CREATE TEMP TABLE migration_bookings ON COMMIT DROP AS
        SELECT b.row_id, b.target_id,
               CASE WHEN NOT EXISTS (SELECT FROM app.bookings x WHERE x.id = b.target_id) THEN '{_GONE}'
                    WHEN EXISTS (SELECT FROM app.audit_log a WHERE a.booking_id = b.target_id) THEN '{_TOUCHED}'
               END AS obstacle
          FROM migration_seen b
         WHERE b.table_name = 'bookings' AND b.target_id IS NOT NULL
           AND EXISTS (SELECT FROM migration_seen m
                        WHERE m.booking = b.row_id AND (m.held OR m.earlier <> m.sha256));
        UPDATE migration_seen m SET renewed = b.obstacle IS NULL, obstacle = b.obstacle
          FROM migration_bookings b WHERE b.row_id = m.booking
           AND (b.obstacle IS NULL OR m.held OR m.earlier <> m.sha256);
        """  # noqa: S608 - names from above
    )


async def _choose_others(connection: Any) -> None:
    await connection.execute(
        f"""
        UPDATE migration_seen m SET obstacle =
            CASE WHEN m.target_id IS NULL THEN NULL
                 WHEN m.table_name NOT IN {(*PARENTS, *_LEAVES, *OF_A_BOOKING)} THEN '{_SETTING}'
                 WHEN EXISTS (SELECT FROM app.audit_log a
                               WHERE a.table_name = m.target_table AND a.record_id = m.target_id) THEN '{_TOUCHED}'
            END
         WHERE m.earlier <> m.sha256 AND m.booking IS DISTINCT FROM m.row_id AND NOT m.renewed
           AND m.obstacle IS NULL AND m.table_name <> 'bookings';
        UPDATE migration_seen m SET renewed = true
         WHERE m.earlier <> m.sha256 AND m.obstacle IS NULL AND NOT m.renewed
           AND (m.table_name <> 'bookings' OR m.target_id IS NULL)
           AND (m.table_name NOT IN {OF_A_BOOKING} OR m.target_id IS NULL OR m.booking IS NULL);
        -- What waited in quarantine for a row that is taken over now.
        UPDATE migration_seen m SET renewed = true
          FROM migration_seen b
         WHERE m.earlier IS NOT NULL AND m.target_id IS NULL AND NOT m.renewed
           AND b.table_name = 'bookings' AND b.renewed AND b.row_id = m.booking;
        """  # noqa: S608 - names from above
    )


async def _make_room(connection: Any) -> None:
    """Remove what is mapped again under its id."""
    bookings = "(SELECT target_id FROM migration_renewed WHERE target_table = 'bookings')"
    parted = ";".join(
        f"INSERT INTO migration_parted SELECT '{name}', x.id, r.row_id FROM app.{name} x"
        f" JOIN migration_renewed r ON r.target_table = 'bookings' AND r.target_id = x.booking_id;"
        f" UPDATE app.{name} SET booking_id = NULL WHERE booking_id IN {bookings}"
        for name in _REFERRING
    )  # fmt: skip
    removed = ";".join(
        f"DELETE FROM app.{name} WHERE booking_id IN {bookings}"
        for name in ("price_lines", "payments", "booking_companions", "reminders", "occupancies")
    )
    leaves = ";".join(
        f"DELETE FROM app.{record} x USING migration_renewed r WHERE r.target_table = '{record}' AND r.target_id = x.id"
        for record in ("email_templates", "email_log", "credit_transactions", "reminders", "booking_companions")
    )
    renamed = ";".join(
        f"UPDATE app.{name} x SET name = left('~' || x.id || '~' || x.name, 80) FROM migration_renewed r"
        f" WHERE r.target_table = '{name}' AND r.target_id = x.id"
        for name in _UNIQUE_NAMES
    )
    await connection.execute(f"{parted}; {removed}; DELETE FROM app.bookings WHERE id IN {bookings}; {leaves}; {renamed}")


async def finish(connection: Any) -> None:
    """After the mapping: one record each again, and everything that referred to it."""
    if not await connection.fetchval("SELECT to_regclass('pg_temp.migration_renewed') IS NOT NULL"):
        return
    for name in _REFERRING:
        await connection.execute(
            f"UPDATE app.{name} x SET booking_id = f.target_id FROM migration_parted p"  # noqa: S608
            " JOIN migration_fate f ON f.source_table = 'bookings' AND f.row_id = p.booking AND f.fate = 'migrated'"
            f" WHERE p.record = '{name}' AND x.id = p.id"
        )
    for source in PARENTS:
        await _move_over(connection, source)


async def _move_over(connection: Any, source: str) -> None:
    """The content of the new record into the one that others refer to."""
    record = await connection.fetchval(
        "SELECT max(target_table) FROM migration_renewed WHERE source_table = $1", source
    )
    if record is None:
        return
    pairs = (
        "(SELECT r.target_id AS kept, f.target_id AS made FROM migration_renewed r"
        f" JOIN migration_fate f ON f.source_table = '{source}' AND f.row_id = r.row_id AND f.fate = 'migrated'"
        f" WHERE r.source_table = '{source}' AND r.target_id <> f.target_id)"
    )
    columns = await connection.fetchval(
        "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = ('app.' || $1)::regclass"
        " AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
        " AND attname NOT IN ('id', 'version', 'search', 'sort_key')",
        record,
    )
    references = await connection.fetch(
        "SELECT c.conrelid::regclass::text AS of, a.attname AS by FROM pg_constraint c"
        " JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]"
        " WHERE c.contype = 'f' AND c.confrelid = ('app.' || $1)::regclass",
        record,
    )
    moves = ";".join(
        f'UPDATE {reference["of"]} x SET "{reference["by"]}" = p.kept FROM migration_pairs p'
        f' WHERE x."{reference["by"]}" = p.made'
        for reference in references
    )
    sources = ", ".join(f"n.{column.strip()}" for column in columns.split(","))
    await connection.execute(
        f"""
        CREATE TEMP TABLE migration_pairs ON COMMIT DROP AS {pairs};
        CREATE TEMP TABLE migration_made ON COMMIT DROP AS
        SELECT x.*, p.kept FROM app.{record} x JOIN migration_pairs p ON p.made = x.id;
        {moves};
        DELETE FROM app.{record} x USING migration_pairs p WHERE x.id = p.made;
        UPDATE app.{record} x SET ({columns}, version) = ROW({sources}, x.version + 1)
          FROM migration_made n WHERE n.kept = x.id;
        UPDATE migration_fate f SET target_id = p.kept FROM migration_pairs p
         WHERE f.source_table = '{source}' AND f.fate = 'migrated' AND f.target_id = p.made;
        DELETE FROM legacy.id_map i USING migration_pairs p
         WHERE i.table_name = '{source}' AND i.new_id = p.made AND i.old_id = p.kept;
        UPDATE legacy.id_map i SET new_id = p.kept FROM migration_pairs p
         WHERE i.table_name = '{source}' AND i.new_id = p.made;
        DROP TABLE migration_pairs, migration_made
        """  # noqa: S608 - names from the catalogue
    )
