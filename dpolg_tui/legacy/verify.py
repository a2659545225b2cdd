"""The independent second reading: the old file, read again in Python, must be found in the target.

The server writes each record as one line of text, Python writes what the old row must have become, and
equal lines are fine. Of some hundred rows at a time only the hashes of their lines are compared; where
they differ, the rows are read once more and compared one by one, and what is not equal cell by cell: it
may be a repair whose original is in the notes, in quarantine or kept.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from dpolg_tui.legacy import readings
from dpolg_tui.legacy.cells import Data, has_grown, is_anywhere, is_cell, is_clean, is_masked
from dpolg_tui.legacy.errors import DifferencesFound
from dpolg_tui.legacy.lines import BEHIND, BETWEEN, Part, Row, TableLines
from dpolg_tui.legacy.rules import SECRETS, Rules
from dpolg_tui.legacy.totals import Money, Verification, check_totals

if TYPE_CHECKING:
    from dpolg_tui.legacy.options import Progress
    from dpolg_tui.legacy.places import Expectation, Place
    from dpolg_tui.legacy.second_reading import Parts
    from dpolg_tui.legacy.source import SourceFile, SourceTable

_PLACES = 50

# What a text moves to the notes from; a number there would prove nothing.
_WRITTEN = (readings.TEXT, readings.EMAIL, readings.DATE, readings.KIND_OF_ROOM)


async def check(
    connection: Any, source: SourceFile, run_id: int, parts: Parts, progress: Progress
) -> Verification:
    """Compare all of the source, as it was read in ``parts``, with the target; raises DifferencesFound."""
    result = Verification()
    await _prepare(connection)
    money = Money()
    for name, table in source.tables.items():
        await _Table(connection, run_id, name, table, result, money).check(source, parts[name], progress)
    await check_totals(connection, result, money)
    if result.differences:
        more = result.differences - len(result.named)
        raise DifferencesFound(
            f"Die Prüfung hat {result.differences} Unterschiede gefunden, am Ziel wurde nichts verändert: "
            + "; ".join(result.named)
            + (f"; und {more} weitere" if more else "")
            + "."
        )
    return result


async def _prepare(connection: Any) -> None:
    await connection.execute(
        """
        -- Rows whose number changed, or that are not there: a reference to them is no plain number.
        CREATE TEMP TABLE verification_ids ON COMMIT DROP AS
        SELECT source_table, row_id, CASE WHEN fate = 'migrated' THEN target_id END AS target_id
          FROM migration_account WHERE fate <> 'migrated' OR row_id <> target_id
        UNION -- a row taken over anew is in both
        SELECT source_table, row_id, target_id FROM migration_earlier WHERE row_id <> target_id;
        CREATE INDEX ON verification_ids (source_table, target_id);
        CREATE INDEX ON verification_ids (source_table, row_id);
        ANALYZE verification_ids
        """
    )


# Queries that look up some hundred rows by their number.
_BY_NUMBER = (
    "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
)
_AS_USUAL = "RESET enable_seqscan; RESET enable_hashjoin; RESET enable_mergejoin"


class _Table:
    """One old table against its place in the target."""

    def __init__(
        self,
        connection: Any,
        run_id: int,
        name: str,
        table: SourceTable,
        result: Verification,
        money: Money,
    ) -> None:
        self._connection = connection
        self._run_id = run_id
        self._name = name
        self._lines = TableLines(name, table)
        self._columns = self._lines.columns
        self._result = result
        self._money = money
        self._rules = Rules(connection, self._lines)
        self._expected: Expectation | None = self._lines.expected
        self._places: tuple[Place, ...] = self._lines.places
        self._numbers = self._lines.numbers
        self._kept_columns = self._lines.kept_columns

    async def check(self, source: SourceFile, parts: Sequence[Part], progress: Progress) -> None:
        doubtful = await self._compare_hashes(parts)
        done = sum(part.rows for part in parts) - sum(parts[number].rows for number in doubtful)
        progress(self._name, done)
        self._result.read[self._name] = sum(part.rows for part in parts)
        self._result.rows += self._result.read[self._name]
        if doubtful:
            await self._connection.execute(_BY_NUMBER)
            await self._compare_rows(source, doubtful, progress, done)
            await self._connection.execute(_AS_USUAL)

    async def _compare_hashes(self, parts: Sequence[Part]) -> set[int]:
        """The numbers of the parts that are not plainly what they must be."""
        plain = all(one.last < other.first for one, other in pairwise(parts))
        if not plain or all(part.digest is None for part in parts):
            return set(range(len(parts)))
        answer = await self._connection.fetch(
            await self._query_of_hashes(), self._name, [part.first for part in parts]
        )
        stored = {record[0] - 1: (record[1], record[2]) for record in answer}
        doubtful = set()
        for number, part in enumerate(parts):
            if stored.get(number) == (part.rows, part.digest):
                self._result.cells += part.rows * len(self._columns)
                self._money.totals += part.totals
                self._money.paid += part.paid
                self._money.credit += part.credit
            else:
                doubtful.add(number)
        return doubtful

    async def _query_of_hashes(self) -> str:
        if self._expected is None:
            line, fate = "k.data::text", "kept"
            join = (
                f"LEFT JOIN legacy.kept_rows k ON k.run_id = {self._run_id}"
                " AND k.table_name = f.source_table AND k.row_id = f.row_id"
            )
        else:
            line, fate = await self._line(), "migrated"
            join = f"LEFT JOIN app.{self._expected.target} t ON t.id = f.target_id"
        return f"""
            SELECT part, count(*), sha256(convert_to(string_agg(line, '{BEHIND}' ORDER BY row_id), 'UTF8'))
              FROM (SELECT width_bucket(f.row_id, $2::bigint[]) AS part, f.row_id,
                           concat(f.row_id, '{BETWEEN}', CASE f.fate WHEN '{fate}' THEN {line} END) AS line
                      FROM migration_account f {join} WHERE f.source_table = $1) x
             GROUP BY part
        """

    async def _compare_rows(
        self, source: SourceFile, numbers: set[int], progress: Progress, done: int
    ) -> None:
        statement = await self._connection.prepare(await self._query())
        before: tuple[list[Row], Any] = ([], [])
        for number, rows in enumerate(source.batches(self._name)):
            if number not in numbers:
                continue
            # The server looks up this batch while Python compares the one before.
            answer = asyncio.create_task(statement.fetch(self._name, [row[0] for row in rows]))
            try:
                await asyncio.sleep(0)
                doubtful = self._compare(*before)
            finally:
                before = (rows, await answer)
            await self._judge(doubtful)
            done += len(rows)
            progress(self._name, done)
        await self._judge(self._compare(*before))

    async def _line(self) -> str:
        """The record as one line. One call for many places; it takes a hundred arguments at most."""
        shown = [f"({await self._shown(place)})::text" for place in self._places]
        between = f", '{BETWEEN}', "
        pieces = [
            f"concat({between.join(shown[start : start + _PLACES])})"
            for start in range(0, len(shown), _PLACES)
        ]
        return f" || '{BETWEEN}' || ".join(pieces)

    async def _query(self) -> str:
        if self._expected is None:
            line, join, found = "NULL::text", "", "true"
        else:
            line = await self._line()
            join = f" LEFT JOIN app.{self._expected.target} t ON f.fate = 'migrated' AND t.id = f.target_id"
            found = "t.id IS NOT NULL"
        kept = "true" if self._kept_columns else "f.fate = 'kept'"
        return f"""
            SELECT f.row_id, f.fate, {found} AS found, CASE WHEN f.fate = 'migrated' THEN {line} END AS line,
                   CASE f.fate
                       WHEN 'quarantined' THEN (SELECT q.data::text FROM legacy.quarantine q
                            WHERE q.source_table = f.source_table AND q.source_id = f.row_id
                              AND q.run_id = {self._run_id} LIMIT 1) END AS quarantined,
                   CASE WHEN {kept} THEN (SELECT k.data::text FROM legacy.kept_rows k
                            WHERE k.run_id = {self._run_id} AND k.table_name = f.source_table
                              AND k.row_id = f.row_id) END AS kept
              FROM migration_account f{join}
             WHERE f.source_table = $1 AND f.row_id = ANY ($2::bigint[])
             UNION ALL
            SELECT s.row_id, 'settled', true, NULL, NULL, NULL FROM migration_settled s
             WHERE s.source_table = $1 AND s.row_id = ANY ($2::bigint[])
        """

    async def _shown(self, place: Place) -> str:
        """The place as text; a reference as the old number of the row it names."""
        if not place.reference:
            return place.sql
        if not await self._connection.fetchval(
            "SELECT EXISTS (SELECT FROM verification_ids WHERE source_table = $1)", place.reference
        ):
            return place.sql
        return (
            f"coalesce((SELECT v.row_id FROM verification_ids v WHERE v.source_table = '{place.reference}'"
            f" AND v.target_id = {place.sql}), CASE WHEN EXISTS (SELECT FROM verification_ids v"
            f" WHERE v.source_table = '{place.reference}' AND v.row_id = {place.sql})"
            f" THEN -{place.sql} ELSE {place.sql} END)"
        )

    def _compare(self, rows: Sequence[Row], answer: Sequence[Any]) -> list[tuple[Row, Any, list[int]]]:
        """The rows whose record is not plainly what it must be, with their doubtful places."""
        found = {record[0]: record for record in answer}
        if len(found) != len(answer):
            self._result.differ(f"{self._name}: eine Zeile ist mehrfach verbucht")
        doubtful: list[tuple[Row, Any, list[int]]] = []
        between = len(self._places) - 1
        for row, line in zip(rows, self._lines.lines(rows), strict=True):
            record = found.get(row[0])
            if record is None:
                self._differ(row, "fehlt in der Abrechnung")
            elif record[1] == "migrated":
                if not record[2]:
                    self._differ(row, "ist nicht angekommen")
                    continue
                self._lines.add_money((row,), self._money)
                if line != record[3] or line.count(BETWEEN) != between:
                    doubtful.append((row, record, self._doubtful_places(line, record[3])))
                elif self._kept_columns and self._not_kept(row, record[5]):
                    doubtful.append((row, record, []))
            elif record[1] != "settled":
                self._check_whole(row, record[4] if record[1] == "quarantined" else record[5])
        self._result.cells += len(rows) * len(self._columns)
        return doubtful

    def _doubtful_places(self, line: str, stored: str | None) -> list[int]:
        expected, found = line.split(BETWEEN), (stored or "").split(BETWEEN)
        if len(expected) == len(found) == len(self._places):
            return [number for number, text in enumerate(expected) if text != found[number]]
        return list(range(len(self._places)))

    def _check_whole(self, row: Row, data: str | None) -> None:
        """A row in quarantine or kept: each cell as it was."""
        if not data:
            self._differ(row, "ist weder in Quarantäne noch aufbewahrt")
            return
        cells: Data = json.loads(data)
        for column, value in zip(self._columns, row[1:], strict=True):
            cell = cells.get(column)
            if value is None or (type(value) is str and cell == ["text", value]):
                continue
            if column.lower() not in SECRETS and not is_cell(cell, value) and not is_masked(cell, value):
                self._differ(row, f"Spalte {column} ist nicht aufbewahrt")

    def _not_kept(self, row: Row, kept: str | None) -> list[str]:
        """Columns without a place in the new schema that are not among the kept ones either."""
        cells: Data = json.loads(kept) if kept else {}
        return [
            column
            for number, column in self._kept_columns
            if row[number] not in (None, "")
            and not is_cell(cells.get(column), row[number])
            and not is_masked(cells.get(column), row[number])
        ]

    async def _judge(self, doubtful: list[tuple[Row, Any, list[int]]]) -> None:
        """Cell by cell, with all that the target says about the row."""
        if not doubtful:
            return
        elsewhere = await self._elsewhere([row[0] for row, _, _ in doubtful])
        for row, record, wrong in doubtful:
            notes, hidden = elsewhere.get(row[0], ("", []))
            stored = (record[3] or "").split(BETWEEN)
            if self._expected is not None and wrong and len(stored) != len(self._places):
                stored = await self._cells(row[0], self._expected.target)
            for number in wrong:
                await self._judge_cell(row, self._places[number], number, stored[number], notes, hidden)
            for column in self._not_kept(row, record[5]):
                value = row[self._columns.index(column) + 1]
                if not is_anywhere(column, value, notes, hidden):
                    self._differ(row, f"Spalte {column} ist weder übernommen noch aufbewahrt")

    async def _cells(self, row_id: int, target: str) -> list[str]:
        """The places of one record apart: a text has the separator in it."""
        shown = ", ".join([f"coalesce(({await self._shown(place)})::text, '')" for place in self._places])
        answer = await self._connection.fetchval(
            f"SELECT ARRAY[{shown}] FROM migration_account f JOIN app.{target} t ON "
            "t.id = f.target_id"
            " WHERE f.source_table = $1 AND f.row_id = $2",
            self._name,
            row_id,
        )
        return list(answer)

    async def _judge_cell(
        self, row: Row, place: Place, number: int, stored: str, notes: str, hidden: list[Data]
    ) -> None:
        column = self._numbers[number]
        value = row[column] if column else None
        if place.reading.read(value) == stored or place.reading.same(value, stored):
            return
        if self._expected is not None and place.sql == self._expected.notes and has_grown(value, stored):
            return
        if place.column in SECRETS and stored == readings.as_readable(value):
            return  # its original is kept nowhere
        if await self._rules.was_there(row):
            if not self._rules.is_namesake(row, place, stored, hidden):
                self._differ(row, f"Spalte {place.column} ist weder die des Zimmers noch aufbewahrt")
            return
        if await self._rules.follows(row, place, stored):
            return
        if value is None or (isinstance(value, str) and not value.strip()):
            # Nothing was said: the mapping may choose, where the new column needs something.
            if place.needed or not stored:
                return
        elif is_anywhere(place.column, value, notes if place.reading in _WRITTEN else "", hidden) and (
            not stored or place.needed or stored in readings.as_text(value) or not is_clean(value)
        ):
            return
        self._differ(row, f"Spalte {place.column} ist nicht wie in der Datei")

    async def _elsewhere(self, ids: list[int]) -> dict[int, tuple[str, list[Data]]]:
        """Notes of the record, and originals of these rows that are in quarantine or kept."""
        notes, join = "''", ""
        if self._expected is not None and self._expected.notes:
            notes = f"coalesce({self._expected.notes}, '')"
            join = f" LEFT JOIN app.{self._expected.target} t ON t.id = f.target_id"
        answer = await self._connection.fetch(
            f"""
            SELECT f.row_id, {notes}, ARRAY(
                   SELECT q.data::text FROM legacy.quarantine q
                    WHERE q.source_table = f.source_table AND q.source_id = f.row_id
                      AND q.run_id = {self._run_id}
                    UNION ALL
                   SELECT k.data::text FROM legacy.kept_rows k
                    WHERE k.table_name = f.source_table AND k.row_id = f.row_id AND k.run_id = {self._run_id})
              FROM migration_account f{join}
             WHERE f.source_table = $1 AND f.row_id = ANY ($2::bigint[])
            """,
            self._name,
            ids,
        )
        return {row[0]: (row[1], [json.loads(data) for data in row[2]]) for row in answer}

    def _differ(self, row: Row, what: str) -> None:
        self._result.differ(f"{self._name} {row[0]}: {what}")
