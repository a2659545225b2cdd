"""A4 paper: pages with a heading, tables that go on over pages, page numbers; black on white.

A document is laid out first and drawn at the end, when the number of pages is known. Lengths are
points (1/72 inch), measured from the top left corner.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from threading import Lock

from reportlab.lib.pagesizes import A4
from reportlab.pdfgen.canvas import Canvas

from dpolg_tui.documents.fonts import BOLD, REGULAR, printable, width, wrapped

PAGE_WIDTH, PAGE_HEIGHT = A4
MARGIN = 42.5  # 15 mm
BODY = PAGE_WIDTH - 2 * MARGIN
FOOT = PAGE_HEIGHT - MARGIN
BOTTOM = FOOT - 14
SIZE, SMALL, HEADING, TITLE = 9.5, 8.5, 11.5, 16.0
LEADING = 1.25
GAP = 8.0
"""Between two columns."""
NARROWEST = 28.0
CONTINUED = " (Fortsetzung)"
GREY = 0.55
"""Of the fine rules: dark enough for a copier."""
NOTHING = "–"

_drawing = Lock()
"""The fonts of the library know the document that is being drawn: one at a time."""


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text; ``x`` is its left end, or its right end if ``right``; ``y`` its base line."""

    x: float
    y: float
    words: str
    font: str = REGULAR
    size: float = SIZE
    right: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A horizontal line over the width of the body."""

    y: float
    thickness: float
    grey: float = 0.0


@dataclass(slots=True)
class Page:
    """What stands where on a page."""

    heading: str
    items: list[Text | Rule] = field(default_factory=list)


class Paper:
    """A document in the making: call ``page`` first, ``pdf`` last."""

    def __init__(self, title: str, moment: str) -> None:
        self.title = printable(title)
        self.moment = printable(moment)
        self.pages: list[Page] = []
        self._y = 0.0

    def page(self, heading: str) -> None:
        """Begin a new page."""
        page = Page(printable(heading))
        self.pages.append(page)
        top = MARGIN + SMALL
        page.items += [
            Text(MARGIN, top, self.title, BOLD, SMALL),
            Text(MARGIN + BODY, top, self.moment, REGULAR, SMALL, right=True),
            Text(MARGIN, top + TITLE * 1.4, page.heading, BOLD, TITLE),
            Rule(top + TITLE * 1.9, 1.2),
        ]
        self._y = top + TITLE * 1.9

    def line(self, words: str) -> None:
        """A paragraph of its own."""
        lines = wrapped(printable(words), BOLD, SIZE, BODY)
        self._room_for((len(lines) + 1) * SIZE * LEADING)
        self._y += SIZE * LEADING
        for one in lines:
            self._y += SIZE * LEADING
            self._items.append(Text(MARGIN, self._y, one, BOLD))

    def table(
        self,
        heading: str,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        widths: Sequence[float],
    ) -> None:
        """A table under its heading; on every page that it goes on to, both stand again.

        A column of width 0 is left out.
        """
        shown = [number for number, wide in enumerate(widths) if wide > 0]
        titles = [printable(columns[number]) for number in shown]
        lefts = [MARGIN + sum(widths[:number]) + GAP * place for place, number in enumerate(shown)]
        cells = [
            [wrapped(printable(row[number]), REGULAR, SIZE, widths[number]) for number in shown]
            for row in rows
        ]
        lines_of_first = max(map(len, cells[0])) if cells else 1
        # A heading is never the last thing on a page.
        self._room_for(HEADING * 2.6 + SMALL * 2 + lines_of_first * SIZE * LEADING)
        self._table_head(printable(heading), titles if rows else [], lefts)
        if not rows:
            self._y += SIZE * LEADING
            self._items.append(Text(MARGIN, self._y, NOTHING))
        for row_cells in cells:
            height = max(map(len, row_cells)) * SIZE * LEADING + 4
            if self._room_for(height):
                self._table_head(printable(heading) + CONTINUED, titles, lefts)
            for left, lines in zip(lefts, row_cells, strict=True):
                self._items.extend(
                    Text(left, self._y + number * SIZE * LEADING, words)
                    for number, words in enumerate(lines, start=1)
                )
            self._y += height
            self._items.append(Rule(self._y, 0.4, GREY))

    def _table_head(self, heading: str, titles: Sequence[str], lefts: Sequence[float]) -> None:
        self._y += HEADING * 2.1
        self._items.append(Text(MARGIN, self._y, heading, BOLD, HEADING))
        self._y += 4
        if titles:
            self._y += SMALL * 1.2
            self._items.extend(
                Text(left, self._y, words, REGULAR, SMALL) for left, words in zip(lefts, titles, strict=True)
            )
            self._y += 4
        self._items.append(Rule(self._y, 0.8))

    @property
    def _items(self) -> list[Text | Rule]:
        return self.pages[-1].items

    def _room_for(self, height: float) -> bool:
        """A new page if this one has too little left; whether it was needed."""
        if self._y + height <= BOTTOM:
            return False
        self.page(self.pages[-1].heading.removesuffix(CONTINUED) + CONTINUED)
        return True

    def pdf(self) -> bytes:
        """The finished document."""
        written = BytesIO()
        with _drawing:
            canvas = Canvas(written, pagesize=A4, pageCompression=1, lang="de-DE")
            canvas.setTitle(f"{self.title}, {self.moment}")
            for number, page in enumerate(self.pages, start=1):
                foot = f"Seite {number} von {len(self.pages)}"
                items = (*page.items, Text(MARGIN + BODY, FOOT, foot, REGULAR, SMALL, right=True))
                for item in items:
                    _draw(canvas, item)
                canvas.showPage()
            canvas.save()
        return written.getvalue()


def _draw(canvas: Canvas, item: Text | Rule) -> None:
    if isinstance(item, Rule):
        canvas.setLineWidth(item.thickness)
        canvas.setStrokeGray(item.grey)
        canvas.line(MARGIN, PAGE_HEIGHT - item.y, MARGIN + BODY, PAGE_HEIGHT - item.y)
        return
    canvas.setFont(item.font, item.size)
    draw = canvas.drawRightString if item.right else canvas.drawString
    draw(item.x, PAGE_HEIGHT - item.y, item.words)


def column_widths(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[float]:
    """How wide the columns of these rows are to be; 0 for one that is empty throughout.

    As wide as their longest cell; where the paper is too narrow the widest give way and wrap.
    """
    natural = [
        max(width(printable(cell), REGULAR, SIZE) for cell in (*cells, title)) if any(cells) else 0.0
        for title, *cells in zip(columns, *rows, strict=True)
    ]
    room = BODY - GAP * (sum(wide > 0 for wide in natural) - 1)
    # The limit for the widest, such that all together just fit.
    limit, left, others = room, room, sorted(wide for wide in natural if wide > 0)
    for place, wide in enumerate(others):
        limit = left / (len(others) - place)
        if wide > limit:
            break
        left -= wide
    else:
        limit = room
    return [min(wide, max(limit, NARROWEST)) for wide in natural]
