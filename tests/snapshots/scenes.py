"""How to get to every screen and dialog: the pictures of the tests and of the documents."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, timedelta
from unittest.mock import patch

from dpolg_tui.config import Config
from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import PresenceChanged
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Conflict, FreeRoom, InTheWay, Occupancy, Status
from dpolg_tui.domain.people import Presence
from dpolg_tui.domain.undo import Step
from dpolg_tui.tui.app import DeskApp
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.widgets.chart import OccupancyChart
from tests.snapshots.settings_scenes import SETTINGS_SCENES
from tests.tui.desk_app import TIMEOUT, Running

Scene = Callable[[Running], Awaitable[None]]
DAY = timedelta(days=1)


@asynccontextmanager
async def opened(
    config: Config, today: date, size: tuple[int, int], account: tuple[str, str] | None
) -> AsyncIterator[Running]:
    """The application on a day; on the chart if there is an account (name, password), else on the login."""
    with patch.object(Desk, "today", lambda _: today):
        desk = Desk(config)
        desk.start()
        try:
            if account is not None:
                await desk.login(*account)
            app = DeskApp(desk)
            async with app.run_test(size=size, notifications=True) as pilot:
                here = Running(app, pilot)
                if account is None:
                    await here.connected()
                else:
                    await app.signed_in()
                    await here.until(lambda: app.current_mode == "chart", "chart")
                    await here.until(lambda: desk.connection.phase == "connected", "connected")
                    # A dialog opened over a chart that was never laid out has nothing behind it.
                    await here.sees("Belegungsplan")
                app.clear_notifications()
                yield here
            # So that the next one does not see this one's user among the colleagues.
            await desk.logout()
        finally:
            await asyncio.wait_for(desk.close(), TIMEOUT)


async def stay(here: Running) -> None:
    """Nothing more to do."""


async def lock(here: Running) -> None:
    here.app.lock_session("Gesperrt, weil eine Weile nichts eingegeben wurde.")


async def marked(here: Running) -> None:
    """Marked nights on the chart."""
    await here.pilot.press("down", "down", "v", "right", "right")


async def picked_up(here: Running) -> None:
    """A bar that is held and moved."""
    await here.pilot.press("m", "down", "right")


async def booking_new(here: Running) -> None:
    today = here.desk.today()
    await _open_booking(here, BookingScreen(None, _rooms(here)[0], today + 40 * DAY, today + 43 * DAY))


async def booking_edit(here: Running) -> None:
    await _open_booking(here, BookingScreen(_a_stay(here, Status.CONFIRMED).booking_id))


async def _section(here: Running, number: int) -> None:
    """A section of the booking form, by its place in the row of tabs."""
    await booking_edit(here)
    for _ in range(number):
        await here.pilot.press("ctrl+t")
        await here.pilot.pause(0.2)


async def booking_prices(here: Running) -> None:
    await _section(here, 1)


async def booking_reminders(here: Running) -> None:
    await _section(here, 4)


async def booking_history(here: Running) -> None:
    await _section(here, 5)


async def guests(here: Running) -> None:
    await here.pilot.press("f4")


async def guest_form(here: Running) -> None:
    from dpolg_tui.tui.dialogs.guest import GuestDialog

    here.app.push_screen(GuestDialog(_a_stay(here, Status.CONFIRMED).guest_id))


async def guest_new(here: Running) -> None:
    await guests(here)
    await here.pilot.pause(0.2)
    await here.pilot.press("n")


async def rooms(here: Running) -> None:
    await here.pilot.press("f5")


async def room_form(here: Running) -> None:
    from dpolg_tui.tui.dialogs.room import RoomDialog

    here.app.push_screen(RoomDialog(_rooms(here)[2]))


async def legacy(here: Running) -> None:
    await here.app.run_action("legacy")
    await here.sees("Bettenzahl")


async def legacy_row(here: Running) -> None:
    await legacy(here)
    await here.pilot.press("enter")


async def block(here: Running) -> None:
    from dpolg_tui.tui.dialogs.block import BlockDialog

    today = here.desk.today()
    here.app.push_screen(BlockDialog(_rooms(here)[0], today + 10 * DAY, today + 12 * DAY))


async def cancel(here: Running) -> None:
    from dpolg_tui.tui.dialogs.cancel import CancelDialog
    from dpolg_tui.tui.screens.chart_flows import stay_label

    here.app.push_screen(CancelDialog(stay_label(_a_stay(here, Status.CONFIRMED))))


async def change_stay(here: Running) -> None:
    from dpolg_tui.tui.dialogs.change_stay import ChangeStayDialog, StayChange

    bar = _a_stay(here, Status.CONFIRMED)
    change = StayChange(bar, _rooms(here)[3], bar.arrival + DAY, bar.departure + 2 * DAY, here.desk.today())
    here.app.push_screen(ChangeStayDialog(change, here.desk.store.rooms))


async def swapping(here: Running) -> None:
    """The first of two bars is picked, the cursor on another."""
    first, second = _two_stays(here)
    chart = here.app.screen.query_one(OccupancyChart)
    chart.jump_to(first.id)
    await here.pilot.press("s")
    chart.jump_to(second.id)


async def swap(here: Running) -> None:
    from dpolg_tui.domain import rearrange
    from dpolg_tui.tui.dialogs.rearrange import RearrangeDialog

    plan = rearrange.swap(*_two_stays(here), here.desk.today())
    here.app.push_screen(RearrangeDialog("Zimmer tauschen?", plan, here.desk.store.rooms, "Tauschen"))


async def early_departure(here: Running) -> None:
    from dpolg_tui.tui.dialogs.early_departure import EarlyDepartureDialog
    from dpolg_tui.tui.screens.chart_flows import stay_label

    bar = _a_stay(here, Status.CHECKED_IN)
    here.app.push_screen(EarlyDepartureDialog(stay_label(bar), bar.departure, bar.departure - 2 * DAY))


async def calendar(here: Running) -> None:
    from dpolg_tui.tui.dialogs.calendar import CalendarDialog

    today = here.desk.today()
    here.app.push_screen(CalendarDialog(_rooms(here)[1], today + 10 * DAY, today + 13 * DAY))


async def conflict(here: Running) -> None:
    from dpolg_tui.tui.dialogs.conflict import ConflictDialog

    today, (first, second, *_) = here.desk.today(), _rooms(here)

    def nights(room_id: int, arrival: int) -> dict[str, object]:
        first_day = today + arrival * DAY
        return {"room_id": room_id, "arrival": first_day, "departure": first_day + 3 * DAY}

    conflicts = (
        Conflict("stay/1", nights(first, 4), nights(second, 4), nights(first, 6)),
        Conflict("notes", None, "Späte Anreise [22 Uhr]", "Kommt mit Hund"),
        Conflict("persons", 2, 3, 1),
    )
    here.app.push_screen(ConflictDialog(conflicts, "Ben Beispiel"))


async def taken(here: Running) -> None:
    from dpolg_tui.tui.dialogs.taken import TakenDialog

    today, numbers = here.desk.today(), _rooms(here)
    way = InTheWay(1, 1, numbers[1], today + 3 * DAY, today + 8 * DAY, "2026-118 Müller [VIP]")
    free = [FreeRoom(number, here.desk.store.rooms[number].capacity >= 2) for number in numbers]
    here.app.push_screen(TakenDialog([way], free, shifts=True))


async def search(here: Running) -> None:
    name = _a_stay(here, Status.CONFIRMED).last_name
    await here.pilot.press("slash")
    await here.fill("Input", name)


async def go_to_date(here: Running) -> None:
    await here.pilot.press("g", "2", "4", ".", "1", "2", ".")


async def chart_filter(here: Running) -> None:
    await here.pilot.press("f")


async def help_page(here: Running) -> None:
    await here.pilot.press("f1")


async def palette(here: Running) -> None:
    await here.pilot.press("ctrl+p")


async def confirm_leave(here: Running) -> None:
    await booking_edit(here)
    form = here.app.screen.query_one("BookingForm")
    form.field("notes").editor_widget.focus()  # type: ignore[attr-defined]
    await here.pilot.press("x")
    await here.pilot.press("escape")


async def password(here: Running) -> None:
    here.app.action_own_password()


async def guest_history(here: Running) -> None:
    from dpolg_tui.tui.dialogs.guest import GuestDialog

    here.app.push_screen(GuestDialog(3))
    await here.sees("Müller")
    await here.pilot.press("ctrl+t")


async def audit(here: Running) -> None:
    """The audit log, on a line that says more than fits."""
    await here.app.action_audit()
    await here.sees("Büro" if here.app.size.width > 100 else "Ben")
    await here.pilot.press(*["down"] * 9)


async def audit_entry(here: Running) -> None:
    await audit(here)
    await here.pilot.press("enter")


async def audit_filter(here: Running) -> None:
    await audit(here)
    await here.pilot.press("f")


async def export(here: Running) -> None:
    await guests(here)
    await here.sees("Huber, Eva")
    await here.pilot.press("x")
    await here.sees("Daten exportieren?")
    await here.pilot.press("j")


async def anonymise(here: Running) -> None:
    await guests(here)
    await here.sees("Huber, Eva")
    await here.pilot.press("a")
    await here.sees("Gast anonymisieren?")
    await here.pilot.press("j")


async def users(here: Running) -> None:
    """The users, with the cursor on somebody who is locked out."""
    await here.pilot.press("f9")
    await here.sees("Clara Beispiel")
    await here.pilot.press("down", "down", "down")


async def user_form(here: Running) -> None:
    await users(here)
    await here.pilot.press("enter")


async def shown_password(here: Running) -> None:
    from dpolg_tui.tui.dialogs.shown_password import ShownPasswordDialog

    here.app.push_screen(ShownPasswordDialog("clara", "Kufe-Amsel-Tropfen-9"))


async def account(here: Running) -> None:
    here.app.action_own_account()


def _colleagues(here: Running) -> None:
    """Two colleagues at three desks; the first has the booking of the scenes open."""
    booking, since = _a_stay(here, Status.CONFIRMED).booking_id, datetime(2026, 11, 21, 7, 4, tzinfo=UTC)
    ben, clara = (901, "Ben [Beispiel]", "bb"), (902, "Clara-Sophie Übermäßig-Langername", "cü")
    here.desk.present = (
        Presence(*ben, "d1", since, "Buchung 2026-3", booking),
        Presence(*clara, "d2", since, "Belegungsplan"),
        Presence(*clara, "d3", since, "gesperrt"),
    )
    here.desk.tell(PresenceChanged())


async def who_is_here(here: Running) -> None:
    _colleagues(here)
    here.app.action_who_is_here()


async def booking_editing(here: Running) -> None:
    await booking_edit(here)
    _colleagues(here)


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
    "chart-marked": marked,
    "chart-picked-up": picked_up,
    "booking-new": booking_new,
    "booking": booking_edit,
    "booking-prices": booking_prices,
    "booking-reminders": booking_reminders,
    "booking-history": booking_history,
    "guests": guests,
    "guest": guest_form,
    "guest-new": guest_new,
    "rooms": rooms,
    "room": room_form,
    "legacy": legacy,
    "legacy-row": legacy_row,
    "block": block,
    "cancel": cancel,
    "change-stay": change_stay,
    "swap": swap,
    "chart-swapping": swapping,
    "early-departure": early_departure,
    "calendar": calendar,
    "conflict": conflict,
    "taken": taken,
    "search": search,
    "go-to-date": go_to_date,
    "filter": chart_filter,
    "help": help_page,
    "palette": palette,
    "confirm-leave": confirm_leave,
    "password": password,
    "guests-admin": guests,
    "guest-history": guest_history,
    "room-user": room_form,
    "audit": audit,
    "audit-entry": audit_entry,
    "audit-filter": audit_filter,
    "export": export,
    "anonymise": anonymise,
    "users": users,
    "user": user_form,
    "shown-password": shown_password,
    "account": account,
    "who-is-here": who_is_here,
    "last-changes": last_changes,
    "booking-editing": booking_editing,
    **SETTINGS_SCENES,
}
"""By the name of the picture."""


def _rooms(here: Running) -> list[int]:
    return sorted(here.desk.store.rooms)


def _a_stay(here: Running, status: Status) -> Occupancy:
    """The first stay of that status that arrives soon, in a room."""
    today = here.desk.today()
    found = (
        bar
        for bar in here.desk.store.occupancies.values()
        if bar.status is status and bar.room_id is not None and bar.departure > today + 2 * DAY
    )
    return min(found, key=lambda bar: (abs(bar.arrival - today), bar.id))


def _two_stays(here: Running) -> tuple[Occupancy, Occupancy]:
    """Two stays in different rooms, of which one is in the house."""
    first = _a_stay(here, Status.CHECKED_IN)
    second = _a_stay(here, Status.CONFIRMED)
    assert first.room_id != second.room_id
    return first, second


async def _open_booking(here: Running, screen: BookingScreen) -> None:
    here.app.push_screen(screen)
    await here.until(lambda: here.app.screen is screen and screen.is_mounted, "booking screen")
    await here.until(lambda: screen.form.ready, "booking form")
