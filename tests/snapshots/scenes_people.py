"""How to get to guests, users, the audit log and what opens over them."""

from __future__ import annotations

from datetime import UTC, datetime

from dpolg_tui.desk.events import PresenceChanged
from dpolg_tui.domain.models import Status
from dpolg_tui.domain.people import Presence
from tests.snapshots.opening import a_stay
from tests.snapshots.scenes_chart import booking_edit
from tests.tui.desk_app import Running


async def guests(here: Running) -> None:
    await here.pilot.press("f4")


async def guest_form(here: Running) -> None:
    from dpolg_tui.tui.dialogs.guest import GuestDialog

    here.app.push_screen(GuestDialog(a_stay(here, Status.CONFIRMED).guest_id))


async def guest_new(here: Running) -> None:
    await guests(here)
    await here.pilot.pause(0.2)
    await here.pilot.press("n")


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
    booking, since = a_stay(here, Status.CONFIRMED).booking_id, datetime(2026, 11, 21, 7, 4, tzinfo=UTC)
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
