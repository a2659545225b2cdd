"""The same user at two desks of one computer: each keeps its own drafts."""

from __future__ import annotations

from dpolg_tui.desk.drafts import Draft
from tests.databases import TestDatabase
from tests.tui.forms_house import signed_in


def draft(title: str) -> Draft:
    return Draft("guest", None, title, {"last_name": title}, id=title)


async def test_a_second_desk_is_not_offered_what_is_open_at_the_first(database: TestDatabase) -> None:
    async with signed_in(database, "anna") as one:
        one.drafts.keep([draft("at the first")])
        async with signed_in(database, "anna") as two:
            assert two.drafts.load() == ()
            two.drafts.keep([draft("at the second")])
        one.drafts.keep([draft("at the first"), draft("more")])
    async with signed_in(database, "anna") as next_day:
        assert {one.title for one in next_day.drafts.load()} == {"at the first", "more", "at the second"}
        next_day.drafts.decided()
        next_day.drafts.keep(())
    async with signed_in(database, "anna") as day_after:
        assert day_after.drafts.load() == ()


async def test_a_desk_that_signs_in_again_is_not_offered_what_is_still_open_there(
    database: TestDatabase,
) -> None:
    async with signed_in(database, "anna") as one, signed_in(database, "anna") as two:
        two.drafts.keep([draft("at the second")])
        await one.logout()
        someone = database.users["anna"]
        await one.login(someone.username, someone.password)
        assert one.drafts.load() == ()


async def test_forms_kept_before_the_user_was_asked_do_not_lose_those_of_the_last_time(
    database: TestDatabase,
) -> None:
    async with signed_in(database, "anna") as one:
        one.drafts.keep([draft("killed")])
    async with signed_in(database, "anna") as next_day:
        # The timer of the program may fire before the question is on the screen, with nothing open.
        next_day.drafts.keep(())
        assert [one.title for one in next_day.drafts.pending] == ["killed"]
    async with signed_in(database, "anna") as day_after:
        assert [one.title for one in day_after.drafts.load()] == ["killed"]
