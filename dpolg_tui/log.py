"""The log file: what went wrong and what was slow, without secrets and without anything personal.

``setup`` sends our logger, asyncpg's and everybody's warnings to one rotating file and nothing to
the terminal, which belongs to the screen. Whatever is written passes ``redact`` last.
"""

from __future__ import annotations

import logging
import logging.handlers
import os
import re
import secrets
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from types import TracebackType

from dpolg_tui import locations
from dpolg_tui.settings import LogSettings

LOGGER = logging.getLogger("dpolg_tui")
MAX_BYTES = 1_000_000
FILES = 5

_HIDDEN = "********"
_NAMES = r"(?:pg)?passw(?:ord|ort|d)|session_token|token|verifier|tag|salt|secret|key_code"
_SECRETS = (
    # password=…, "token": "…", app.session_token = '…'
    re.compile(
        rf"(?P<kept>\b(?:\w*[._])?(?:{_NAMES})\b[\"']?\s*(?:[=:]|=>)\s*)"
        r"(?:b?'(?:[^'\\]|\\.)*'|b?\"(?:[^\"\\]|\\.)*\"|[^\s,;&)}\]]+)",
        re.IGNORECASE,
    ),
    # postgresql://user:password@host; up to the last @ of the word, for passwords with an @
    re.compile(r"(?P<kept>\b\w+://[^\s:/@]*:)[^\s]*(?=@)"),
    # 32 bytes in hex or base64, with no name beside them: tokens, tags, hashes
    re.compile(r"(?P<kept>)(?<![0-9A-Fa-f])[0-9A-Fa-f]{64}(?![0-9A-Fa-f])"),
    re.compile(r"(?P<kept>)(?<![\w+/-])(?=[\w+/-]*[0-9])(?=[\w+/-]*[A-Z])[\w+/-]{43}(?![\w+/-])=?"),
)
# PostgreSQL quotes rows and values of people in these lines; a value may itself have line breaks.
_DETAIL = re.compile(
    r"^[ \t]*(?:DETAIL|CONTEXT|ZUSAMMENHANG):.*?(?=^[ \t]*(?:HINT|TIP|HINWEIS):|\Z)", re.MULTILINE | re.DOTALL
)
# Texts of errors quote what people typed or what a row holds; of quoted names only those of code stay.
_QUOTED = re.compile("'[^']*'|\"[^\"]*\"|„[^“]*“")
_CODE_NAME = re.compile("[#.][a-z][a-z0-9_-]*|[a-z][a-z0-9]*(?:_[a-z0-9]+)+")
_CONTROL = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}
_LINE = {
    **_CONTROL,
    ord("\n"): "\\n",
    ord("\r"): "\\r",
    ord("\t"): "\\t",
    0x2028: "\\u2028",
    0x2029: "\\u2029",
}
_BLOCK = {code: text for code, text in _CONTROL.items() if code not in (9, 10)}

_slow_ms = LogSettings().slow_action_ms
_handler: logging.Handler | None = None


def setup(settings: LogSettings | None = None) -> str | None:
    """Start writing the log file; a German sentence if that is not possible.

    A desk whose log cannot be written still works.
    """
    global _handler, _slow_ms
    settings = settings or LogSettings()
    shutdown()
    _slow_ms = settings.slow_action_ms
    path = settings.file or locations.log_file()
    warning = None
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _handler = _LogFile(path)
    except OSError as error:
        _handler = logging.NullHandler()
        warning = f"Die Protokolldatei {path} lässt sich nicht schreiben ({error.strerror})."
    _handler.setFormatter(_Formatter())
    root = logging.getLogger()
    # At the root, so that no library's warning falls through to the terminal.
    root.addHandler(_handler)
    level = logging.getLevelNamesMapping()[settings.level]
    LOGGER.setLevel(level)
    logging.getLogger("asyncpg").setLevel(level)
    logging.captureWarnings(True)
    return warning


def shutdown() -> None:
    """Close the log file."""
    global _handler
    if _handler is None:
        return
    logging.captureWarnings(False)
    logging.getLogger().removeHandler(_handler)
    _handler.close()
    _handler = None


def is_set_up() -> bool:
    return _handler is not None


def redact(text: str) -> str:
    """``text`` with passwords, tokens and the data in PostgreSQL's DETAIL lines taken out."""
    text = _DETAIL.sub("", text).rstrip("\n")
    for secret in _SECRETS:
        text = secret.sub(rf"\g<kept>{_HIDDEN}", text)
    return text


def error_id() -> str:
    """A short id that a toast shows and the log file has: ``E-7F3A21``."""
    return f"E-{secrets.token_hex(3).upper()}"


def log_defect(error: BaseException) -> str:
    """Write the traceback of an unexpected error, without values of variables; its error id."""
    identifier = error_id()
    LOGGER.error("Unerwarteter Fehler %s", identifier, exc_info=error)
    return identifier


def write_done(kind: str, action: str, identifier: int | str) -> None:
    """Note a finished write: ``Booking erstellt: 118``. Ids only, never names."""
    LOGGER.info("%s %s: %s", kind, action, identifier)


@dataclass(slots=True)
class Measured:
    """What one action of the user cost."""

    name: str
    round_trips: int = 0
    milliseconds: float = 0.0


# Tasks and threads started by the action inherit the same object and count into it.
_current: ContextVar[Measured | None] = ContextVar("round_trips", default=None)


def count_round_trips(number: int = 1) -> None:
    """Called by the database layer for every answer it waits for."""
    measured = _current.get()
    if measured is not None:
        measured.round_trips += number


@contextmanager
def action(name: str) -> Iterator[Measured]:
    """Measure one action of the user, and note it when it was slow. An inner one counts outwards too."""
    measured = Measured(name)
    outer = _current.get()
    token = _current.set(measured)
    started = time.perf_counter()
    try:
        yield measured
    finally:
        measured.milliseconds = (time.perf_counter() - started) * 1000
        _current.reset(token)
        if outer is not None:
            outer.round_trips += measured.round_trips
        if measured.milliseconds > _slow_ms:
            trips = "1 Umlauf" if measured.round_trips == 1 else f"{measured.round_trips} Umläufe"
            LOGGER.warning("Langsame Aktion %s: %.0f ms, %s", name, measured.milliseconds, trips)


_ExcInfo = tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]


def _of_others(record: logging.LogRecord) -> str:
    """The message; of libraries, who do not know what is personal here, without what they quote."""
    if record.name.partition(".")[0] == LOGGER.name:
        return record.message
    # After its first line asyncio tells tasks and errors with their values; the traceback has the rest.
    message = record.message.split("\n", 1)[0] if record.name == "asyncio" else record.message
    return _QUOTED.sub(_unquoted, message)


class _Formatter(logging.Formatter):
    """One line a record; tracebacks without values; secrets out; no control characters."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s.%(msecs)03d %(levelname)s %(name)s: %(message)s", "%Y-%m-%d %H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - the name is logging's
        # A typed line break must not look like a line of the log.
        record.message = redact(_of_others(record)).translate(_LINE)
        return super().formatMessage(record)

    def formatException(self, ei: _ExcInfo) -> str:  # noqa: N802 - the name is logging's
        return "" if ei[1] is None else _traceback(ei[1])

    def format(self, record: logging.LogRecord) -> str:
        # Another handler's text of the same record is not ours to reuse.
        cached, record.exc_text = record.exc_text, None
        try:
            return redact(super().format(record)).translate(_BLOCK)
        finally:
            record.exc_text = cached


def _traceback(error: BaseException) -> str:
    """Frames and first line of each error of the chain; never locals, never DETAIL."""
    parts: list[str] = []
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = "".join(traceback.format_tb(current.__traceback__))
        parts.append(f"{frames}{_describe(current)}")
        if isinstance(current, BaseExceptionGroup):
            parts += [f"darin: {_traceback(inner)}" for inner in current.exceptions]
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
    return "\nAusgelöst durch:\n".join(parts)


def _describe(error: BaseException) -> str:
    kind = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    sqlstate = getattr(error, "sqlstate", None)
    if sqlstate is not None:
        # PostgreSQL's message, without the lines after it that quote rows.
        message = str(error.args[0]) if error.args else ""
        constraint = getattr(error, "constraint_name", None)
        kind += f" [{sqlstate}{', ' + constraint if constraint else ''}]"
    else:
        message = str(error)
    first = _QUOTED.sub(_unquoted, redact(message).split("\n", 1)[0])[:300]
    return f"{kind}: {first}" if first else kind


def _unquoted(quoted: re.Match[str]) -> str:
    text = quoted[0]
    return text if _CODE_NAME.fullmatch(text[1:-1]) else f"{text[0]}…{text[-1]}"


class _LogFile(logging.handlers.RotatingFileHandler):
    """A rotating file of mode 0600 that several desks of one account can share."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, maxBytes=MAX_BYTES, backupCount=FILES - 1, encoding="utf-8")

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(handle, "a", encoding=self.encoding)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._follow()
        except OSError:
            self.handleError(record)
            return
        super().emit(record)

    def close(self) -> None:
        """What could not be written any more is lost; the file is closed all the same."""
        try:
            super().close()
        except OSError:
            # A full disk: the program must not end with an error because of it.
            self.stream = None
            logging.Handler.close(self)

    def doRollover(self) -> None:  # noqa: N802 - the name is logging's
        try:
            super().doRollover()
        except OSError:
            # Windows does not rename a file that another desk has open: write on, rotate later.
            if self.stream is None:
                self.stream = self._open()

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the name is logging's
        """A full disk must not write over the screen; there is no other place to tell it."""

    def _follow(self) -> None:
        """Another desk has rotated the file: go on in the new one."""
        if self.stream is None:
            return
        try:
            here, there = os.fstat(self.stream.fileno()), Path(self.baseFilename).stat()
            if (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino):
                return
        except (OSError, ValueError):
            # Gone altogether: opened anew below.
            pass
        self.stream.close()
        self.stream = self._open()
