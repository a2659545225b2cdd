"""The emergency list on paper: what its text says, a day per page or more."""

from __future__ import annotations

from dpolg_tui.documents.paper import Paper, column_widths
from dpolg_tui.domain import emergency


def pdf(house: emergency.Emergency, personal_data: emergency.PersonalData) -> bytes:
    """The document; of guests it holds what ``personal_data`` allows."""
    return layout(house, personal_data).pdf()


def layout(house: emergency.Emergency, personal_data: emergency.PersonalData) -> Paper:
    """Its pages, to be drawn."""
    paper = Paper(emergency.TITLE, emergency.made(house))
    days = emergency.days(house, personal_data)
    # The same kind of table has the same columns on every page.
    rows: dict[tuple[emergency.Column, ...], list[tuple[str, ...]]] = {}
    for day in days:
        for section in day.sections:
            rows.setdefault(section.columns, []).extend(section.rows)
    widths = {
        columns: column_widths([one.title for one in columns], found) for columns, found in rows.items()
    }
    for day in days:
        paper.page(day.heading)
        for section in day.sections:
            titles = [column.title for column in section.columns]
            paper.table(section.heading, titles, section.rows, widths[section.columns])
        paper.line(day.total)
    return paper
