"""Accounts, sessions and places between desks, on real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from dpolg_tui.desk import Desk
from dpolg_tui.desk.events import DeskEvent, RecordChanged, SessionLost
from dpolg_tui.domain.errors import NotAllowed, RecordMissing, RuleViolated
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Outcome, Role
from dpolg_tui.domain.people import Account
from tests.databases import TestDatabase
from tests.desk.two import until
from tests.tui.desk_app import config_for
from tests.tui.forms_house import signed_in


@dataclass
class Office:
    """An admin and a colleague, and what they heard."""

    admin: Desk
    anna: Desk
    heard: list[DeskEvent]
    """By anna."""

    async def account(self, username: str) -> Account:
        return next(one for one in await self.admin.people.users() if one.username == username)

    def lost(self) -> list[str]:
        return [event.reason for event in self.heard if isinstance(event, SessionLost)]


@pytest.fixture
async def office(database: TestDatabase) -> AsyncIterator[Office]:
    async with AsyncExitStack() as stack:
        admin = await stack.enter_async_context(signed_in(database, "admin"))
        anna = await stack.enter_async_context(signed_in(database, "anna"))
        heard: list[DeskEvent] = []
        anna.subscribe(heard.append)
        await until(lambda: admin.present)
        yield Office(admin, anna, heard)


async def test_a_new_colleague_signs_in_with_what_was_shown(office: Office, database: TestDatabase) -> None:
    told: list[DeskEvent] = []
    office.admin.subscribe(told.append)
    result, password = await office.admin.people.create({"username": "Zoë", "role": Role.ADMIN})
    assert result.outcome is Outcome.DONE
    assert [(e.kind, e.action, e.own) for e in told if isinstance(e, RecordChanged)] == [
        ("user", "created", True)
    ]
    await until(lambda: result.id in office.anna.store.colleagues)
    assert [(e.kind, e.own) for e in office.heard if isinstance(e, RecordChanged)] == [("user", False)]
    zoe = Desk(config_for(database))
    zoe.start()
    assert (await zoe.login("zoë", password)).must_change_password
    # Until the password is changed colleagues do not see where she is, and nothing asks for it.
    zoe.people.here("Belegungsplan")
    await zoe.change_password(password, "drei grüne Tannen")
    await until(
        lambda: [one.screen for one in office.anna.present if one.user_id == result.id] == ["Belegungsplan"]
    )
    second = await office.admin.people.reset_password(result.id or 0)
    assert second != password
    await zoe.close()
    with pytest.raises(RuleViolated) as own:
        await office.admin.people.reset_password((await office.account("admin")).id)
    assert own.value.constraint == "users_own_password"
    with pytest.raises(RecordMissing):
        await office.admin.people.lift_lock(99_999)
    for call in (office.anna.people.users(), office.anna.people.create({"username": "x"})):
        with pytest.raises(NotAllowed):
            await call


async def test_a_deactivated_colleague_hears_why_at_once(office: Office, database: TestDatabase) -> None:
    anna = await office.account("anna")
    result = await office.admin.people.save(anna.id, {"active": Change(True, False)})
    assert result.outcome is Outcome.DONE
    await until(office.lost, limit=3)
    assert office.lost() == [
        "Ihr Zugang wurde deaktiviert. Nichts Eingegebenes ist verloren: bitte einen Admin fragen."
    ]
    await office.admin.people.save(anna.id, {"active": Change(False, True), "role": Change("user", "admin")})
    await office.anna.unlock(database.users["anna"].password)
    assert office.anna.user is not None
    assert office.anna.user.role is Role.ADMIN
    await until(lambda: [one.user_id for one in office.admin.present] == [anna.id])
    # A new name reaches the own header too.
    await office.admin.people.save(anna.id, {"full_name": Change("Anna Beispiel", "Anna Muster")})
    await until(lambda: office.anna.user and office.anna.user.display_name == "Anna Muster")


async def test_sessions_are_ended_from_another_desk(office: Office, database: TestDatabase) -> None:
    anna = await office.account("anna")
    async with signed_in(database, "anna") as other:
        own = await other.people.sessions(anna.id)
        assert [session.own for session in own] == [True, False]
        assert (await office.account("anna")).open_sessions == 2
        await until(lambda: [one.own for one in other.present if one.user_id == anna.id] == [True])
        assert (await other.people.end_session(own[1].id)).outcome is Outcome.DONE
        await until(office.lost, limit=3)
        assert "von einem anderen aus abgemeldet" in office.lost()[0]
        assert (await other.people.end_session(own[1].id)).outcome is Outcome.MISSING
        with pytest.raises(RuleViolated):
            await other.people.end_session(own[0].id)
        with pytest.raises(NotAllowed):
            await other.people.end_sessions((await office.account("admin")).id)
        await until(lambda: len(office.admin.present) == 1)
        assert (await office.admin.people.end_sessions(anna.id)).outcome is Outcome.DONE
        await until(lambda: not office.admin.present)


async def test_where_colleagues_are(office: Office, database: TestDatabase) -> None:
    for number in range(30):
        office.anna.people.here("Buchung", number)
    await until(lambda: office.admin.editing(29))
    (one,) = office.admin.editing(29)
    assert (one.display_name, one.initials, one.screen, one.own) == ("Anna Beispiel", "ab", "Buchung", False)
    assert office.admin.editing(28) == ()
    # A new session under a new token: the place is told again.
    await office.anna.unlock(database.users["anna"].password)
    await until(lambda: office.admin.editing(29))
    office.anna.people.here("Gäste")
    await until(lambda: [one.screen for one in office.admin.present] == ["Gäste"])
    assert office.admin.editing(29) == ()
    await office.anna.logout()
    await until(lambda: not office.admin.present)
    # Who sits down next is not where somebody else was.
    await office.anna.login("ben", database.users["ben"].password)
    await until(lambda: office.admin.present)
    assert [(one.initials, one.screen) for one in office.admin.present] == [("bb", None)]


async def test_the_same_name_in_two_forms(office: Office) -> None:
    """Two admins' worth of changes merge by field; the same field is asked."""
    anna = await office.account("anna")
    known = {"full_name": anna.full_name, "email": anna.email}
    await office.admin.people.save(anna.id, {"email": Change(anna.email, "neu@example.org")})
    merged = await office.admin.people.save(anna.id, {"full_name": Change(anna.full_name, "A. B.")}, known)
    assert merged.merged == ("email",)
    conflict = await office.admin.people.save(anna.id, {"email": Change(anna.email, "alt@example.org")})
    assert conflict.outcome is Outcome.CONFLICT
    assert [one.theirs for one in conflict.conflicts] == ["neu@example.org"]
    assert conflict.changed_by == "Admin Beispiel"
