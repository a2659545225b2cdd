"""Words on the occupancy chart: what stands on a bar and in the detail line, cut to cells.

Names come from guests and may hold anything: what is not printable is dropped, and widths are
counted in terminal cells, since an emoji or a Chinese character takes two.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import lru_cache

from rich.cells import cell_len

from dpolg_tui.domain import german
from dpolg_tui.domain.chart import DayTotals, is_retired
from dpolg_tui.domain.models import Occupancy, Room
from dpolg_tui.domain.queued import MARK
from dpolg_tui.domain.stay import late_label

LATE_MARK = "!"
FOUNDATION_MARK = "★"
NOTES_MARK = "≡"
"""Glyphs after the name, at most these three; a payment glyph takes the right end later."""

_VARIATION_SELECTORS = frozenset("\ufe0e\ufe0f")
_KEPT_OF_NAME = 6
"""Cells of a name that count more than what follows it."""


@lru_cache(maxsize=8192)
def plain(text: str) -> str:
    """One line of printable characters. Joiners and selectors go: terminals disagree on their width."""
    return " ".join(
        "".join(
            char if char.isprintable() else " " if char.isspace() else ""
            for char in text
            if char not in _VARIATION_SELECTORS
        ).split()
    )


def cut(text: str, width: int) -> str:
    """The text in at most ``width`` cells, with … where something is missing."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    kept, used = [], 0
    for char in text:
        size = cell_len(char)
        if used + size > width - 1:
            break
        kept.append(char)
        used += size
    return "".join(kept).rstrip() + "…"


def fit(text: str, width: int) -> str:
    """The text in exactly ``width`` cells: cut or filled with blanks."""
    text = cut(text, width)
    return text + " " * (width - cell_len(text))


def occupancy_glyph(occupancy: Occupancy) -> str:
    """The glyph of what waits to be sent, of its status, or of a block."""
    if occupancy.queued:
        return MARK
    return german.status_glyph(occupancy.status) if occupancy.status is not None else german.BLOCK_GLYPH


def occupancy_name(occupancy: Occupancy) -> str:
    """Surname of the guest, or kind and reason of a block."""
    if not occupancy.is_block:
        return plain(occupancy.last_name)
    kind = german.kind_label(occupancy.kind)
    reason = plain(occupancy.reason or "")
    return f"{kind}: {reason}" if reason else kind


def marks_of(occupancy: Occupancy, today: date) -> str:
    """The glyphs after the name: late, foundation case, notes."""
    if occupancy.is_block:
        return ""
    return "".join(
        mark
        for mark, applies in (
            (LATE_MARK, late_label(occupancy, today) is not None),
            (FOUNDATION_MARK, occupancy.foundation_case),
            (NOTES_MARK, occupancy.has_notes),
        )
        if applies
    )


def bar_text(occupancy: Occupancy, width: int, today: date) -> str:
    """Glyph, surname, ``+n`` and marks in exactly ``width`` cells; the name is cut first to last.

    What follows the name gives way as soon as little of the name would be left.
    """
    glyph = occupancy_glyph(occupancy)
    room = width - 2
    if room <= 0:
        return fit(glyph, max(0, width))
    name = occupancy_name(occupancy)
    marks = marks_of(occupancy, today)
    others = f" +{occupancy.persons - 1}" if occupancy.persons > 1 else ""
    tail_marks = f" {marks}" if marks else ""
    enough = min(cell_len(name), _KEPT_OF_NAME)
    for tail in (others + tail_marks, tail_marks, tail_marks[:2]):
        left = room - cell_len(tail)
        if left >= enough:
            return fit(f"{glyph} {cut(name, left)}{tail}", width)
    return fit(f"{glyph} {name}", width)


def room_name(room_id: int | None, rooms: Mapping[int, Room]) -> str:
    """Name of a room for a line of text."""
    if room_id is None:
        return "ohne Zimmer"
    room = rooms.get(room_id)
    return plain(room.name) if room else f"Zimmer Nr. {room_id}"


def occupancy_detail(occupancy: Occupancy, rooms: Mapping[int, Room], today: date, width: int) -> str:
    """The detail line of an occupancy. In little room the nights, the first name, then the room give way."""
    text = ""
    for first_name, room, nights in (
        (True, True, german.format_nights(occupancy.nights)),
        (True, True, f"{occupancy.nights} N"),
        (False, True, f"{occupancy.nights} N"),
        (False, False, f"{occupancy.nights} N"),
    ):
        parts = [
            *_who(occupancy, first_name=first_name),
            room_name(occupancy.room_id, rooms) if room else "",
            # The year stands in the header; it is named where it is another one.
            german.format_date_range(occupancy.arrival, occupancy.departure).removesuffix(str(today.year)),
            nights,
            *_state(occupancy, today),
        ]
        text = " · ".join(part for part in parts if part)
        if cell_len(text) <= width:
            break
    return text


def _who(occupancy: Occupancy, *, first_name: bool) -> list[str]:
    if occupancy.is_block:
        return [f"{german.BLOCK_GLYPH} Sperre", occupancy_name(occupancy)]
    names = [occupancy.last_name, occupancy.first_name if first_name else ""]
    return [occupancy.number or "", plain(", ".join(name for name in names if name))]


def _state(occupancy: Occupancy, today: date) -> list[str]:
    queued = f"{MARK} vorgemerkt" if occupancy.queued else ""
    if occupancy.status is None:
        return [queued]
    late = late_label(occupancy, today)
    option = ""
    if late:
        option = f"{LATE_MARK} {late}"
    elif occupancy.option_expires is not None:
        option = f"Option bis {german.format_date(occupancy.option_expires)}"
    return [
        f"{occupancy.persons} P",
        f"{german.status_glyph(occupancy.status)} {german.status_label(occupancy.status)}",
        queued,
        option,
        f"{FOUNDATION_MARK} Stiftungsfall" if occupancy.foundation_case else "",
        f"{NOTES_MARK} Notizen" if occupancy.has_notes else "",
    ]


def day_text(day: date, holiday: str | None) -> str:
    """``Sa 21.11.2026`` and the public holiday."""
    text = f"{german.format_weekday_short(day)} {german.format_date(day)}"
    return f"{text} ({holiday})" if holiday else text


def free_detail(
    day: date, holiday: str | None, room: Room | None, totals: DayTotals | None, width: int
) -> str:
    """The detail line of an empty cell: the night, the room and, where they fit, the day's figures."""
    parts = [day_text(day, holiday)]
    if room is not None:
        free = "stillgelegt" if is_retired(room, day) else "frei"
        price = german.format_money(room.price_low)
        if room.price_high != room.price_low:
            price = f"{price} / {german.format_money(room.price_high)}"
        parts += [
            plain(room.name),
            free,
            f"{plain(room.category)} für {room.capacity} P",
            f"{price} je Nacht",
        ]
    text = " · ".join(parts)
    if totals is None:
        return text
    figures = f" · {totals.free} von {totals.rooms} frei, an {totals.arrivals}, ab {totals.departures}"
    return text + figures if cell_len(text + figures) <= width else text
