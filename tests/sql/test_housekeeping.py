"""What has had its time goes by itself, and a desk that slept over it reads everything again."""

from __future__ import annotations

from uuid import uuid4

from tests.sql.stage import Desk, Stage, new

_COUNTS = """
    SELECT (SELECT count(*) FROM app.change_feed) AS feed, (SELECT count(*) FROM app.requests) AS requests,
           (SELECT count(*) FROM auth.attempts) AS attempts, (SELECT count(*) FROM auth.sessions) AS sessions
"""


async def _minute_passes(stage: Stage, desk: Desk) -> None:
    await stage.superuser.execute(
        "UPDATE auth.sessions s SET last_seen = now() - interval '2 minutes' FROM auth.users u"
        " WHERE u.id = s.user_id AND u.username = $1",
        desk.username,
    )


async def test_the_old_is_forgotten_and_the_new_stays(stage: Stage, anna: Desk, ben: Desk) -> None:
    slept = (await ben.heartbeat())["snapshot"]
    await anna.save("guest", None, new(last_name="Alt"))
    await stage.superuser.execute(
        """
        UPDATE app.change_feed SET at = now() - interval '8 days';
        UPDATE app.requests SET at = now() - interval '31 days';
        INSERT INTO auth.attempts (name_hash, address, token_hash, client_id, at)
        VALUES ('\\x00', '127.0.0.1', '\\x00', 'old', now() - interval '91 days'),
               ('\\x00', '127.0.0.1', '\\x00', 'new', now());
        INSERT INTO auth.sessions (token_hash, user_id, client_id, last_seen)
        SELECT sha256('old'), id, 'old', now() - interval '91 days' FROM auth.users WHERE username = 'clara';
        """
    )
    await anna.save("guest", None, new(last_name="Neu"))
    awake = (await anna.heartbeat())["snapshot"]
    await _minute_passes(stage, anna)
    assert not (await anna.heartbeat(awake))["reload"]
    row = await stage.superuser.fetchrow(_COUNTS)
    assert (row["feed"], row["requests"], row["attempts"], row["sessions"]) == (1, 1, 1, 2)
    assert (await ben.heartbeat(slept))["reload"], "a change that ben has not seen is gone"
    assert not (await anna.heartbeat(awake))["reload"]


async def test_without_anything_old_nothing_is_written(stage: Stage, anna: Desk) -> None:
    before = await stage.superuser.fetchval("SELECT xmin::text FROM app.installation")
    await anna.save("guest", None, new(last_name="Neu"))
    await _minute_passes(stage, anna)
    await anna.heartbeat()
    assert await stage.superuser.fetchval("SELECT xmin::text FROM app.installation") == before


async def test_a_repeated_request_whose_record_is_gone_says_missing(stage: Stage, admin: Desk) -> None:
    request = uuid4()
    made = await admin.save("guest", None, new(last_name="Kurz"), request=request)
    await admin.delete("guest", made["id"])
    assert (await admin.save("guest", None, new(last_name="Kurz"), request=request))["outcome"] == "missing"
    booked = uuid4()
    changes = new(
        guest_id=stage.guests[0], stay={"room_id": None, "arrival": "2030-03-01", "departure": "2030-03-02"}
    )
    booking = await admin.save("booking", None, changes, request=booked)
    await admin.delete("booking", booking["id"])
    assert (await admin.save("booking", None, changes, request=booked))["outcome"] == "missing"
