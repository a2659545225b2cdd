"""What of the known rows is taken over in a later run.

With ``--update`` those that changed in the old file since, where nobody changed them here. The mapping writes
over the records of single rows. A booking is taken over with all that belongs to it, because its total is the
sum of its lines: what it had is removed and mapped again. A record stays as it is if no valid one would come
out: that shows only when it was tried, so it is tried again without such rows.

Always those that are in quarantine for nothing but a row they refer to, once that one is here or comes now.
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

_PARENTS: Final = {
    "bookings": {"guest_id": "guests", "room_id": "rooms"},
    "guest_companions": {"guest_id": "guests"},
    "guest_credit_transactions": {"guest_id": "guests"},
    "accompanying_guests": {"booking_id": "bookings"},
    "additional_services": {"booking_id": "bookings"},
    "booking_services": {"booking_id": "bookings", "service_template_id": "service_templates"},
    "discounts": {"booking_id": "bookings"},
    "booking_discounts": {"booking_id": "bookings", "discount_template_id": "discount_templates"},
    "reminders": {"booking_id": "bookings"},
}
"""What a row needs: without one of these it is in quarantine. Parents stand before their children."""

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


async def choose(connection: Any, *, update: bool, refused: Refused) -> None:
    """Mark what is taken over anew (``renewed``) and what has to wait (``held``), and make room."""
    await connection.execute(
        "CREATE TEMP TABLE migration_refused (table_name text, row_id bigint, reason text) ON COMMIT DROP"
    )
    await connection.executemany(
        "INSERT INTO migration_refused VALUES ($1, $2, $3)",
        [(table, row_id, f"{_INVALID}: {reason}") for (table, row_id), reason in refused.items()],
    )
    await _hold_new_prices(connection)
    await _find_waiting(connection)
    if update:
        await _choose_records(connection, f"NOT IN {('bookings', *OF_A_BOOKING)}")
    await _hold_waiting_prices(connection)
    if update:
        await _choose_bookings(connection)
        await _choose_records(connection, f"IN {('bookings', *OF_A_BOOKING)}")
        await _follow_bookings(connection)
    for name in _PARENTS:
        await connection.execute(
            "UPDATE migration_seen m SET renewed = true"
            f" WHERE m.table_name = '{name}' AND NOT m.renewed AND NOT m.held AND {_RELEASED}"
        )
    await _make_room(connection)


async def _hold_new_prices(connection: Any) -> None:
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


async def _find_waiting(connection: Any) -> None:
    """Rows that are in quarantine for what they refer to, a line for each of their parents."""
    needs = ", ".join(
        f"('{name}', '{column}', '{parent}')"
        for name, columns in _PARENTS.items()
        for column, parent in columns.items()
    )
    await connection.execute(
        f"""
        CREATE TEMP TABLE migration_waiting ON COMMIT DROP AS
        SELECT m.table_name, m.row_id, n.parent_table,
               legacy.integer_of(s.data -> n.column_name ->> 1) AS parent
          FROM migration_seen m
          JOIN (VALUES {needs}) n (table_name, column_name, parent_table) ON n.table_name = m.table_name
          JOIN legacy.source_rows s ON s.table_name = m.table_name AND s.row_id = m.row_id
         WHERE m.earlier IS NOT NULL AND m.target_id IS NULL
           AND EXISTS (SELECT FROM legacy.quarantine q
                        WHERE q.source_table = m.table_name AND q.source_id = m.row_id
                          AND q.reason_code IN ('parent_missing', 'parent_quarantined'));
        CREATE INDEX ON migration_waiting (table_name, row_id);
        ANALYZE migration_waiting
        """
    )


_RELEASED: Final = """
    EXISTS (SELECT FROM migration_waiting w WHERE w.table_name = m.table_name AND w.row_id = m.row_id)
    AND NOT EXISTS (
        SELECT FROM migration_waiting w
          LEFT JOIN migration_seen p ON p.table_name = w.parent_table AND p.row_id = w.parent
               AND (p.target_id IS NOT NULL OR p.renewed OR (p.earlier IS NULL AND NOT p.held))
         WHERE w.table_name = m.table_name AND w.row_id = m.row_id AND p.row_id IS NULL)"""


async def _hold_waiting_prices(connection: Any) -> None:
    """A price line that waited for its template changes the total of a booking that is there already."""
    await connection.execute(
        f"""
        UPDATE migration_seen m SET held = true
          FROM migration_seen b
         WHERE m.table_name IN {_PRICES} AND b.table_name = 'bookings' AND b.row_id = m.booking
           AND b.target_id IS NOT NULL AND {_RELEASED}
        """
    )


async def _make_room(connection: Any) -> None:
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


async def _choose_records(connection: Any, tables: str) -> None:
    await connection.execute(
        f"""
        UPDATE migration_seen m SET obstacle =
               CASE WHEN m.target_id IS NULL THEN NULL
                    WHEN m.table_name NOT IN {_SINGLE} THEN '{_SETTING}'
                    WHEN EXISTS (SELECT FROM app.audit_log a WHERE a.table_name = m.target_table
                                    AND a.record_id = m.target_id AND a.operation = 'DELETE') THEN '{_GONE}'
                    WHEN EXISTS (SELECT FROM app.audit_log a WHERE a.table_name = m.target_table
                                    AND a.record_id = m.target_id) THEN '{_TOUCHED}' END
         WHERE m.table_name {tables} AND m.earlier <> m.sha256 AND NOT m.renewed AND m.obstacle IS NULL
           AND (m.table_name <> 'bookings' OR m.target_id IS NULL);
        UPDATE migration_seen m SET obstacle = r.reason FROM migration_refused r
         WHERE m.obstacle IS NULL AND NOT m.renewed AND r.table_name = m.table_name AND r.row_id = m.row_id;
        UPDATE migration_seen m SET renewed = true
         WHERE m.table_name {tables} AND m.earlier <> m.sha256 AND NOT m.renewed AND m.obstacle IS NULL
        """
    )


async def _follow_bookings(connection: Any) -> None:
    # What waited in quarantine for a booking that is taken over now, whatever the reason.
    await connection.execute(
        """
        UPDATE migration_seen m SET renewed = true
          FROM migration_seen b
         WHERE m.earlier IS NOT NULL AND m.target_id IS NULL AND NOT m.renewed
           AND b.table_name = 'bookings' AND b.renewed AND b.row_id = m.booking
        """
    )
