"""A desk that was not updated yet, on a database whose functions answer with a column more than it knows."""

from __future__ import annotations

from datetime import timedelta

import asyncpg

from dpolg_tui.desk import Desk
from dpolg_tui.domain.audit import AuditFilter
from dpolg_tui.operations.house import HouseSize, generate
from dpolg_tui.operations.house_loader import load_house
from tests.databases import TestDatabase
from tests.tui.forms_house import signed_in
from tools.bench import actions, ground

_FUNCTIONS = """
    SELECT p.proname AS name, pg_get_function_identity_arguments(p.oid) AS types,
           pg_get_function_arguments(p.oid) AS arguments, p.pronargs AS given,
           regexp_replace(pg_get_function_result(p.oid), '\\)$', ', later text)') AS result
      FROM pg_proc p
     WHERE p.pronamespace = 'app'::regnamespace AND pg_get_function_result(p.oid) LIKE 'TABLE(%'
       AND has_function_privilege('booking_user', p.oid, 'EXECUTE')
"""


async def _answer_with_one_more(connection: asyncpg.Connection) -> set[str]:
    """Puts a function with one column more before each that answers rows; their names."""
    found = await connection.fetch(_FUNCTIONS)
    await connection.execute("CREATE SCHEMA before AUTHORIZATION dpolg_owner")
    for function in found:
        name, types = function["name"], function["types"]
        places = ", ".join(f"${number}" for number in range(1, function["given"] + 1))
        await connection.execute(f"""
            ALTER FUNCTION app.{name}({types}) SET SCHEMA before;
            CREATE FUNCTION app.{name}({function["arguments"]}) RETURNS {function["result"]}
            LANGUAGE sql VOLATILE SECURITY DEFINER SET search_path = pg_catalog, pg_temp
            AS $$ SELECT *, 'later'::text FROM before.{name}({places}) $$;
            GRANT EXECUTE ON FUNCTION app.{name}({types}) TO booking_user;
        """)
    return {function["name"] for function in found}


async def test_columns_that_a_desk_does_not_know_stop_nothing(database: TestDatabase) -> None:
    connection = await asyncpg.connect(database.owner_dsn)
    try:
        today = Desk(ground.config(database)).today()
        await load_house(connection, generate(1, today, HouseSize(rooms=6, guests=20)))
    finally:
        await connection.close()
    connection = await asyncpg.connect(database.superuser_dsn)
    try:
        changed = await _answer_with_one_more(connection)
    finally:
        await connection.close()
    assert {"audit", "users", "sessions", "history", "search_guests", "chart", "rooms"} <= changed
    async with signed_in(database, "admin") as desk:
        async for act in actions.every(desk, desk.today() + timedelta(days=200)):
            await act.run()
        people = await desk.people.users()
        assert "anna" in {account.username for account in people}
        mine = next(account.id for account in people if account.username == "admin")
        assert [session.own for session in await desk.people.sessions(mine)] == [True]
        assert await desk.audit.page(AuditFilter())
        assert await desk.legacy.runs() == []
        assert await desk.legacy.tables() == []
