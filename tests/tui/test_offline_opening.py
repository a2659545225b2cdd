"""Forms without a line: what is known here opens, and what cannot be done is refused at once."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from textual.screen import Screen

from dpolg_tui.desk.bookings import NOT_READ as BOOKING_NOT_READ
from dpolg_tui.desk.guests import NOT_READ as GUEST_NOT_READ
from dpolg_tui.tui.app import DeskApp
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.screens.chart import ChartScreen
from dpolg_tui.tui.screens.guests import GuestsScreen
from tests.databases import TestDatabase
from tests.tui.forms_house import Desks
from tests.tui.offline_desk import cut_off, offline


async def guest_list(desks: Desks) -> GuestsScreen:
    screen = GuestsScreen()
    desks.here.app.push_screen(screen)
    await desks.here.sees("Huber, Anton")
    return screen


async def made_here(desks: Desks, screen: GuestsScreen) -> None:
    """A guest made without a line, marked in the list."""
    await desks.press("n")
    await desks.here.until(lambda: isinstance(desks.screen, GuestDialog), "form")
    await desks.type_into("last_name", "Neumann")
    await desks.press("ctrl+s")
    await desks.toast("Gast vorgemerkt")
    await desks.here.until(lambda: desks.screen is screen, "list")
    await desks.here.until(lambda: screen.table.record_id == -1, "marked")


async def test_a_guest_made_without_a_line_opens_from_the_list(database: TestDatabase) -> None:
    async with cut_off(database) as (desks, proxy):
        screen = await guest_list(desks)
        await offline(desks, proxy)
        await made_here(desks, screen)
        await desks.press("enter")
        await desks.here.until(lambda: isinstance(desks.screen, GuestDialog), "opened")
        await desks.here.until(lambda: desks.form.ready, "form")
        assert desks.form.values()["last_name"] == "Neumann"


async def test_a_guest_who_is_not_queued_any_more_leaves_the_list_and_says_so(
    database: TestDatabase,
) -> None:
    async with cut_off(database) as (desks, proxy):
        screen = await guest_list(desks)
        await offline(desks, proxy)
        await made_here(desks, screen)
        desks.here.desk.outbox.take_back_last()
        screen.open_record(-1)  # Enter, before the list has followed
        await desks.toast("nicht mehr vorgemerkt")
        assert desks.screen is screen
        await desks.here.until(lambda: screen.table.row_count == 2, "gone")


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Screen[Any]]:
    """Every screen that the application opens, in its order."""
    screens: list[Screen[Any]] = []
    push = DeskApp.push_screen

    def noted(app: DeskApp, screen: Any, *args: Any, **options: Any) -> Any:
        screens.append(screen)
        return push(app, screen, *args, **options)

    monkeypatch.setattr(DeskApp, "push_screen", noted)
    return screens


async def test_a_record_that_was_never_read_is_refused_before_its_form_opens(
    database: TestDatabase, opened: list[Screen[Any]]
) -> None:
    async with cut_off(database) as (desks, proxy):
        desk = desks.here.desk
        day = desk.today()
        stay = {"room_id": desks.house.single, "arrival": day, "departure": day + timedelta(3)}
        booked = await desks.ben.bookings.create(
            {"guest_id": desks.house.huber, "persons": 1, "stay/new": stay}
        )
        await desks.here.until(lambda: bool(desk.store.of_booking(booked.id or 0)), "bar")
        chart = desks.screen
        assert isinstance(chart, ChartScreen)
        assert chart.chart.jump_to(desk.store.of_booking(booked.id or 0)[0].id)
        await offline(desks, proxy)
        await desks.press("enter")
        await desks.toast(BOOKING_NOT_READ)
        assert not [screen for screen in opened if isinstance(screen, BookingScreen)]


async def test_a_guest_that_was_never_read_is_refused_in_the_list(
    database: TestDatabase, opened: list[Screen[Any]]
) -> None:
    async with cut_off(database) as (desks, proxy):
        screen = await guest_list(desks)
        await offline(desks, proxy)
        screen.table.go_to(desks.house.huber)
        await desks.press("enter")
        await desks.toast(GUEST_NOT_READ)
        assert not [one for one in opened if isinstance(one, GuestDialog)]


async def test_a_save_that_nobody_keeps_leaves_the_form_open(database: TestDatabase) -> None:
    async with cut_off(database, queue=False) as (desks, proxy):
        dialog = GuestDialog()
        await desks.open(dialog)
        await offline(desks, proxy)
        await desks.type_into("last_name", "Neumann")
        await desks.press("ctrl+s")
        await desks.toast("Nicht gespeichert: ")
        assert desks.screen is dialog
        assert desks.form.values()["last_name"] == "Neumann"
