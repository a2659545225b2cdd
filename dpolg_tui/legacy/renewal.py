"""``--update``: rows that changed in the old file since, taken over anew where nobody changed them here.

The mapping writes over the records of single rows. A booking is taken over with all that belongs to it,
because its total is the sum of its lines: what it had is removed and mapped again. A record stays as it is
if no valid one would come out: that shows only when it was tried, so it is tried again without such rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

Refused: TypeAlias = Mapping[tuple[str, int], str]
"""Rows by old table and id whose new version is not valid, with the reason."""

OF_A_BOOKING: Final = (
    "accompanying_guests",
    "additional_services",
    "discounts",
    "booking_services",
    "booking_discounts",
    "reminders",
)
"""Old tables whose rows are taken over anew with their booking."""

_PRICES: Final = ("additional_services", "discounts", "booking_services", "booking_discounts")
"""Rows that make up a booking's total: a new one changes the booking."""

_SINGLE: Final = (
    "rooms",
    "guests",
    "guest_companions",
    "payment_recipients",
    "service_templates",
    "discount_templates",
    "guest_credit_transactions",
    "email_templates",
    "email_logs",
    *OF_A_BOOKING,
)

_REMOVED: Final = ("price_lines", "payments", "occupancies", "booking_companions", "reminders")
"""New tables that hold what belongs to a booking."""

_TOUCHED: Final = "wurde hier inzwischen geändert"
_GONE: Final = "wurde hier inzwischen gelöscht"
_INVALID: Final = "die neue Fassung ist ungültig"
_SETTING: Final = "Einstellungen werden nur einmal übernommen"


async def hold_back(connection: Any) -> None:
    """New price lines of a booking that is there already are a change of it: of its total."""
    await connection.execute(
        f"""
        ALTER TABLE migration_seen ADD COLUMN booking bigint;
        UPDATE migration_seen m SET booking = legacy.integer_of(s.data -> 'booking_id' ->> 1)
          FROM legacy.source_rows s
         WHERE s.table_name = m.table_name AND s.row_id = m.row_id AND m.table_name IN {OF_A_BOOKING};
        UPDATE migration_seen m SET booking = m.row_id WHERE m.table_name = 'bookings';
        CREATE INDEX ON migration_seen (booking);
        UPDATE migration_seen m SET held = true
          FROM migration_seen b
         WHERE m.earlier IS NULL AND m.table_name IN {_PRICES}
           AND b.table_name = 'bookings' AND b.row_id = m.booking AND b.target_id IS NOT NULL
        """
    )


async def prepare(connection: Any, refused: Refused) -> None:
    """Choose what may be taken over anew, and make room for it."""
    await connection.execute(
        "CREATE TEMP TABLE migration_refused (table_name text, row_id bigint, reason text) ON COMMIT DROP"
    )
    await connection.executemany(
        "INSERT INTO migration_refused VALUES ($1, $2, $3)",
        [(table, row_id, f"{_INVALID}: {reason}") for (table, row_id), reason in refused.items()],
    )
    await _choose_bookings(connection)
    await _choose_others(connection)
    await connection.execute(
        """
        DELETE FROM legacy.quarantine q USING migration_seen m
         WHERE m.renewed AND q.source_table = m.table_name AND q.source_id = m.row_id;
        DELETE FROM legacy.kept_rows k USING migration_seen m
         WHERE m.renewed AND k.table_name = m.table_name AND k.row_id = m.row_id;
        -- A row that keeps its record keeps its new number as well.
        DELETE FROM legacy.id_map i USING migration_seen m
         WHERE m.renewed AND m.target_id IS NULL AND i.table_name = m.table_name AND i.old_id = m.row_id
        """
    )
    bookings = "(SELECT target_id FROM migration_seen WHERE renewed AND table_name = 'bookings')"
    for name in _REMOVED:
        await connection.execute(f"DELETE FROM app.{name} WHERE booking_id IN {bookings}")


async def now_invalid(connection: Any, run_id: int) -> dict[tuple[str, int], str]:
    """After the mapping: renewed rows whose record is still there, but whose new version is in quarantine."""
    found = await connection.fetch(
        """
        SELECT f.source_table, f.row_id, q.sentence, q.reason_code = 'parent_quarantined' AS follows
          FROM migration_account f
          JOIN migration_earlier e ON e.source_table = f.source_table AND e.row_id = f.row_id
          JOIN legacy.quarantine q ON q.source_table = f.source_table AND q.source_id = f.row_id
           AND q.run_id = $1
         WHERE f.fate = 'quarantined'
        """,
        run_id,
    )
    # What is refused for its parent alone may be fine when the parent stays as it was.
    causes = [row for row in found if not row["follows"]] or found
    return {(row["source_table"], row["row_id"]): row["sentence"] for row in causes}


async def _choose_bookings(connection: Any) -> None:
    # One of its rows changed or is new, and nobody touched it here: all of its rows anew.
    await connection.execute(
        f"""
        CREATE TEMP TABLE migration_bookings ON COMMIT DROP AS
        SELECT b.row_id,
               CASE WHEN r.row_id IS NOT NULL THEN r.reason
                    WHEN NOT EXISTS (SELECT FROM app.bookings x WHERE x.id = b.target_id) THEN '{_GONE}'
                    WHEN EXISTS (SELECT FROM app.audit_log a
                                  WHERE a.booking_id = b.target_id) THEN '{_TOUCHED}'
               END AS obstacle
          FROM migration_seen b
          LEFT JOIN migration_refused r ON r.table_name = b.table_name AND r.row_id = b.row_id
         WHERE b.table_name = 'bookings' AND b.target_id IS NOT NULL
           AND EXISTS (SELECT FROM migration_seen m
                        WHERE m.booking = b.row_id AND (m.held OR m.earlier <> m.sha256));
        UPDATE migration_seen m SET renewed = b.obstacle IS NULL, obstacle = b.obstacle
          FROM migration_bookings b
         WHERE b.row_id = m.booking AND (b.obstacle IS NULL OR m.held OR m.earlier <> m.sha256)
        """
    )


async def _choose_others(connection: Any) -> None:
    await connection.execute(
        f"""
        UPDATE migration_seen m SET obstacle =
               CASE WHEN m.target_id IS NULL THEN NULL
                    WHEN m.table_name NOT IN {_SINGLE} THEN '{_SETTING}'
                    WHEN EXISTS (SELECT FROM app.audit_log a WHERE a.table_name = m.target_table
                                    AND a.record_id = m.target_id AND a.operation = 'DELETE') THEN '{_GONE}'
                    WHEN EXISTS (SELECT FROM app.audit_log a WHERE a.table_name = m.target_table
                                    AND a.record_id = m.target_id) THEN '{_TOUCHED}' END
         WHERE m.earlier <> m.sha256 AND NOT m.renewed AND m.obstacle IS NULL
           AND (m.table_name <> 'bookings' OR m.target_id IS NULL);
        UPDATE migration_seen m SET obstacle = r.reason FROM migration_refused r
         WHERE m.obstacle IS NULL AND NOT m.renewed AND r.table_name = m.table_name AND r.row_id = m.row_id;
        UPDATE migration_seen m SET renewed = true
         WHERE m.earlier <> m.sha256 AND NOT m.renewed AND m.obstacle IS NULL;
        -- What waited in quarantine for a booking that is taken over now.
        UPDATE migration_seen m SET renewed = true
          FROM migration_seen b
         WHERE m.earlier IS NOT NULL AND m.target_id IS NULL AND NOT m.renewed
           AND b.table_name = 'bookings' AND b.renewed AND b.row_id = m.booking
        """
    )
