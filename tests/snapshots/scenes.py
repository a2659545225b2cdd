"""Every scene by the name of its picture, and those of the desk as a whole."""

from __future__ import annotations

from datetime import UTC, datetime

from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.undo import Step
from tests.snapshots import scenes_chart as chart
from tests.snapshots import scenes_health as health
from tests.snapshots import scenes_offline as offline
from tests.snapshots import scenes_people as people
from tests.snapshots import scenes_settings as settings
from tests.snapshots.opening import DAY, Scene
from tests.tui.desk_app import Running


async def stay(here: Running) -> None:
    """Nothing more to do."""


async def lock(here: Running) -> None:
    here.app.lock_session("Gesperrt, weil eine Weile nichts eingegeben wurde.")


async def help_page(here: Running) -> None:
    await here.pilot.press("f1")


async def palette(here: Running) -> None:
    await here.pilot.press("ctrl+p")


async def password(here: Running) -> None:
    here.app.action_own_password()


async def last_changes(here: Running) -> None:
    """One of each state, with the cursor on one that a colleague stands in the way of."""
    known, moment = here.desk.undo.last_changes, datetime(2026, 11, 21, 7, 4, tzinfo=UTC)
    dates = {"arrival": here.desk.today(), "departure": here.desk.today() + DAY}
    moved = Change({"room_id": 1, **dates}, {"room_id": 2, **dates})
    new_code = Step("room", 3, "updated", {}, "der frühere Schlüsselcode ist hier nicht bekannt")
    known.add(
        moment,
        "Gast Müller-Lüdenscheidt, Hans-Jürgen",
        "Wohnort, E-Mail, Telefon … geändert",
        (Step("guest", 3, "updated", {"city": Change("Ulm", "München")}),),
    )
    known.add(moment, "Zimmer 3", "geändert", (new_code,))
    booked = known.add(
        moment, "2026-118", "verschoben", (Step("booking", 118, "updated", {"stay/5": moved}),)
    )
    swapped = known.add(moment, "2026-119, 2026-120", "verschoben", (Step("booking", 119, "updated", {}),))
    known.took_back(swapped, swapped.steps, swapped.steps)
    known.stood_in_the_way(
        booked,
        "Clara-Sophie Übermäßig-Langername hat die Abreise (jetzt 26.11.2026) inzwischen geändert:"
        " „2026-118 verschoben“ bleibt.",
    )
    here.app.action_last_changes()
    await here.sees("Meine letzten")
    await here.pilot.press("down")


SCENES: dict[str, Scene] = {
    "login": stay,
    "lock": lock,
    "chart": stay,
    "chart-marked": chart.marked,
    "chart-picked-up": chart.picked_up,
    "booking-new": chart.booking_new,
    "booking": chart.booking_edit,
    "booking-prices": chart.booking_prices,
    "booking-reminders": chart.booking_reminders,
    "booking-history": chart.booking_history,
    "guests": people.guests,
    "guest": people.guest_form,
    "guest-new": people.guest_new,
    "rooms": chart.rooms,
    "room": chart.room_form,
    "legacy": chart.legacy,
    "legacy-row": chart.legacy_row,
    "block": chart.block,
    "cancel": chart.cancel,
    "change-stay": chart.change_stay,
    "swap": chart.swap,
    "chart-swapping": chart.swapping,
    "early-departure": chart.early_departure,
    "calendar": chart.calendar,
    "conflict": chart.conflict,
    "taken": chart.taken,
    "search": chart.search,
    "go-to-date": chart.go_to_date,
    "filter": chart.chart_filter,
    "help": help_page,
    "palette": palette,
    "confirm-leave": chart.confirm_leave,
    "password": password,
    "guests-admin": people.guests,
    "guest-history": people.guest_history,
    "room-user": chart.room_form,
    "audit": people.audit,
    "audit-entry": people.audit_entry,
    "audit-filter": people.audit_filter,
    "health": health.health,
    "export": people.export,
    "anonymise": people.anonymise,
    "users": people.users,
    "user": people.user_form,
    "shown-password": people.shown_password,
    "account": people.account,
    "who-is-here": people.who_is_here,
    "last-changes": last_changes,
    "booking-editing": people.booking_editing,
    "settings": settings.typed,
    "settings-tested": settings.tested,
    "queue": offline.queue,
    "queue-empty": offline.queue_empty,
    "missed": offline.missed,
    "missed-nothing": offline.missed_nothing,
    "drafts": offline.drafts,
}
"""By the name of the picture."""
