"""How to get to the chart, the booking form, rooms and what opens over them."""

from __future__ import annotations

from dpolg_tui.domain.models import Conflict, FreeRoom, InTheWay, Status
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.widgets.chart import OccupancyChart
from tests.snapshots.opening import DAY, a_stay, open_booking, room_ids, two_stays
from tests.tui.desk_app import Running


async def marked(here: Running) -> None:
    """Marked nights on the chart."""
    await here.pilot.press("down", "down", "v", "right", "right")


async def picked_up(here: Running) -> None:
    """A bar that is held and moved."""
    await here.pilot.press("m", "down", "right")


async def booking_new(here: Running) -> None:
    today = here.desk.today()
    await open_booking(here, BookingScreen(None, room_ids(here)[0], today + 40 * DAY, today + 43 * DAY))


async def booking_edit(here: Running) -> None:
    await open_booking(here, BookingScreen(a_stay(here, Status.CONFIRMED).booking_id))


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


async def rooms(here: Running) -> None:
    await here.pilot.press("f5")


async def room_form(here: Running) -> None:
    from dpolg_tui.tui.dialogs.room import RoomDialog

    here.app.push_screen(RoomDialog(room_ids(here)[2]))


async def legacy(here: Running) -> None:
    await here.app.run_action("legacy")
    await here.sees("Bettenzahl")


async def legacy_row(here: Running) -> None:
    await legacy(here)
    await here.pilot.press("enter")


async def block(here: Running) -> None:
    from dpolg_tui.tui.dialogs.block import BlockDialog

    today = here.desk.today()
    here.app.push_screen(BlockDialog(room_ids(here)[0], today + 10 * DAY, today + 12 * DAY))


async def cancel(here: Running) -> None:
    from dpolg_tui.tui.dialogs.cancel import CancelDialog
    from dpolg_tui.tui.screens.chart_flows import stay_label

    here.app.push_screen(CancelDialog(stay_label(a_stay(here, Status.CONFIRMED))))


async def change_stay(here: Running) -> None:
    from dpolg_tui.tui.dialogs.change_stay import ChangeStayDialog, StayChange

    bar = a_stay(here, Status.CONFIRMED)
    change = StayChange(bar, room_ids(here)[3], bar.arrival + DAY, bar.departure + 2 * DAY, here.desk.today())
    here.app.push_screen(ChangeStayDialog(change, here.desk.store.rooms))


async def swapping(here: Running) -> None:
    """The first of two bars is picked, the cursor on another."""
    first, second = two_stays(here)
    chart = here.app.screen.query_one(OccupancyChart)
    chart.jump_to(first.id)
    await here.pilot.press("s")
    chart.jump_to(second.id)


async def swap(here: Running) -> None:
    from dpolg_tui.domain import rearrange
    from dpolg_tui.tui.dialogs.rearrange import RearrangeDialog

    plan = rearrange.swap(*two_stays(here), here.desk.today())
    here.app.push_screen(RearrangeDialog("Zimmer tauschen?", plan, here.desk.store.rooms, "Tauschen"))


async def early_departure(here: Running) -> None:
    from dpolg_tui.tui.dialogs.early_departure import EarlyDepartureDialog
    from dpolg_tui.tui.screens.chart_flows import stay_label

    bar = a_stay(here, Status.CHECKED_IN)
    here.app.push_screen(EarlyDepartureDialog(stay_label(bar), bar.departure, bar.departure - 2 * DAY))


async def calendar(here: Running) -> None:
    from dpolg_tui.tui.dialogs.calendar import CalendarDialog

    today = here.desk.today()
    here.app.push_screen(CalendarDialog(room_ids(here)[1], today + 10 * DAY, today + 13 * DAY))


async def conflict(here: Running) -> None:
    from dpolg_tui.tui.dialogs.conflict import ConflictDialog

    today, (first, second, *_) = here.desk.today(), room_ids(here)

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

    today, numbers = here.desk.today(), room_ids(here)
    way = InTheWay(1, 1, numbers[1], today + 3 * DAY, today + 8 * DAY, "2026-118 Müller [VIP]")
    free = [FreeRoom(number, here.desk.store.rooms[number].capacity >= 2) for number in numbers]
    here.app.push_screen(TakenDialog([way], free, shifts=True))


async def search(here: Running) -> None:
    name = a_stay(here, Status.CONFIRMED).last_name
    await here.pilot.press("slash")
    await here.fill("Input", name)


async def go_to_date(here: Running) -> None:
    await here.pilot.press("g", "2", "4", ".", "1", "2", ".")


async def chart_filter(here: Running) -> None:
    await here.pilot.press("f")


async def confirm_leave(here: Running) -> None:
    await booking_edit(here)
    form = here.app.screen.query_one("BookingForm")
    form.field("notes").editor_widget.focus()  # type: ignore[attr-defined]
    await here.pilot.press("x")
    await here.pilot.press("escape")
