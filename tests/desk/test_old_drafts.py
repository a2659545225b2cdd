"""After a restore of the database what was typed before is offered too, and nothing of it is lost unsaid."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dpolg_tui import locations
from dpolg_tui.desk import Desk
from dpolg_tui.desk.drafts import Draft
from tests.databases import TestDatabase
from tests.desk.test_restored import restore
from tests.tui.desk_app import config_for
from tests.tui.forms_house import signed_in

NEUMANN = Draft("guest", None, "Neuer Gast", {"last_name": "Neumann"}, id="neumann")
HUBER = Draft("guest", 1, "Gast Huber", {"city": "Bonn"}, id="huber")


def file_of(desk: Desk) -> Path:
    assert desk.user is not None
    return locations.private_file("drafts", desk.instance, desk.user.id)


def files(desk: Desk) -> list[Path]:
    return sorted(file_of(desk).parent.glob("*.json"))


async def test_forms_of_before_are_offered_as_such_until_they_are_decided(database: TestDatabase) -> None:
    async with signed_in(database, "anna") as anna, signed_in(database, "anna") as second:
        anna.drafts.keep([NEUMANN])
        second.drafts.keep([HUBER])
        assert len(files(anna)) == 2
    async with signed_in(database, "ben") as ben:
        ben.drafts.keep([replace(NEUMANN, id="of ben")])
    await restore(database)
    async with signed_in(database, "anna") as anna:
        assert {one.id for one in anna.drafts.pending} == {"neumann", "huber"}
        assert all(one.old for one in anna.drafts.pending)
        assert len(files(anna)) == 2, "now anna's are in one file of the restored one; ben's stay"
    async with signed_in(database, "anna") as anna:
        assert all(one.old for one in anna.drafts.pending), "not yet decided"
        anna.drafts.decided()
        anna.drafts.keep(())
    async with signed_in(database, "anna") as anna:
        assert anna.drafts.pending == ()
    async with signed_in(database, "ben") as ben:
        assert [one.id for one in ben.drafts.pending] == ["of ben"]


async def test_a_user_made_anew_after_the_restore_gets_them_by_name(database: TestDatabase) -> None:
    async with signed_in(database, "anna") as anna:
        anna.drafts.keep([NEUMANN])
        mine = file_of(anna)
        mine.rename(mine.with_stem(f"{anna.instance}-4711"))
    await restore(database)
    async with signed_in(database, "anna") as anna:
        assert [one.id for one in anna.drafts.pending] == ["neumann"]


async def test_a_form_that_is_open_at_this_desk_is_not_offered_to_it(database: TestDatabase) -> None:
    """The desk stayed open during the restore, with one form open and one not yet decided."""
    async with signed_in(database, "anna") as anna:
        anna.drafts.keep([HUBER])
    async with signed_in(database, "anna") as anna:
        anna.drafts.keep([NEUMANN])
        await restore(database)
        await anna.unlock(database.users["anna"].password)
        assert [one.id for one in anna.drafts.pending] == ["huber"]
        anna.drafts.keep([NEUMANN])
        assert len(files(anna)) == 1
    async with signed_in(database, "anna") as anna:
        assert {(one.id, one.old) for one in anna.drafts.pending} == {("huber", True), ("neumann", False)}


async def test_forms_for_another_server_are_named_and_left_there(database: TestDatabase) -> None:
    async with signed_in(database, "anna") as anna:
        anna.drafts.keep([NEUMANN])
        file = file_of(anna)
    await restore(database)
    config = config_for(database)
    [(_, port)] = config.database.hosts
    desk = Desk(replace(config, database=replace(config.database, hosts=(("localhost", port),))))
    desk.start()
    try:
        await desk.login(database.users["anna"].username, database.users["anna"].password)
        assert desk.drafts.pending == ()
        assert f"auf 127.0.0.1:{port}: bitte dort anmelden" in desk.drafts.problem
        assert file.exists()
    finally:
        await desk.close()


@pytest.mark.parametrize("text", ['[{"kind": "guest"}]', "", '{"forms": [{"other": 1}]}', '{"forms": 3}'])
async def test_what_cannot_be_read_is_put_aside_and_named(database: TestDatabase, text: str) -> None:
    async with signed_in(database, "anna") as anna:
        anna.drafts.keep([NEUMANN])
        file = file_of(anna)
    file.write_text(text)
    async with signed_in(database, "anna") as anna:
        [aside] = file.parent.glob("*.unlesbar-*")
        assert aside.read_text() == text
        assert str(aside) in anna.drafts.problem
        anna.drafts.keep([NEUMANN])
    async with signed_in(database, "anna") as anna:
        assert [one.id for one in anna.drafts.pending] == ["neumann"]


async def test_where_nothing_can_be_kept_it_is_said(database: TestDatabase, own_state: Path) -> None:
    (own_state / "drafts").touch()
    async with signed_in(database, "anna") as anna:
        assert anna.drafts.problem.startswith(
            "Nicht gespeicherte Eingaben lassen sich auf diesem Rechner nicht"
        )
        assert str(own_state / "drafts") in anna.drafts.problem
        anna.drafts.keep([NEUMANN])
    assert (own_state / "drafts").read_bytes() == b""


async def test_a_file_of_before_that_could_not_be_removed_offers_nothing_twice(
    database: TestDatabase,
) -> None:
    async with signed_in(database, "anna") as anna:
        anna.drafts.keep([NEUMANN])
        before = file_of(anna)
    text = before.read_text()
    await restore(database)
    async with signed_in(database, "anna"):
        assert not before.exists()
    before.write_text(text)
    async with signed_in(database, "anna") as anna:
        assert [one.id for one in anna.drafts.pending] == ["neumann"]


async def test_a_file_of_before_that_nobody_may_open_does_not_stop_others(database: TestDatabase) -> None:
    """As after the program ran once as root: its lock file is root's."""
    async with signed_in(database, "anna") as anna:
        anna.drafts.keep([NEUMANN])
        before = file_of(anna)
    lock = before.with_suffix(".lock")
    lock.unlink()
    lock.mkdir()
    await restore(database)
    async with signed_in(database, "anna") as anna:
        assert str(before) in anna.drafts.problem
        anna.drafts.keep([HUBER])
    async with signed_in(database, "anna") as anna:
        assert [one.id for one in anna.drafts.pending] == ["huber"]
    assert before.exists()
