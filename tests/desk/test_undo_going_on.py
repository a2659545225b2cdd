"""Strg+Z beyond a change that cannot be taken back: first why, then the one before; Strg+Y likewise."""

from __future__ import annotations

from dpolg_tui.desk import Desk
from dpolg_tui.desk.undo import NOTHING_MORE
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Kind
from tests.databases import TestDatabase
from tests.desk.two import Two
from tests.tui.forms_house import signed_in


async def city(desk: Desk, guest: int, before: str | None, after: str | None) -> None:
    await desk.guests.save(guest, {"city": Change(before, after)})


async def cities(two: Two) -> list[str | None]:
    return [(await two.anna.guests.get(guest)).city for guest in (two.house.huber, two.house.yilmaz)]


async def test_the_second_time_goes_on_to_the_change_before(two: Two) -> None:
    anna, house = two.anna, two.house
    await anna.guests.save(house.yilmaz, {"notes": Change(None, "Hund")})
    await city(anna, house.huber, "Ulm", "Rosenheim")
    await anna.guests.save(house.yilmaz, {"phone": Change("0123 456", "0800 1")})
    await two.ben.guests.save(house.yilmaz, {"phone": Change("0800 1", "0800 2")})
    blocked, huber, notes = anna.undo.entries[:3]
    told = await anna.undo.undo()
    assert (told.done, told.instead) == (False, huber.words)
    assert "Ben Beispiel hat Telefon (jetzt 0800 2) inzwischen geändert" in told.sentence
    told = await anna.undo.undo()
    assert (told.done, told.sentence) == (
        True,
        f"Zurückgenommen: {huber.words} („{blocked.words}“ bleibt)",
    )
    assert (await anna.undo.undo()).sentence.startswith(f"Zurückgenommen: {notes.words}")
    assert [entry.taken_back for entry in anna.undo.entries[:3]] == [False, True, True]
    assert await cities(two) == ["Ulm", None]
    assert (await anna.undo.redo()).sentence == f"Wiederhergestellt: {notes.words}"
    assert (await anna.undo.undo()).done
    # Something else is in the way now: that is told before anything else happens.
    await two.ben.guests.save(house.yilmaz, {"phone": Change("0800 2", "0800 3")})
    told = await anna.undo.undo()
    assert not told.done
    assert "(jetzt 0800 3)" in told.sentence
    # Nothing is in the way any more: the newest is meant again.
    await two.ben.guests.save(house.yilmaz, {"phone": Change("0800 3", "0800 1")})
    assert (await anna.undo.undo()).sentence == f"Zurückgenommen: {blocked.words}"
    assert (await anna.guests.get(house.yilmaz)).phone == "0123 456"


async def test_after_a_new_change_it_is_said_again(two: Two) -> None:
    anna, house = two.anna, two.house
    await city(anna, house.huber, "Ulm", "Rosenheim")
    await city(two.ben, house.huber, "Rosenheim", "Passau")
    assert (await anna.undo.undo()).instead == anna.undo.entries[1].words
    await anna.guests.save(house.yilmaz, {"notes": Change(None, "Hund")})
    assert (await anna.undo.undo()).done
    told = await anna.undo.undo()
    assert (told.done, "Passau" in told.sentence) == (False, True)


async def test_what_the_change_in_the_way_is_built_on_is_passed_over_too(two: Two) -> None:
    anna, house = two.anna, two.house
    await anna.guests.save(house.yilmaz, {"notes": Change(None, "Hund")})
    booking = await two.book()
    await anna.bookings.save(booking, {"notes": Change(None, "spät")})
    await two.ben.bookings.save(booking, {"notes": Change("spät", "früh")})
    changed, made, guest = anna.undo.entries[:3]
    assert (await anna.undo.undo()).instead == guest.words
    assert (await anna.undo.undo()).sentence.startswith(f"Zurückgenommen: {guest.words}")
    assert not anna.undo.last_changes.entries[-2].taken_back
    assert [changed.number, made.number] == [entry.number for entry in anna.undo.last_changes.to_undo()[:2]]


async def test_at_the_end_it_says_that_there_is_nothing_before(two: Two) -> None:
    anna, house = two.anna, two.house
    anna.undo.clear()
    await city(anna, house.huber, "Ulm", "Rosenheim")
    await city(two.ben, house.huber, "Rosenheim", "Passau")
    told = await anna.undo.undo()
    assert (told.done, told.instead) == (False, "")
    assert (await anna.undo.undo()).sentence == NOTHING_MORE
    assert (await cities(two))[0] == "Passau"


async def test_doing_again_goes_on_as_well(two: Two) -> None:
    anna, house = two.anna, two.house
    await city(anna, house.huber, "Ulm", "Rosenheim")
    await anna.guests.save(house.yilmaz, {"notes": Change(None, "Hund")})
    for _ in range(2):
        assert (await anna.undo.undo()).done
    await city(two.ben, house.huber, "Ulm", "Passau")
    notes = anna.undo.entries[0]
    told = await anna.undo.redo()
    assert (told.done, told.instead) == (False, notes.words)
    assert (await anna.undo.redo()).sentence.startswith(f"Wiederhergestellt: {notes.words}")
    assert (await anna.guests.get(house.yilmaz)).notes == "Hund"


async def test_what_never_comes_back_is_said_once_and_passed_over(database: TestDatabase) -> None:
    async with signed_in(database, "admin") as admin:
        guest = await admin.guests.create({"last_name": "Weber", "first_name": "Ilse"})
        made = await admin.rooms.create({"name": "7", "category": "DZ", "place": "Lenggries", "capacity": 2})
        await admin.rooms.save(made.id or 0, {"key_code": Change(None, "4711")})
        await admin.rooms.save(made.id or 0, {"key_code": Change(None, "4712")})
        told = await admin.undo.undo()
        assert (told.done, told.instead) == (False, "Gast Weber, Ilse angelegt")
        assert "Schlüsselcode" in told.sentence
        room = admin.undo.entries[2]
        assert "und bleibt: der frühere Schlüsselcode" in (await admin.undo.undo(room.number)).sentence
        assert (await admin.undo.undo()).done
        assert await admin.guests.search("Weber") == []
        assert (made.id in admin.store.rooms, guest.id is not None) == (True, True)


async def test_what_a_colleague_had_made_so_already_is_not_mine_to_take_back(two: Two) -> None:
    anna, ben, huber = two.anna, two.ben, two.house.huber
    block = await anna.blocks.create(two.house.single, two.day(3), two.day(5), Kind.OUT_OF_ORDER, "Bad")
    await ben.guests.save(huber, {"city": Change("Ulm", "Bonn")})
    await ben.blocks.save(block.id or 0, {"reason": Change("Bad", "Dach")})
    known = anna.undo.entries
    await city(anna, huber, "Ulm", "Bonn")
    await anna.blocks.save(block.id or 0, {"reason": Change("Bad", "Dach")})
    assert anna.undo.entries == known
    await anna.guests.save(huber, {"city": Change("Ulm", "Bonn"), "notes": Change(None, "Hund")})
    await city(ben, huber, "Bonn", "Passau")
    assert (await anna.undo.undo()).done
    guest = await anna.guests.get(huber)
    assert (guest.city, guest.notes) == ("Passau", None)
