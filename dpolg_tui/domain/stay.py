"""Rules of a stay: dates, persons, statuses, and what is late.

The database holds the same rules; here they give their sentence before anything is sent.
"""

from __future__ import annotations

import unicodedata
from datetime import date

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.german import clean_line, format_date, format_nights
from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.models import Occupancy, Status

MOST_NIGHTS = 365
LONGEST_NAME = 100

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.RESERVED: frozenset({Status.CONFIRMED, Status.CHECKED_IN, Status.CANCELLED}),
    Status.CONFIRMED: frozenset({Status.RESERVED, Status.CHECKED_IN, Status.CANCELLED}),
    Status.CHECKED_IN: frozenset({Status.RESERVED, Status.CONFIRMED, Status.CHECKED_OUT}),
    Status.CHECKED_OUT: frozenset({Status.CHECKED_IN}),
    Status.CANCELLED: frozenset({Status.RESERVED, Status.CONFIRMED}),
}
"""Where a status may lead. Back from a check-in or check-out undoes a slip of the hand."""


def overlaps(arrival: date, departure: date, other_arrival: date, other_departure: date) -> bool:
    """Whether two stays share a night. The day of departure is free for the next arrival."""
    return arrival < other_departure and other_arrival < departure


def check_stay(arrival: date, departure: date) -> None:
    """At least one night, at most 365. Raises InvalidInput, for the field ``departure``."""
    nights = (departure - arrival).days
    if nights < 0:
        raise InvalidInput(
            f"Die Abreise {format_date(departure)} liegt vor der Anreise {format_date(arrival)}:"
            " bitte die Abreise später legen.",
            "departure",
        )
    if nights == 0:
        raise InvalidInput(
            f"Anreise und Abreise sind beide am {format_date(arrival)}: bitte mindestens eine Nacht buchen,"
            " zum Beispiel mit +1.",
            "departure",
        )
    if nights > MOST_NIGHTS:
        raise InvalidInput(
            f"Die Abreise {format_date(departure)} ergibt {format_nights(nights)}: bitte höchstens"
            f" {format_nights(MOST_NIGHTS)} wählen und längere Zeiten aufteilen.",
            "departure",
        )


def check_persons(persons: int, capacity: int | None) -> None:
    """At least one person, and no more than the rooms have beds (None: no room chosen yet)."""
    if persons < 1:
        raise InvalidInput("Personen: bitte mindestens eine Person eingeben.", "persons")
    if capacity is not None and persons > capacity:
        beds = "1 Bett" if capacity == 1 else f"{capacity} Betten"
        raise InvalidInput(
            f"Für {persons} Personen reicht der Platz nicht ({beds}): bitte ein größeres Zimmer oder weniger"
            " Personen wählen.",
            "persons",
        )


def check_text(text: str, field: str, longest: int, label: str = "") -> str | None:
    """One line of text for storing, None if there is none. Raises InvalidInput if it is too long.

    ``label``: the word for the field where a form uses another than usual.
    """
    line = clean_line(text)
    if len(line) > longest:
        raise InvalidInput(
            f"{label or field_label(field)} ist mit {len(line)} Zeichen zu lang: bitte auf {longest} kürzen.",
            field,
        )
    # joiners and other marks that show nothing are no text by themselves
    return line if any(unicodedata.category(sign) not in ("Cf", "Mn", "Zs") for sign in line) else None


def check_name(text: str, field: str, longest: int = LONGEST_NAME) -> str:
    """As check_text, for a field that must not be empty."""
    line = check_text(text, field, longest)
    if line is None:
        raise InvalidInput(f"{field_label(field)} fehlt: bitte ausfüllen.", field)
    return line


def may_change(old: Status, new: Status) -> bool:
    """Whether a booking may go from one status to another; staying as it is always may."""
    return old == new or new in TRANSITIONS[old]


def overdue_arrival(occupancy: Occupancy, today: date) -> bool:
    """Expected on a day before today and still not checked in."""
    return occupancy.status in (Status.RESERVED, Status.CONFIRMED) and occupancy.arrival < today


def overdue_departure(occupancy: Occupancy, today: date) -> bool:
    """In the house although the day of departure is over."""
    return occupancy.status is Status.CHECKED_IN and occupancy.departure < today


def option_expired(occupancy: Occupancy, today: date) -> bool:
    """Only reserved, and the last day of the option is over."""
    return (
        occupancy.status is Status.RESERVED
        and occupancy.option_expires is not None
        and occupancy.option_expires < today
    )


def late_label(occupancy: Occupancy, today: date) -> str | None:
    """What is late about a stay, the most urgent first; None for all that is well and for blocks."""
    if overdue_departure(occupancy, today):
        return "Abreise überfällig"
    if overdue_arrival(occupancy, today):
        return "Anreise überfällig"
    if option_expired(occupancy, today):
        return "Option abgelaufen"
    return None
