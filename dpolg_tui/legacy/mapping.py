"""Old rows become rows of the schema: SQL steps, one after the other, inside the caller's transaction.

The staging holds the raw rows. Afterwards the accounts are in temporary tables that end with the
transaction: ``migration_fate`` (one line per staged row), ``migration_repair``, ``migration_difference``
and ``migration_cell`` (each single cell that was not simply put in its place; masses are only counted).
"""

from __future__ import annotations

import logging
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from dpolg_tui.db import sql_files

if TYPE_CHECKING:
    from dpolg_tui.legacy.options import Options, Progress

log = logging.getLogger(__name__)

STEPS: Final[dict[str, tuple[str, tuple[str, ...]]]] = {
    "00_catalogue": ("Vorbereitung", ()),
    "05_reading": ("Vorbereitung", ()),
    "10_rooms": ("Zimmer", ("rooms",)),
    "15_guests": ("Gäste", ("guests",)),
    "20_people": ("Begleitpersonen und Rechnungsempfänger", ("guest_companions", "payment_recipients")),
    "25_templates": ("Leistungen und Rabatte", ("service_templates", "discount_templates")),
    "30_settings": (
        "Einstellungen",
        (
            "company_settings",
            "payment_settings",
            "pricing_settings",
            "notification_settings",
            "reminder_settings",
        ),
    ),
    "40_bookings": ("Buchungen und Aufenthalte", ("bookings",)),
    "50_price_lines": (
        "Preiszeilen",
        ("additional_services", "booking_services", "discounts", "booking_discounts"),
    ),
    "55_payments": ("Zahlungen", ()),
    "60_around": (
        "Mitreisende, Guthaben, Erinnerungen",
        ("accompanying_guests", "guest_credit_transactions", "reminders"),
    ),
    "65_mails": ("E-Mail", ("email_config", "email_templates", "email_logs")),
    "90_accounts": ("Abrechnung", ()),
}
"""By file: its name on the screen and the tables whose rows it maps; the rest is left to the last one."""


@dataclass(frozen=True, slots=True)
class Step:
    """What one step took."""

    name: str
    rows: int
    seconds: float


async def apply(connection: Any, run_id: int, options: Options, progress: Progress) -> tuple[Step, ...]:
    """Map all staged rows. ``connection`` is in a transaction, as owner, with ``app.bulk`` on."""
    await connection.execute("SELECT set_config('legacy.run_id', $1, true)", str(run_id))
    if options.without_transaction_log:
        await connection.execute("DELETE FROM legacy.source_rows WHERE table_name = 'transaction_log'")
    staged: dict[str, int] = {
        row["table_name"]: row["rows"]
        for row in await connection.fetch(
            "SELECT table_name, count(*) AS rows FROM legacy.source_rows GROUP BY table_name"
        )
    }
    total = sum(staged.values())
    done = 0
    steps: list[Step] = []
    for file in sql_files.legacy_files():
        stem = file.name.removeprefix("legacy/").removesuffix(".sql")
        label, tables = STEPS[stem]
        progress(label, done, total)
        started = time.perf_counter()
        await connection.execute(file.text)
        rows = sum(staged.pop(table, 0) for table in tables)
        if stem == "90_accounts":
            rows = sum(staged.values())
        done += rows
        steps.append(Step(label, rows, time.perf_counter() - started))
        log.info("mapping step %s: %d rows, %.2f s", stem, rows, steps[-1].seconds)
    progress(steps[-1].name, total, total)
    return tuple(steps)
