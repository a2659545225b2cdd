"""Users: who may do what to whom, also two at the same moment and also as the owner."""

from __future__ import annotations

import asyncio
import os
import unicodedata
from collections.abc import Callable, Coroutine
from typing import Any
from uuid import uuid4

import asyncpg
import pytest

from tests.sql.people import ROUNDS, create, refused, reset, user_id
from tests.sql.stage import Desk, Stage, change, connected, new, open_session

pytestmark = pytest.mark.both_versions


async def second_admin(stage: Stage) -> Desk:
    await stage.superuser.execute("UPDATE auth.users SET role = 'admin' WHERE username = 'emil'")
    return await stage.desk("emil")


# -- accounts ------------------------------------------------------------------------------------


async def test_an_account_is_made_changed_and_listed(stage: Stage, admin: Desk) -> None:
    made = await create(admin, username=" zoë ", full_name="Zoë Öztürk", email="")
    assert made["outcome"] == "done"
    state = made["state"]
    assert (state["username"], state["email"], state["role"]) == ("zoë", None, "user")
    assert (state["must_change_password"], state["has_history"], state["open_sessions"]) == (True, False, 0)
    saved = await admin.save(
        "user", made["id"], {"email": change(None, "zoe@example.org"), "role": change("user", "admin")}
    )
    assert (saved["state"]["email"], saved["state"]["role"], saved["version"]) == (
        "zoe@example.org",
        "admin",
        2,
    )
    # A colleague changed another field meanwhile: both stand. The same one: before, mine, theirs.
    again = await admin.save("user", made["id"], {"full_name": change("Zoë Öztürk", "Zoë Ö.")})
    assert again["outcome"] == "done"
    conflict = await admin.save("user", made["id"], {"full_name": change("Zoë Öztürk", "Z. Ö.")})
    assert conflict["conflicts"] == {
        "full_name": {"before": "Zoë Öztürk", "mine": "Z. Ö.", "theirs": "Zoë Ö."}
    }
    assert conflict["changed_by"] == "Admin Beispiel"
    assert [row["username"] for row in await admin.rows("users")][-1] == "zoë"
    assert (await admin.save("user", 999, {"email": change(None, "x@y.z")}))["outcome"] == "missing"
    for field in ("verifier", "must_change_password", "version", "id"):
        with pytest.raises(asyncpg.UndefinedColumnError):
            await admin.save("user", made["id"], {field: change(None, "1")})
    logged = await stage.superuser.fetch(
        "SELECT username, new_data::text FROM app.audit_log WHERE table_name = 'users' AND record_id = $1",
        made["id"],
    )
    assert [row["username"] for row in logged] == ["admin"] * 3
    assert "zoe@example.org" in logged[1]["new_data"]
    verifier = await stage.superuser.fetchval("SELECT verifier FROM auth.users WHERE id = $1", made["id"])
    assert verifier.hex() not in "".join(row["new_data"] for row in logged)


async def test_the_same_request_makes_one_account(stage: Stage, admin: Desk) -> None:
    request, secret = uuid4(), (os.urandom(16), 19456, 2, 1, os.urandom(32))
    first = await admin.call("create_user", request, new(username="zoë"), *secret)
    assert await admin.call("create_user", request, new(username="zoë"), *secret) == first
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await admin.call("create_user", request, new(username="zoë"), *secret[:-1], os.urandom(32))
    kept = await stage.superuser.fetchval("SELECT answer FROM app.requests WHERE id = $1", request)
    assert set(kept) == {"outcome", "id"}


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("ÄNNE", "users_username_key"),
        (unicodedata.normalize("NFD", "Änne"), "users_username_key"),
        ("  änne\t ", "users_username_letters"),
        (" ÄNNE ", "users_username_key"),
        ("än\nne", "users_username_letters"),
        ("", "users_username_length"),
        ("x" * 51, "users_username_length"),
        (None, "23502"),
        ("ännchen", "done"),
    ],
)
async def test_names_are_unique_however_they_are_typed(
    stage: Stage, admin: Desk, name: str | None, rule: str
) -> None:
    assert await refused(create(admin, username="Änne")) == "done"
    anna = await user_id(stage, "anna")
    assert await refused(admin.save("user", anna, {"username": change("anna", name)})) == rule
    await stage.superuser.execute("UPDATE auth.users SET username = 'anna' WHERE id = $1", anna)
    assert await refused(create(admin, username=name)) == rule


async def test_somebody_typed_in_pieces_signs_in(stage: Stage, admin: Desk) -> None:
    """macOS may send letters in pieces: the same name, the same salt."""
    await create(admin, username="Änne")
    stranger = await stage.stranger()
    whole = await stranger.fetchval("SELECT app.login_challenge('änne')")
    pieces = unicodedata.normalize("NFD", "ÄNNE")
    assert await stranger.fetchval("SELECT app.login_challenge($1)", pieces) == whole
    assert await stranger.fetchval("SELECT app.login_challenge('annemarie')") != whole


async def test_who_left_traces_is_not_deleted(stage: Stage, admin: Desk, anna: Desk) -> None:
    fresh = (await create(admin, username="zoë"))["id"]
    # Somebody tried this name: no trace of the person.
    await stage.superuser.execute(
        "INSERT INTO auth.attempts (name_hash, user_id, address, token_hash, client_id)"
        " SELECT auth.name_hash('zoë'), $1, '192.0.2.1', sha256('x'), 'x'",
        fresh,
    )
    assert await refused(admin.delete("user", await user_id(stage, "anna"))) == "users_with_history"
    # Without any session left, the audit log still names her.
    await anna.save("guest", stage.guests[0], {"city": change("München", "Ulm")})
    await stage.superuser.execute("UPDATE app.guests SET updated_by = NULL")
    await stage.superuser.execute("DELETE FROM app.requests")
    await stage.superuser.execute(
        "DELETE FROM auth.sessions WHERE user_id = $1", await user_id(stage, "anna")
    )
    assert await refused(admin.delete("user", await user_id(stage, "anna"))) == "users_with_history"
    assert (await admin.delete("user", fresh))["outcome"] == "done"
    assert (await admin.delete("user", fresh))["outcome"] == "missing"
    async with connected(stage.database.owner_dsn) as owner:
        delete = owner.execute("DELETE FROM auth.users WHERE username = 'admin'")
        assert await refused(delete) == "users_with_history"


# -- roles ---------------------------------------------------------------------------------------


async def test_nobody_changes_his_own_role(stage: Stage, admin: Desk) -> None:
    await second_admin(stage)
    me = await user_id(stage, "admin")
    for changes in ({"role": change("admin", "user")}, {"active": change(True, False)}):
        assert await refused(admin.save("user", me, changes)) == "users_own_role"
    assert await refused(reset(admin, me)) == "users_own_password"
    assert await refused(admin.delete("user", me)) == "users_own_role"
    assert (await admin.save("user", me, {"full_name": change("Admin Beispiel", "Chefin")}))["version"] == 2


async def test_the_last_admin_stays_also_for_the_owner(stage: Stage) -> None:
    async with connected(stage.database.owner_dsn) as owner:
        for statement in (
            "UPDATE auth.users SET role = 'user' WHERE username = 'admin'",
            "UPDATE auth.users SET active = false WHERE username = 'admin'",
            "UPDATE auth.users SET role = 'user'",
            "DELETE FROM auth.users",
        ):
            assert await refused(owner.execute(statement)) == "users_last_admin", statement
        # A deactivated admin is none.
        await owner.execute(
            "UPDATE auth.users SET role = 'admin', active = false WHERE username IN ('ben', 'clara')"
        )
        demote = owner.execute("UPDATE auth.users SET role = 'user' WHERE username = 'admin'")
        assert await refused(demote) == "users_last_admin"
        await owner.execute("UPDATE auth.users SET active = true WHERE username = 'ben'")
        await owner.execute("UPDATE auth.users SET role = 'user' WHERE username = 'admin'")


Strike = Callable[[Desk, int], Coroutine[Any, Any, object]]

STRIKES: dict[str, Strike] = {
    "demote": lambda desk, victim: desk.save("user", victim, {"role": change("admin", "user")}),
    "deactivate": lambda desk, victim: desk.save("user", victim, {"active": change(True, False)}),
    "reset": reset,
}


@pytest.mark.parametrize("third", [False, True], ids=["two", "three"])
@pytest.mark.parametrize(
    ("one", "other"), [("demote", "demote"), ("deactivate", "demote"), ("reset", "demote")]
)
async def test_two_admins_against_each_other(stage: Stage, one: str, other: str, third: bool) -> None:
    """Exactly one wins, whoever comes first; nobody is shown a deadlock, and there is always an admin."""
    if third:
        await stage.superuser.execute("UPDATE auth.users SET role = 'admin' WHERE username = 'clara'")
    for number in range(ROUNDS):
        await stage.superuser.execute(
            "UPDATE auth.users SET role = 'admin', active = true, must_change_password = false"
            " WHERE username IN ('admin', 'emil')"
        )
        first, second = await stage.desk("admin"), await stage.desk("emil")
        strikes = [
            refused(STRIKES[one](first, await user_id(stage, "emil"))),
            refused(STRIKES[other](second, await user_id(stage, "admin"))),
        ]
        if number % 2:
            ended = list(reversed(await asyncio.gather(*reversed(strikes))))
        else:
            ended = list(await asyncio.gather(*strikes))
        assert ended.count("done") == 1, ended
        (loser,) = [outcome for outcome in ended if outcome != "done"]
        assert loser in {
            "session_role_changed",
            "session_deactivated",
            "session_password_reset",
            "users_last_admin",
        }
        admins = await stage.superuser.fetchval(
            "SELECT count(*) FROM auth.users WHERE role = 'admin' AND active"
        )
        assert admins >= 1
        first.connection.terminate()
        second.connection.terminate()


async def test_two_owners_against_each_other(stage: Stage) -> None:
    """Plain UPDATEs with psql, in both orders of rows, also in a transaction that saw both as admins."""
    async with connected(stage.database.owner_dsn) as one, connected(stage.database.owner_dsn) as two:
        for number in range(ROUNDS):
            await stage.superuser.execute(
                "UPDATE auth.users SET role = 'admin' WHERE username IN ('admin', 'emil')"
            )
            level = "REPEATABLE READ" if number % 3 == 2 else "READ COMMITTED"

            async def demote(
                connection: asyncpg.Connection, name: str, other: str, level: str = level
            ) -> object:
                await connection.execute(f"BEGIN ISOLATION LEVEL {level}")
                try:
                    await connection.execute("SELECT count(*) FROM auth.users")
                    for victim in (name, other):
                        await connection.execute(
                            "UPDATE auth.users SET role = 'user' WHERE username = $1", victim
                        )
                finally:
                    await connection.execute("ROLLBACK")
                return None

            async def demote_one(connection: asyncpg.Connection, name: str, level: str = level) -> object:
                await connection.execute(f"BEGIN ISOLATION LEVEL {level}")
                try:
                    await connection.execute("SELECT count(*) FROM auth.users")
                    await connection.execute("UPDATE auth.users SET role = 'user' WHERE username = $1", name)
                except asyncpg.PostgresError:
                    await connection.execute("ROLLBACK")
                    raise
                return await connection.execute("COMMIT")

            both = await asyncio.gather(
                refused(demote(one, "admin", "emil")), refused(demote(two, "emil", "admin"))
            )
            assert set(both) <= {"users_last_admin", "40001"}
            ended = await asyncio.gather(refused(demote_one(one, "admin")), refused(demote_one(two, "emil")))
            assert ended.count("done") == 1, ended
            assert set(ended) <= {"done", "users_last_admin", "40001"}
            assert await stage.superuser.fetchval("SELECT count(*) FROM auth.users WHERE role = 'admin'") == 1


# -- rights --------------------------------------------------------------------------------------


async def test_users_book_but_set_no_prices(stage: Stage, anna: Desk, admin: Desk) -> None:
    room = stage.rooms[0]
    for changes in (
        {"price_low": change("40.00", "1.00")},
        {"price_high": change("50.00", "50.00")},
        {"final_cleaning_fee": change("0.00", "1.00"), "name": change("1", "eins")},
        {"key_code": change(None, "0000")},
    ):
        assert await refused(anna.save("room", room, changes)) == "42501"
        answer = await admin.save("room", room, changes)
        assert answer["outcome"] == "done"
    made = new(name="99", category="EZ", place="Fall", capacity=1)
    assert await refused(anna.save("room", None, made)) == "42501"
    assert (await admin.save("room", None, made))["outcome"] == "done"
    assert (await anna.save("room", room, {"notes": change(None, "Südseite")}))["outcome"] == "done"


async def test_what_admins_may_delete(stage: Stage, admin: Desk, anna: Desk) -> None:
    guest = (await anna.save("guest", None, new(last_name="Fort")))["id"]
    await stage.superuser.execute(
        "INSERT INTO app.companions (guest_id, last_name) VALUES ($1, 'Kind')", guest
    )
    room = (await admin.save("room", None, new(name="98", category="EZ", place="Fall", capacity=1)))["id"]
    await stage.superuser.execute(
        "INSERT INTO app.room_prices (room_id, valid_from, price_low, price_high, final_cleaning_fee)"
        " VALUES ($1, '2031-01-01', 1, 2, 3)",
        room,
    )
    booked = await anna.book(guest, {"room_id": room, "arrival": "2030-03-01", "departure": "2030-03-02"})
    for kind, record in (("guest", guest), ("room", room), ("booking", booked["id"])):
        assert await refused(anna.delete(kind, record)) == "42501"
    assert await refused(admin.delete("guest", guest)) == "bookings_guest_id_fkey"
    assert await refused(admin.delete("room", room)) == "occupancies_room_id_fkey"
    for kind, record in (("booking", booked["id"]), ("guest", guest), ("room", room)):
        assert (await admin.delete(kind, record))["outcome"] == "done"
    assert await stage.superuser.fetchval("SELECT count(*) FROM app.companions") == 0


async def test_a_place_is_told_once_and_never_for_somebody_else(stage: Stage, anna: Desk, ben: Desk) -> None:
    heard: list[str] = []
    listener = await stage.stranger()
    await listener.add_listener("presence", lambda _c, _p, _ch, payload: heard.append(payload))
    for _ in range(3):
        await anna.call("here", "Buchung", 4)
    await ben.call("here", "Gäste", None)
    assert await refused(ben.call("here", "x" * 61, None)) == "sessions_screen_length"
    await listener.execute("SELECT 1")
    desks = [row["desk"] for row in (await anna.heartbeat())["present"]]
    assert heard == [
        f"sessions:{await user_id(stage, 'anna')}:{desks[0]}",
        f"sessions:{await user_id(stage, 'ben')}:{desks[1]}",
    ]
    # Unlocking is a new session: where it is, the desk tells again.
    token = await open_session(stage.superuser, "anna")
    async with connected(stage.database.dsn, token) as again:
        answer = await again.fetchval("SELECT app.heartbeat(NULL)")
    assert [row["screen"] for row in answer["present"]] == ["Buchung", None, "Gäste"]


async def test_an_email_has_an_at(stage: Stage, admin: Desk) -> None:
    fields = {"username": "fritz", "full_name": "Fritz Neu", "role": "user"}
    for email in ("fritz", "fritz@", "@example.org"):
        assert await refused(create(admin, **fields, email=email)) == "users_email_at"
    answer = await create(admin, **fields, email="fritz@example.org")
    wrong = {"email": change("fritz@example.org", "fritz.example.org")}
    assert await refused(admin.save("user", answer["id"], wrong)) == "users_email_at"
    # One that was stored before there was this rule stops nobody from changing the rest.
    await stage.superuser.execute("ALTER TABLE auth.users DISABLE TRIGGER user_normal")
    await stage.superuser.execute("UPDATE auth.users SET email = 'früher' WHERE username = 'fritz'")
    await stage.superuser.execute("ALTER TABLE auth.users ENABLE TRIGGER user_normal")
    renamed = {"full_name": change("Fritz Neu", "Fritz Alt")}
    assert (await admin.save("user", answer["id"], renamed))["outcome"] == "done"
