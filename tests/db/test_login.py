"""Signing in against the real functions; what the client refuses by itself."""

from __future__ import annotations

import asyncio
import hashlib
import unicodedata

import asyncpg
import pytest

from dpolg_tui.db.accounts import NewUser, create_user
from dpolg_tui.db.connection import Database, new_client_id, new_token, token_hash
from dpolg_tui.db.login import (
    STATEMENTS,
    Parameters,
    change_password,
    derive_tag,
    login,
    logout,
    normalise_password,
    read_challenge,
    verifier,
)
from dpolg_tui.domain.errors import (
    Deactivated,
    DomainError,
    LoginFailed,
    MustChangePassword,
    NotAllowed,
    RuleViolated,
    SessionEnded,
    Unreachable,
)
from dpolg_tui.domain.models import Role
from tests.databases import TestDatabase, TestUser
from tools.wire_proxy import WireProxy

CHEAP = Parameters(memory_kib=19_456, iterations=2, parallelism=1)


@pytest.fixture
def anna(database: TestDatabase) -> TestUser:
    return database.users["anna"]


@pytest.mark.both_versions
async def test_login_opens_a_session(desk: Database, anna: TestUser) -> None:
    with pytest.raises(SessionEnded):
        await desk.call("app.heartbeat", None)
    user = await login(desk, " ANNA ", anna.password)
    assert (user.username, user.role, user.must_change_password) == ("anna", Role.USER, False)
    assert user.display_name == "Anna Beispiel"
    answer = await desk.call("app.heartbeat", None)
    assert [person["user_id"] for person in answer["present"]] == [user.id]


async def test_login_is_two_round_trips_on_a_warm_connection(
    desk: Database, proxy: WireProxy, anna: TestUser
) -> None:
    desk.warm(*STATEMENTS)
    desk.start()
    await desk.wait_warm()
    proxy.reset()
    await login(desk, "anna", anna.password)
    assert proxy.traffic.round_trips == 2


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("anna", "wrong"),
        ("nobody", "whatever"),
        ("anna", ""),
        ("", "x"),
        ("a" * 5000, "x"),
        ("an\nna' OR 1=1 --", "x"),
        ("[b]anna[/b] 😀", "x"),
    ],
)
async def test_one_message_for_every_failure(desk: Database, name: str, password: str) -> None:
    with pytest.raises(LoginFailed) as failure:
        await login(desk, name, password)
    assert failure.value.message == LoginFailed().message
    assert not desk.signed_in


async def test_deactivated_only_after_the_right_password(
    desk: Database, database: TestDatabase, anna: TestUser
) -> None:
    superuser = await asyncpg.connect(database.superuser_dsn)
    await superuser.execute("UPDATE auth.users SET active = false WHERE username = 'anna'")
    await superuser.close()
    with pytest.raises(LoginFailed):
        await login(desk, "anna", "wrong")
    with pytest.raises(Deactivated):
        await login(desk, "anna", anna.password)


async def test_logout_ends_the_session_and_leaves_a_new_token(desk: Database, anna: TestUser) -> None:
    await login(desk, "anna", anna.password)
    token = desk.token
    await logout(desk)
    assert desk.token != token
    with pytest.raises(SessionEnded):
        await desk.call("app.heartbeat", None)
    await login(desk, "anna", anna.password)
    await desk.call("app.heartbeat", None)


async def test_unlocking_keeps_the_old_session_until_the_new_one_exists(
    desk: Database, anna: TestUser
) -> None:
    await login(desk, "anna", anna.password)
    token = desk.token
    with pytest.raises(LoginFailed):
        await login(desk, "anna", "wrong")
    assert desk.token == token
    await desk.call("app.heartbeat", None)
    await login(desk, "anna", anna.password)
    assert desk.token != token
    await desk.call("app.heartbeat", None)


async def test_calls_during_unlocking_do_not_fail(desk: Database, anna: TestUser) -> None:
    await login(desk, "anna", anna.password)
    stop = False

    async def work() -> int:
        calls = 0
        while not stop:
            await desk.call("app.heartbeat", None)
            calls += 1
        return calls

    working = asyncio.create_task(work())
    for _ in range(3):
        await login(desk, "anna", anna.password)
    stop = True
    assert await working > 0


@pytest.mark.both_versions
async def test_change_of_password(desk: Database, anna: TestUser) -> None:
    await login(desk, "anna", anna.password)
    with pytest.raises(LoginFailed, match="bisherige"):
        await change_password(desk, "anna", "wrong", "new password", CHEAP)
    await change_password(desk, "anna", anna.password, "neues Paßwort", CHEAP)
    await desk.call("app.heartbeat", None)
    await logout(desk)
    with pytest.raises(LoginFailed):
        await login(desk, "anna", anna.password)
    await login(desk, "anna", unicodedata.normalize("NFD", "neues Paßwort"))


async def test_given_password_must_be_changed_first(desk: Database, database: TestDatabase) -> None:
    new = NewUser("Zoë Öztürk", "first-one", "Zoë Öztürk", parameters=CHEAP)
    await create_user(database.owner_dsn, new)
    user = await login(desk, "zoë öztürk", "first-one")
    assert user.must_change_password
    with pytest.raises((MustChangePassword, NotAllowed)):
        await desk.call("app.heartbeat", None)
    await change_password(desk, user.username, "first-one", "second-one", CHEAP)
    await desk.call("app.heartbeat", None)


async def test_user_names_are_unique_whatever_their_case(database: TestDatabase) -> None:
    owner = await asyncpg.connect(database.owner_dsn)
    try:
        with pytest.raises(RuleViolated) as failure:
            await create_user(owner, NewUser("Anna", "x", parameters=CHEAP))
        assert failure.value.field == "username"
        assert await create_user(owner, NewUser("annabell", "x", role=Role.ADMIN, parameters=CHEAP)) > 0
    finally:
        await owner.close()


@pytest.mark.both_versions
async def test_lost_answer_of_a_login(
    desk: Database, proxy: WireProxy, anna: TestUser, database: TestDatabase
) -> None:
    """The session exists, but nobody here knows; the next attempt must work all the same."""
    proxy.lose_answer_to(desk.client.encode())
    with pytest.raises(Unreachable, match="Anmeldung"):
        await login(desk, "anna", anna.password)
    assert not desk.signed_in
    await login(desk, "anna", anna.password)
    await desk.call("app.heartbeat", None)
    superuser = await asyncpg.connect(database.superuser_dsn)
    open_sessions = await superuser.fetchval("SELECT count(*) FROM auth.sessions WHERE ended_at IS NULL")
    await superuser.close()
    assert open_sessions == 1


async def test_lost_answer_of_a_change_of_password(desk: Database, proxy: WireProxy, anna: TestUser) -> None:
    await login(desk, "anna", anna.password)
    _, salt = read_challenge(await desk.call("app.login_challenge", "anna"))
    old_tag = await derive_tag(anna.password, salt, CHEAP)
    proxy.lose_answer_to(old_tag)
    await change_password(desk, "anna", anna.password, "neu und lang genug", CHEAP)
    await logout(desk)
    await login(desk, "anna", "neu und lang genug")


# -- what the client decides by itself -------------------------------------------------------------


@pytest.mark.parametrize(
    "changed",
    [
        {"memory_kib": 8},
        {"memory_kib": 19 * 1024 - 1},
        {"memory_kib": 256 * 1024 + 1},
        {"memory_kib": 4 * 1024 * 1024},
        {"iterations": 1},
        {"iterations": 11},
        {"parallelism": 0},
        {"parallelism": 9},
        {"salt": ""},
        {"salt": "00" * 8},
        {"salt": "no hex"},
        {"salt": None},
        {"memory_kib": "much"},
    ],
    ids=str,
)
def test_unsafe_challenges_are_refused(changed: dict[str, object]) -> None:
    sound = {"memory_kib": 65536, "iterations": 3, "parallelism": 4, "salt": "00" * 16}
    assert read_challenge(sound) == (Parameters(), bytes(16))
    with pytest.raises(LoginFailed, match="unsichere"):
        read_challenge({**sound, **changed})


async def test_tag_is_argon2id_of_the_normalised_password() -> None:
    tag = await derive_tag("Paßwort", bytes(16), CHEAP)
    assert len(tag) == 32
    assert verifier(tag) == hashlib.sha256(tag).digest()
    assert await derive_tag(unicodedata.normalize("NFD", "Paßwort"), bytes(16), CHEAP) == tag
    assert await derive_tag("Passwort", bytes(16), CHEAP) != tag
    assert normalise_password("a\u00a0b\u3000c") == b"a b c"
    # Compatibility forms stay apart: they are other keys.
    assert normalise_password("①") != normalise_password("1")


def test_tokens() -> None:
    token = new_token()
    assert len(bytes.fromhex(token)) == 32
    assert token != new_token()
    assert token_hash(token) == hashlib.sha256(token.encode()).digest()


def test_client_ids_are_what_the_database_takes() -> None:
    desk, _, host = new_client_id("Büro 1 / Empfang [x]").partition("#")
    assert len(desk) == 8
    assert host == "B-ro-1---Empfang--x-"
    assert new_client_id() != new_client_id()


async def test_nothing_secret_in_errors(desk: Database, anna: TestUser) -> None:
    with pytest.raises(DomainError) as failure:
        await login(desk, "anna", anna.password + "x")
    assert anna.password not in repr(failure.value)
    assert desk.token not in repr(failure.value)
    assert anna.password not in repr(NewUser("anna", anna.password))
