"""Header and footer: what they say and what they leave out when it gets narrow."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dpolg_tui.domain.german import format_date, today
from dpolg_tui.tui.widgets.footer import DeskFooter
from dpolg_tui.tui.widgets.header import Parts
from tests.databases import Server, TestDatabase
from tests.tui.desk_app import Running, config_for, running

PARTS = Parts(
    place="Belegungsplan",
    middle="Sa 21.11.2026",
    name="Angemeldet als: Anna Adler",
    initials="aa",
    others="(+2: bb cc)",
    count="(+2)",
    connection=("● verbunden", ""),
)


def painted(width: int, parts: Parts = PARTS) -> str:
    """The line that the header chooses for a width, without its padding."""
    words, _colour = parts.connection
    for left, items in parts.layouts(width):
        line = f" {left}  {'  '.join(item for item in items if item)}  {words} "
        if len(line) <= width:
            return line
    return ""


@pytest.mark.parametrize("width", [100, 120, 160])
def test_wide_headers_write_names_out(width: int) -> None:
    line = painted(width)
    if width >= 120:
        assert "Angemeldet als: Anna Adler" in line
    assert "(+2: bb cc)" in line


def test_eighty_columns_have_initials_of_everybody() -> None:
    line = painted(80)
    assert "Belegungsplan" in line
    assert " aa  (+2: bb cc)  ● verbunden" in line


@pytest.mark.parametrize("width", range(40, 200, 7))
def test_place_and_connection_are_always_there(width: int) -> None:
    assert "Belegungsplan" in painted(width)
    assert "● verbunden" in painted(width)


@pytest.mark.parametrize("width", [80, 100, 160])
def test_what_takes_long_is_said_where_there_is_little_room_too(width: int) -> None:
    words = "Zum Balken springen … (Strg+C bricht ab)"
    offline = replace(
        PARTS,
        place="Belegungsplan (Stand 08:13)",
        middle=words,
        busy=words,
        saved=("✓ gespeichert", "✓"),
        connection=("○ offline seit 08:13", ""),
    )
    assert words in painted(width, offline)


def first_line(desk: Running) -> str:
    return desk.text().splitlines()[0]


async def test_colleagues_appear_in_the_header(database: TestDatabase) -> None:
    anna, ben = database.users["anna"], database.users["ben"]
    async with running(config_for(database), size=(160, 50)) as desk:
        await desk.sign_in(anna.username, anna.password)
        # Where the machine is slow, the header says "Anmelden …" in place of the day at first.
        await desk.until(lambda: format_date(today()) in first_line(desk), "today")
        await desk.until(lambda: "● verbunden" in first_line(desk), "connection")
        line = first_line(desk)
        assert "DPolG Buchungssystem · Belegungsplan" in line
        assert "Angemeldet als: Anna Beispiel" in line
        assert "(+" not in line
        async with running(config_for(database)) as colleague:
            await colleague.sign_in(ben.username, ben.password)
            await desk.until(lambda: "(+1: bb)" in first_line(desk), "initials of the colleague")
            await colleague.until(lambda: " bb  (+1: ab)" in first_line(colleague), "initials")


async def test_footer_keeps_help_and_fits(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        last = desk.text().splitlines()[-1]
        assert "F1 Hilfe" in last
        assert len(last) <= 80


async def test_footer_is_clickable(database: TestDatabase) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        footer = desk.app.screen.query_one(DeskFooter)
        x = desk.text().splitlines()[-1].index("F1 Hilfe")
        await desk.pilot.click(footer, offset=(x + 1, 0))
        await desk.sees("Hilfe: Belegungsplan")


async def test_a_lost_connection_is_shown_and_comes_back_by_itself(
    database: TestDatabase, server: Server
) -> None:
    async with running(config_for(database)) as desk:
        await desk.sign_in("anna", database.users["anna"].password)
        await desk.until(lambda: "● verbunden" in first_line(desk), "connection")
        server.execute(
            f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS false',
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database.name}'",
        )
        await desk.until(lambda: "○ offline seit" in first_line(desk), "offline")
        await desk.sees("Verbindungsfehler")
        desk.app.clear_notifications()
        server.execute(f'ALTER DATABASE "{database.name}" ALLOW_CONNECTIONS true')
        await desk.until(lambda: "● verbunden" in first_line(desk), "connection again")
        await desk.sees("Echtzeit-Sync verbunden")
