"""For any file: every cell of the old file is found again, and the report's numbers are those of a count.

Looks at the migrated database in its own way: all values that the new schema holds for a row, put
together, must say what the old row said, or the old cell is in quarantine or kept.
"""

from __future__ import annotations

import json
import re
import tempfile
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.databases import Server, TestDatabase
from tests.legacy.migration import accounted, counts, migrate, query, source, value
from tools.make_legacy_sqlite import DEFECTS, STAGES, applicable, build

SECRETS = ("schluesselcode", "smtp_password")
# The usual values of settings of a line; others are found.
ASSUMED = {"fixed", "percent", "overnight_price", "total_price"}
STATUSES = {"gesendet": "sent", "fehler": "failed", "zimmerpreis": "nights", "gesamtpreis": "subtotal"}
COMPUTED = ("anzahl_naechte", "anzahl_begleitpersonen", "grundpreis", "services_preis", "rabatt_preis")

FILES = st.fixed_dictionaries(
    {
        "stage": st.sampled_from(STAGES),
        "seed": st.integers(0, 2**32),
        "guests": st.integers(12, 40),
        "bookings": st.integers(12, 40),
        "defects": st.dictionaries(st.sampled_from(sorted(DEFECTS)), st.floats(0.01, 0.3), max_size=12),
    }
)


class House:
    """All that the migrated database says, by old row."""

    def __init__(self, database: TestDatabase) -> None:
        self._database = database
        self._records: dict[str, dict[int, dict[str, Any]]] = {}
        self._of_bookings: dict[int, list[dict[str, Any]]] = {}
        for name in ("occupancies", "price_lines", "payments"):
            for row in self.records(name).values():
                self._of_bookings.setdefault(row["booking_id"], []).append({"_": name, **row})
        self.went = {
            (row["table_name"], row["id"]): (row["target_table"], row["target_id"])
            for row in query(database, "SELECT * FROM legacy.source_fingerprints")
        }
        self.kept: dict[tuple[str, int], list[dict[str, Any]]] = {}
        for row in query(
            database,
            "SELECT table_name, row_id, data::text FROM legacy.kept_rows"
            " UNION ALL SELECT source_table, source_id, data::text FROM legacy.quarantine",
        ):
            self.kept.setdefault((row[0], row[1]), []).append(json.loads(row[2]))

    def records(self, name: str) -> dict[int, dict[str, Any]]:
        if name not in self._records:
            rows = query(self._database, f"SELECT id, to_jsonb(t)::text FROM app.{name} t")
            self._records[name] = {row[0]: json.loads(row[1], parse_float=Decimal) for row in rows}
        return self._records[name]

    def says(self, table: str, row_id: int) -> list[Any]:
        """The values that the new schema holds for an old row."""
        name, record = self.went[table, row_id]
        if name is None:
            return []
        parts = [self.records(name)[record]]
        if table == "bookings":
            parts += self._of_bookings.get(record, [])
        if table.endswith("_settings"):
            parts += [*self.records("house_settings").values(), *self.records("company_settings").values()]
            parts += self.records("seasons").values()
        values = [item for part in parts for item in part.values() if item is not None]
        if table == "bookings":
            lines = [part for part in parts if part.get("_") == "price_lines"]
            kinds = {kind: sum(x["amount"] for x in lines if x["kind"] in kind) for kind in (
                ("nights",), ("service", "final_cleaning"), ("discount", "member_discount"))}  # fmt: skip
            stay = next(part for part in parts if part.get("_") == "occupancies")
            nights = datetime.fromisoformat(stay["departure"]) - datetime.fromisoformat(stay["arrival"])
            values += [*kinds.values(), sum(x["amount"] for x in lines), nights.days]
            values += [parts[0]["persons"] - 1]
        return values


def moments(text: str) -> set[str]:
    """What a date or moment in an old cell may look like now."""
    found = re.fullmatch(r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?)?(Z|\+00)?", text)
    if found is None:
        german = re.fullmatch(r"(\d\d)\.(\d\d)\.(\d{4})", text)
        return {"-".join(reversed(german.groups()))} if german else set()
    try:
        moment = datetime(*(int(part or 0) for part in found.groups()[:6]), tzinfo=UTC)  # type: ignore[arg-type]
    except ValueError:
        return set()
    days = {f"{moment + timedelta(hours=hours):%Y-%m-%d}" for hours in (0, 1, 2)}
    return days | {f"{moment - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S}" for hours in (0, 2)}


def is_said(cell: Any, values: list[Any]) -> bool:
    """Whether one of the values says what the old cell said."""
    if isinstance(cell, int | float):
        rounded = Decimal(repr(cell)).quantize(Decimal("0.01"), "ROUND_HALF_UP")
        return any(
            (isinstance(item, bool) and int(item) == cell)
            or (isinstance(item, int | Decimal) and not isinstance(item, bool) and abs(item) == abs(rounded))
            for item in values
        ) or any(isinstance(item, str) and str(cell) in item for item in values)
    if not isinstance(cell, str):
        return False
    text = cell.strip()
    texts = [str(item) for item in values]
    if STATUSES.get(text) in texts:
        return True
    if any(
        text == item.strip() or ((len(text) > 3 or "im Altsystem" in item) and text in item) for item in texts
    ):
        return True
    if text.lower() in ("true", "false", "ja", "nein", "0", "1"):
        return any(isinstance(item, bool) for item in values)
    if re.fullmatch(r"[\d.,]+(\s*€)?", text):
        plain = text.replace("€", "").strip()
        plain = plain.replace(".", "").replace(",", ".") if "," in plain else plain
        try:
            return is_said(float(plain), values)
        except ValueError:
            return False
    return any(form in item for form in moments(text) for item in texts)


def is_kept(column: str, cell: Any, rows: list[dict[str, Any]]) -> bool:
    """Whether the cell is in quarantine or kept; how it is written there is tested elsewhere."""
    del cell
    return any(column in row for row in rows)


def check(server: Server, drawn: dict[str, Any], folder: Path) -> None:
    known = set(applicable(drawn["stage"]))
    chosen = {name: rate for name, rate in drawn["defects"].items() if name in known}
    built = build(folder / "alt.sqlite", **{**drawn, "defects": chosen})
    database = server.clone()
    try:
        result = migrate(database, built.path, folder / "run")
        assert result.code == 0
        accounted(result.tables)
        assert {name: table["read"] for name, table in result.tables.items()} == counts(built.path)
        house = House(database)
        with source(built.path) as old:
            old.text_factory = lambda stored: stored.decode("utf-8", "surrogateescape")
            for table in sorted({name for name, _ in house.went}):
                missing = look_for(house, old, table)
                assert not missing, (table, missing[:5])
        assert value(database, "SELECT count(*) FROM legacy.source_rows") == 0
    finally:
        server.drop(database)


def look_for(house: House, old: Any, table: str) -> list[tuple[int, str, Any]]:
    """The cells that are nowhere."""
    cursor = old.execute('SELECT * FROM "' + table.replace('"', '""') + '"')
    columns = [column[0] for column in cursor.description]
    if columns[0] != "id":
        # Without an id of its own a row is counted; it is kept as a whole, which the report has said.
        return []
    missing = []
    for row in cursor:
        cells = dict(zip(columns, row, strict=True))
        if not isinstance(row[0], int):
            continue
        values = house.says(table, row[0])
        kept = house.kept.get((table, row[0]), [])
        for column, cell in cells.items():
            if column == "id" or cell in (None, "", 0) or (isinstance(cell, str) and not cell.strip()):
                continue
            if column in SECRETS and not values:
                continue  # a secret goes into no quarantine
            if cell in ASSUMED or is_kept(column, cell, kept) or is_said(cell, values):
                continue
            if isinstance(cell, str) and cell.lower().endswith("@noemail.local"):
                continue
            if column in COMPUTED and values:
                continue  # a part of the total, which stands; what differs is a line and in the report
            missing.append((row[0], column, cell))
    return missing


# A smaller example of a failure would take minutes to find and says little more.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
COMMON = {"deadline": None, "suppress_health_check": list(HealthCheck), "phases": PHASES}


@given(FILES)
@settings(max_examples=5, **COMMON)
def test_every_cell_is_found_again(server: Server, drawn: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(server, drawn, Path(folder))


@pytest.mark.long
@given(FILES)
@settings(max_examples=150, **COMMON)
def test_every_cell_of_many_files_is_found_again(server: Server, drawn: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        check(server, drawn, Path(folder))
