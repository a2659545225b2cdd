"""What the database says, compared with what the desks were told. Asks as superuser, beside all proxies."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

import asyncpg

from dpolg_tui.db.errors import DRIVER_ERRORS
from tools.chaos.history import MARKER, Place, place
from tools.chaos.picture import Stored, differences

KEPT_BY_TRIGGERS = ("version", "updated_at", "updated_by", "search", "sort_key")
AUDITED = ("rooms", "guests", "bookings", "occupancies", "reminders")
SECRETS = {"rooms": ("key_code",)}
_UNSTORED = {"bookings": ("occupies",)}
"""Columns that the audit log leaves out."""

Rows = dict[tuple[str, int], dict[str, Any]]


async def overlaps(connection: asyncpg.Connection) -> int:
    """Pairs that take a room in the same night, counted without the constraint's help."""
    found: int = await connection.fetchval(
        "SELECT count(*) FROM app.occupancies a JOIN app.occupancies b ON b.room_id = a.room_id "
        "WHERE b.id > a.id AND a.active AND b.active AND a.arrival < b.departure AND b.arrival < a.departure"
    )
    return found


async def rows(connection: asyncpg.Connection) -> Rows:
    """All audited rows as the audit log would tell them."""
    found: Rows = {}
    for table in AUDITED:
        left_out = [*KEPT_BY_TRIGGERS, *SECRETS.get(table, ()), *_UNSTORED.get(table, ())]
        for row in await connection.fetch(
            f"SELECT id, (to_jsonb(t) - $1::text[])::text FROM app.{table} t", left_out
        ):
            found[(table, row[0])] = json.loads(row[1])
    return found


@dataclass
class Replay:
    """The house as the audit log tells it, transaction by transaction in the order of their commits."""

    places: set[Place]
    statuses: set[tuple[int, str]]
    deletions: Counter[int]
    overlaps: int
    gaps: list[str]
    """Rows that differ from what the audit log says they are."""


async def replay(connection: asyncpg.Connection, before: Rows, after_id: int) -> Replay:
    """Applies the audit log after ``after_id`` to ``before`` and compares with what is stored."""
    log = await connection.fetch(
        "SELECT id, xmin::text AS xid, table_name, record_id, operation, new_data::text AS new_data "
        "FROM app.audit_log WHERE id > $1 AND table_name = ANY ($2) "
        "ORDER BY pg_xact_commit_timestamp(xmin), xmin::text, id",
        after_id,
        list(AUDITED),
    )
    house = {key: dict(value) for key, value in before.items()}
    told = Replay(set(), set(), Counter(), 0, [])
    touched: set[int] = set()
    for index, entry in enumerate(log):
        key = (entry["table_name"], entry["record_id"])
        new = json.loads(entry["new_data"] or "{}")
        if entry["operation"] == "DELETE":
            if house.pop(key, None) is None:
                told.gaps.append(f"{key} deleted, was not there")
            if key[0] == "occupancies":
                told.deletions[key[1]] += 1
        else:
            if (key in house) == (entry["operation"] == "INSERT"):
                told.gaps.append(f"{key} {entry['operation']}")
            house.setdefault(key, {}).update(new)
        if key[0] == "occupancies":
            touched.add(key[1])
        elif key[0] == "bookings" and key in house:
            told.statuses.add((key[1], house[key]["status"]))
        if index + 1 == len(log) or log[index + 1]["xid"] != entry["xid"]:
            _committed(house, touched, told)
            touched.clear()
    stored = await rows(connection)
    for key in stored.keys() | house.keys():
        left_out = SECRETS.get(key[0], ())
        said = {name: value for name, value in house.get(key, {}).items() if name not in left_out}
        if stored.get(key, {}) != said:
            told.gaps.append(f"{key} differs in {_differing(stored.get(key, {}), said)}")
    return told


def _differing(one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    return sorted(name for name in one.keys() | other.keys() if one.get(name, ...) != other.get(name, ...))


def _committed(house: Rows, touched: set[int], told: Replay) -> None:
    for id_ in touched:
        one = house.get(("occupancies", id_))
        if one is None:
            continue
        owner = f"booking/{one['booking_id']}" if one["booking_id"] is not None else f"block/{id_}"
        told.places.add(place(owner, one["room_id"], one["arrival"], one["departure"]))
        if not one["active"] or one["room_id"] is None:
            continue
        for (table, other_id), other in house.items():
            told.overlaps += (
                table == "occupancies"
                and other_id != id_
                and other["active"]
                and other["room_id"] == one["room_id"]
                and other["arrival"] < one["departure"]
                and one["arrival"] < other["departure"]
            )


async def executions(connection: asyncpg.Connection) -> Counter[str]:
    """How often each marker was written, by the audit log."""
    counts: Counter[str] = Counter()
    for row in await connection.fetch("SELECT new_data::text FROM app.audit_log WHERE new_data IS NOT NULL"):
        counts.update(set(MARKER.findall(row[0])))
    return counts


@dataclass
class Told:
    """What the desks were told, by the name of the operation."""

    operations: dict[str, dict[str, Any]]
    outcomes: dict[str, str]
    seconds: dict[str, tuple[float, float]]
    acknowledged: set[str]
    unknown: set[str]
    refused: set[str]
    queued: set[str]


def told(events: list[dict[str, Any]]) -> Told:
    """Reads the histories: acknowledged is what was answered with "done", at once or from the queue."""
    found = Told({}, {}, {}, set(), set(), set(), set())
    by_request: dict[str, str] = {}
    for event in events:
        name = event.get("op", "") or by_request.get(event.get("request", ""), "")
        match event["event"]:
            case "begin":
                found.operations[name] = event
            case "end":
                found.outcomes[name] = event["outcome"]
                found.seconds[name] = (found.operations[name]["at"], event["at"])
                if event["outcome"] == "done":
                    found.acknowledged.add(name)
            case "queued":
                by_request[event["request"]] = name
                found.queued.add(name)
            case "sent" if name:
                found.acknowledged.add(name)
            case "refused":
                found.refused.add(name)
            case "unknown":
                found.unknown.add(name)
    return found


@dataclass
class Verdict:
    """Names of operations."""

    lost: list[str]
    doubled: list[str]


async def born(connection: asyncpg.Connection) -> dict[str, str]:
    """The booking or block that was made with each marker: ``booking/7``, ``block/9``."""
    found = {}
    for row in await connection.fetch(
        "SELECT table_name, record_id, new_data::text FROM app.audit_log "
        "WHERE operation = 'INSERT' AND table_name IN ('bookings', 'occupancies')"
    ):
        kind = "booking" if row[0] == "bookings" else "block"
        found.update(dict.fromkeys(MARKER.findall(row[2]), f"{kind}/{row[1]}"))
    return found


def judge(history: Told, replayed: Replay, counts: Counter[str], born: dict[str, str]) -> Verdict:
    """Every acknowledged write exactly once, no other one twice."""
    lost, doubled = [], []
    for name, operation in history.operations.items():
        expect = operation["expect"]
        acknowledged = name in history.acknowledged
        if "marker" in expect:
            times = counts[expect["marker"]]
            if times > 1:
                doubled.append(name)
            elif acknowledged and not times:
                lost.append(name)
        elif "gone" in expect:
            _, _, block = born.get(expect["gone"], expect["gone"]).partition("/")
            if acknowledged and (not block or replayed.deletions[int(block)] != 1):
                lost.append(name)
        elif "status" in expect:
            if acknowledged and tuple(expect["status"]) not in replayed.statuses:
                lost.append(name)
        else:
            places = {(born.get(whose, whose), *rest) for whose, *rest in expect.get("places", [])}
            if acknowledged and not places <= replayed.places:
                lost.append(name)
    return Verdict(lost, doubled)


def beyond(
    history: Told, limit: float, stops: list[tuple[int, float, float]], process_of: dict[str, int]
) -> tuple[list[str], float]:
    """Operations that took longer than ``limit``, and the slowest; while a process stood, no time passed."""
    late, slowest = [], 0.0
    for name, (begin, end) in history.seconds.items():
        stood = sum(
            max(0.0, min(end, until) - max(begin, since))
            for number, since, until in stops
            if process_of.get(name.split("-")[0]) == number
        )
        slowest = max(slowest, end - begin - stood)
        if end - begin - stood > limit:
            late.append(name)
    return late, slowest


async def views_differ(connection: asyncpg.Connection, views: list[dict[str, Any]]) -> dict[str, list[str]]:
    """Desks that know or show something else than the database holds, and what."""
    rooms = {tuple(row) for row in await connection.fetch("SELECT id, version FROM app.rooms")}
    bars = await connection.fetch(
        "SELECT b.id, room_id, arrival, departure, status, coalesce(last_name, '') AS last_name, b.version, "
        "r.name FROM app.bars b LEFT JOIN app.rooms r ON r.id = b.room_id"
    )
    names = [row[0] for row in await connection.fetch("SELECT name FROM app.rooms")]
    drawn = [
        Stored(row["name"], row["arrival"], row["departure"], row["status"], row["last_name"])
        for row in bars
        if row["room_id"] is not None
    ]
    differing = {}
    for view in views:
        stored = {
            (row[0], row[1], str(row[2]), str(row[3]), *row[4:7])
            for row in bars
            if str(row[2]) < view["last"] and str(row[3]) > view["first"]
        }
        found = [f"bar {one}" for one in stored ^ {tuple(bar) for bar in view["bars"]}]
        found += [f"room {one}" for one in rooms ^ {tuple(room) for room in view["rooms"]}]
        if view["screen"]:
            found += [f"screen: {one}" for one in differences(view["screen"], names, drawn)]
        if found:
            differing[view["desk"]] = found
    return differing


async def watch_overlaps(dsn: Callable[[], str], pause: float = 0.25) -> AsyncIterator[int]:
    """Looks again and again while everything goes on; yields what it saw each time."""
    connection: asyncpg.Connection | None = None
    try:
        while True:
            try:
                if connection is None or connection.is_closed():
                    connection = await asyncpg.connect(dsn(), timeout=2)
                yield await overlaps(connection)
            except DRIVER_ERRORS:
                connection = None  # the server is being killed; it is asked again as soon as it is back
            await asyncio.sleep(pause)
    finally:
        if connection is not None:
            connection.terminate()
