"""Raw rows of an old file into ``legacy.source_rows``, as fast as the server takes them.

COPY in text format: binary saves the server a tenth, but packing each row costs more than that
here. A batch is encoded ahead, in a thread, while the server takes the one before.
"""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any, Final

from dpolg_tui.legacy.options import Progress, silent
from dpolg_tui.legacy.source import BadSource, Batch, SourceFile, SourceTable
from dpolg_tui.legacy.usual import Usual

if TYPE_CHECKING:
    import asyncpg

Lines = Generator[tuple[int, bytes], None, None]

LARGEST_VALUE: Final = 128 * 1024 * 1024
"""Bytes of one value: a text in jsonb holds 256 MB, base64 needs a third more."""

_COLUMNS: Final = ("run_id", "table_name", "row_id", "data")

# Values go unescaped into lines whose own signs are control characters: \1 is a quotation mark, \2 a tab,
# \3 the beginning of a line, \4 its end. Then the whole batch is escaped at once. Should a value hold a
# control character itself, there are more of them than there should be, and the careful way is taken.
_SIGNS: Final = bytes.maketrans(b"\1\2\4", b'"\t\n')
_CONTROL: Final = bytes(code for code in range(32) if chr(code) not in "\t\n\r")
_SIGNS_PER_LINE: Final = 3
# For JSON, and its backslashes once more for COPY.
_ESCAPES: Final = (
    (b"\\", rb"\\\\"),
    (b'"', rb"\\" b'"'),
    (b"\n", rb"\\n"),
    (b"\t", rb"\\t"),
    (b"\r", rb"\\r"),
)
_NULL: Final = "[\1null\1,null]"
_PLAIN: Final = {
    str: "[\1text\1,\1%s\1]",
    int: "[\1integer\1,\1%d\1]",
    float: "[\1real\1,\1%r\1]",
}


async def load(
    connection: asyncpg.Connection[Any],
    source: SourceFile,
    run_id: int,
    progress: Progress = silent,
) -> dict[str, int]:
    """COPY every table into the staging; the answer is the number of rows that arrived per table."""
    arrived: dict[str, int] = {}
    odd: set[str] = set()
    usual: dict[str, dict[str, str]] = {}
    with ThreadPoolExecutor(1, thread_name_prefix="migrate-data") as executor:
        for name, table in source.tables.items():
            answer = await connection.copy_to_table(
                "source_rows",
                schema_name="legacy",
                columns=_COLUMNS,
                source=_ahead(executor, _lines(source, table, run_id, odd, usual), table, progress),
            )
            arrived[name] = int(str(answer).rpartition(" ")[2])
    # For the mapping: in all other tables it need not look for cells that are no clean text; and the days
    # and moments of these columns it need not look at before it takes them.
    await connection.execute(
        "SELECT set_config('legacy.odd_tables', $1, true), set_config('legacy.usual', $2, true)",
        json.dumps(sorted(odd)),
        json.dumps(usual),
    )
    return arrived


async def _ahead(
    executor: ThreadPoolExecutor, lines: Lines, table: SourceTable, progress: Progress
) -> AsyncIterator[bytes]:
    """What the thread makes, always one piece ahead of what is sent."""
    loop = asyncio.get_running_loop()
    done = 0
    following = loop.run_in_executor(executor, next, lines, None)
    try:
        while piece := await following:
            following = loop.run_in_executor(executor, next, lines, None)
            yield piece[1]
            done += piece[0]
            progress(table.name, done, table.rows)
    finally:
        following.cancel()
        # Its turn comes when the thread has finished what it is making.
        executor.submit(lines.close)


def _lines(
    source: SourceFile, table: SourceTable, run_id: int, odd: set[str], usual: dict[str, dict[str, str]]
) -> Lines:
    """Lines of COPY for many rows at once, with their number; ``odd`` hears of cells that are no text."""
    names = [column.name for column in table.columns]
    seen = Usual(names)
    start = f"{run_id}\t{_copy_text(table.name)}\t".encode()
    for batch in source.batches(table.name):
        lines = _fast(batch, names, start)
        # Quotation marks inside of a text have a backslash.
        if lines is None or b'["blob",' in lines:
            odd.add(table.name)
        if table.known:
            seen.look(batch)
        yield len(batch), _careful(batch, names, start, source) if lines is None else lines
    usual[table.name] = seen.forms()


def _fast(batch: Batch, names: Sequence[str], start: bytes) -> bytes | None:
    """The lines, or None if a value has NUL bytes or others that make trouble."""
    count = len(batch)
    columns: list[Sequence[Any]] = list(zip(*batch, strict=True))
    line = ["\3%d\2{"]
    signs = 0
    for number, name in enumerate(names, 1):
        values = columns[number]
        nulls = values.count(None)
        kinds = set(map(type, values))
        if nulls:
            kinds.discard(type(None))
        form = _PLAIN.get(next(iter(kinds))) if len(kinds) == 1 else None
        if not kinds:
            form = f"{_NULL}%.0s"
        elif form is None or nulls:
            # Two quotation marks around the class, two around what is not NULL.
            signs += 4 * count - 2 * nulls
            if form is None:
                columns[number] = list(map(_cell, values))
            else:
                columns[number] = [_NULL if value is None else form % value for value in values]
            form = "%s"
        line.append(f"{',' if number > 1 else ''}\1{name.replace('%', '%%')}\1:{form}")
    line.append("}\4")
    template = "".join(line)
    signs += count * (template.count("\1") + _SIGNS_PER_LINE)
    try:
        lines = "".join(map(template.__mod__, zip(*columns, strict=True))).encode()
    except UnicodeEncodeError:
        return None  # a lone surrogate: the text was not UTF-8
    if len(lines) > LARGEST_VALUE or len(lines) - len(lines.translate(None, _CONTROL)) != signs:
        return None
    for plain, escaped in _ESCAPES:
        lines = lines.replace(plain, escaped)
    return lines.translate(_SIGNS).replace(b"\3", start)


def _cell(value: Any) -> str:
    if value is None:
        return _NULL
    if type(value) is str:
        return f"[\1text\1,\1{value}\1]"
    if type(value) is bytes:
        return f"[\1blob\1,\1{b64encode(value).decode()}\1]"
    return str(_PLAIN[type(value)] % value)


def _careful(batch: Batch, names: Sequence[str], start: bytes, source: SourceFile) -> bytes:
    """The lines of any rows, value by value."""
    keys = [encode_basestring(name) for name in names]
    lines = []
    for row_id, *values in batch:
        cells = (f"{key}:[{_careful_cell(value, source)}]" for key, value in zip(keys, values, strict=True))
        data = "{" + ",".join(cells) + "}"
        lines.append(start + f"{row_id}\t{_copy_text(data)}\n".encode())
    return b"".join(lines)


def _careful_cell(value: Any, source: SourceFile) -> str:
    if value is None:
        return '"null",null'
    if isinstance(value, int):
        return f'"integer","{value}"'
    if isinstance(value, float):
        return f'"real","{value!r}"'
    if len(value) > LARGEST_VALUE:
        raise BadSource(
            f"In der Datei {source.original.name} ist ein Wert größer als {LARGEST_VALUE // 1024**2} MB:"
            " bitte ihn im alten Programm entfernen."
        )
    if isinstance(value, bytes):
        return f'"blob","{b64encode(value).decode()}"'
    stored = value.encode("utf-8", "surrogateescape")
    if "\0" in value or not _is_utf8(stored):
        return f'"text64","{b64encode(stored).decode()}"'
    return f'"text",{encode_basestring(value)}'


def _is_utf8(stored: bytes) -> bool:
    try:
        stored.decode()
    except UnicodeDecodeError:
        return False
    return True


def _copy_text(text: str) -> str:
    """A plain value in COPY's text format."""
    return text.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")
