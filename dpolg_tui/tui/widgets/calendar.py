"""Months side by side, with a cursor, the nights that are taken and the nights that are chosen."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import ClassVar

from rich.style import Style
from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget

from dpolg_tui.domain import german

MONTH_WIDTH = 21
GAP = 3
WEEK_LINES = 6
FIRST_DAY, LAST_DAY = date(1990, 1, 1), date(2199, 12, 31)


def add_months(day: date, months: int) -> date:
    """The same day some months on, or that month's last day."""
    index = day.year * 12 + day.month - 1 + months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


class Months(Widget, can_focus=True):
    """A calendar to walk in. ``taken`` says of a night whether it is taken."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "months--title",
        "months--weekend",
        "months--taken",
        "months--chosen",
        "months--cursor",
        "months--today",
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "walk(-1)", show=False),
        Binding("right", "walk(1)", show=False),
        Binding("up", "walk(-7)", show=False),
        Binding("down", "walk(7)", show=False),
        Binding("pageup", "month(-1)", show=False),
        Binding("pagedown", "month(1)", show=False),
        Binding("enter,space", "pick", show=False),
    ]

    class Moved(Message):
        """The cursor stands on another day."""

    class Picked(Message):
        """Enter or a click on a day."""

        def __init__(self, day: date) -> None:
            super().__init__()
            self.day = day

    def __init__(self, cursor: date, today: date) -> None:
        super().__init__()
        self.cursor = cursor
        self.first = cursor.replace(day=1)
        self.taken: Callable[[date], bool] = lambda _day: False
        self.chosen: tuple[date, date] | None = None
        self._today = today

    @property
    def months(self) -> int:
        """How many months have room."""
        return max(1, (self.size.width + GAP) // (MONTH_WIDTH + GAP))

    @property
    def last(self) -> date:
        """The last day in sight."""
        return add_months(self.first, self.months) - timedelta(1)

    def get_content_height(self, *_: object) -> int:
        return WEEK_LINES + 2

    def go_to(self, day: date) -> None:
        """Put the cursor on a day and bring it in sight."""
        self.cursor = min(max(day, FIRST_DAY), LAST_DAY)
        if self.cursor < self.first:
            self.first = self.cursor.replace(day=1)
        elif self.cursor > self.last:
            self.first = add_months(self.cursor.replace(day=1), 1 - self.months)
        self.refresh()
        self.post_message(self.Moved())

    def action_walk(self, days: int) -> None:
        """Some days on or back."""
        self.go_to(self.cursor + timedelta(days))

    def action_month(self, months: int) -> None:
        """A month on or back."""
        self.go_to(add_months(self.cursor, months))

    def action_pick(self) -> None:
        """Choose the day under the cursor."""
        self.post_message(self.Picked(self.cursor))

    def on_click(self, event: events.Click) -> None:
        """A click goes to the day and chooses it."""
        event.stop()
        column, within = divmod(event.x, MONTH_WIDTH + GAP)
        if within >= MONTH_WIDTH or column >= self.months or event.y < 2:
            return
        month = add_months(self.first, column)
        number = (event.y - 2) * 7 + within // 3 - month.weekday() + 1
        if 1 <= number <= monthrange(month.year, month.month)[1]:
            self.go_to(month.replace(day=number))
            self.action_pick()

    def render(self) -> Text:
        styles = {
            name: self.get_component_rich_style(f"months--{name}", partial=True)
            for name in ("title", "weekend", "taken", "chosen", "cursor", "today")
        }
        columns = [self._month(add_months(self.first, i), styles) for i in range(self.months)]
        lines = [Text(" " * GAP).join(parts) for parts in zip(*columns, strict=True)]
        return Text("\n", no_wrap=True).join(lines)

    def _month(self, month: date, styles: dict[str, Style]) -> list[Text]:
        lines = [
            Text(german.format_month(month).center(MONTH_WIDTH), styles["title"]),
            Text("Mo Di Mi Do Fr Sa So ", styles["weekend"]),
        ]
        days = monthrange(month.year, month.month)[1]
        for week in range(WEEK_LINES):
            line = Text()
            for weekday in range(7):
                number = week * 7 + weekday - month.weekday() + 1
                if 1 <= number <= days:
                    line.append_text(self._day(month.replace(day=number), styles))
                else:
                    line.append("   ")
            lines.append(line)
        return lines

    def _day(self, day: date, styles: dict[str, Style]) -> Text:
        taken = self.taken(day)
        chosen = self.chosen is not None and self.chosen[0] <= day < self.chosen[1]
        style = styles["weekend"] if day.weekday() >= 5 else Style()
        if taken:
            style += styles["taken"]
        if chosen:
            style += styles["chosen"]
        if day == self._today:
            style += styles["today"]
        mark = "╳" if taken else "─" if chosen else " "
        text = Text(f"{day.day:>2}", style)
        text.append(mark, styles["taken"] if taken else styles["chosen"] if chosen else "")
        if day == self.cursor:
            text.stylize(styles["cursor"], 0, 2)
        return text
