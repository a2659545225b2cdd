"""A killed program: what was being saved is done once, and no form is offered that is saved or queued."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.desk.drafts import Draft
from dpolg_tui.desk.offline import State, saving
from tests.databases import TestDatabase
from tests.desk.offline import count, cut, desk_through, queue_file
from tests.desk.two import until
from tests.tui.desk_app import config_for
from tools.wire_proxy import wire_proxy

FORM = "a form"


def drafts_file(desk: Desk) -> Path:
    return queue_file(desk).parent.parent / "drafts" / queue_file(desk).name


async def create(desk: Desk) -> None:
    with saving(FORM):
        await desk.guests.create({"last_name": "Neumann"})


def states(file: Path) -> list[str]:
    return [one["state"] for one in json.loads(file.read_text())["writes"]]


@pytest.mark.parametrize("answered", [False, True])
async def test_killed_in_the_middle_of_a_create(database: TestDatabase, answered: bool) -> None:
    async with wire_proxy(config_for(database).database.hosts[0]) as proxy:
        async with desk_through(database, proxy) as anna:
            anna.drafts.keep([Draft("guest", None, "Neuer Gast", id=FORM)])
            if answered:
                proxy.lose_answer_to(b"Neumann")  # it has happened
            else:
                proxy.fall_silent()  # it never arrives
            making = asyncio.create_task(create(anna))
            await until(lambda: queue_file(anna).exists() and anna.outbox.under_way)
            if answered:
                await until(lambda: proxy.answers_lost)
            assert states(queue_file(anna)) == [State.UNKNOWN]
            left = {file: file.read_text() for file in (queue_file(anna), drafts_file(anna))}
            making.cancel()
            await asyncio.gather(making, return_exceptions=True)
            proxy.cut()
            proxy.speak()
            await cut(anna, proxy)
        for file, text in left.items():  # as the killed program left them
            file.write_text(text)
        await proxy.accept()
        async with desk_through(database, proxy) as anna:
            await until(lambda: not anna.outbox.items, 20)
            assert anna.drafts.load() == ()
    assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1


async def test_what_is_saved_or_queued_has_no_draft_any_more(database: TestDatabase) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy) as anna,
    ):
        other = Draft("guest", None, "Neuer Gast", id="another form")
        for offline in (False, True):
            if offline:
                await cut(anna, proxy)
            anna.drafts._saved.clear()
            anna.drafts.keep([Draft("guest", None, "Neuer Gast", id=FORM), other])
            await create(anna)
            assert [one["id"] for one in json.loads(drafts_file(anna).read_text())["forms"]] == [other.id]
            anna.drafts.keep([Draft("guest", None, "Neuer Gast", id=FORM), other])
            assert [one["id"] for one in json.loads(drafts_file(anna).read_text())["forms"]] == [other.id]


async def test_a_program_that_is_ended_keeps_what_it_is_saving(database: TestDatabase) -> None:
    async with wire_proxy(config_for(database).database.hosts[0]) as proxy:
        async with desk_through(database, proxy) as anna:
            proxy.fall_silent()
            making = asyncio.create_task(create(anna))
            await until(lambda: anna.outbox.under_way)
            anna.outbox.keep_under_way()
            making.cancel()  # as the workers of a program that ends
            await asyncio.gather(making, return_exceptions=True)
            assert states(queue_file(anna)) == [State.UNKNOWN]
            proxy.cut()
            proxy.speak()
        async with desk_through(database, proxy) as anna:
            await until(lambda: not anna.outbox.items, 20)
    assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1


async def test_what_is_being_sent_is_unknown_to_whoever_reads_the_file(database: TestDatabase) -> None:
    async with (
        wire_proxy(config_for(database).database.hosts[0]) as proxy,
        desk_through(database, proxy) as anna,
    ):
        await cut(anna, proxy)
        await create(anna)
        assert states(queue_file(anna)) == [State.WAITING]
        proxy.lose_answer_to(b"Neumann")
        await proxy.accept()
        await until(lambda: proxy.answers_lost, 20)
        assert states(queue_file(anna)) == [State.UNKNOWN]
        assert not (await anna.undo.undo()).done
        await until(lambda: not anna.outbox.items, 20)
        assert await count(database, "app.guests WHERE last_name = 'Neumann'") == 1
