"""What the screens read: searches, the chart's window, free rooms; and the search key behind them."""

from __future__ import annotations

import random
import unicodedata
from datetime import date

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dpolg_tui.domain.german import search_key
from tests.databases import TestDatabase
from tests.sql.stage import Desk, Stage, change, connected, day, stay

# -- the search key ------------------------------------------------------------------------------

_AWKWARD = [
    "Müller", "Mueller", "MÜLLER", "Mu\u0308ller", "Weiß", "WEISS", "Weiẞ", "Łukasz Żółć", "Iğdır",
    "ISTANBUL", "İstanbul", "Ærøskøbing", "Þór Ðaði", "Straße", "ae oe ue", "Aerosol", "Bauer", "Neue",
    "ﬁn", "①②", "½", "K", "a\u00a0b", "a\u2003b", "  a \t\n b  ", "ñandú", "Đorđe", "Ệ", "ς σ Σ",
    "ΑΣ", "ŉ", "ǅ", "ﬀ", "㎏", "ａｂｃ",
    "\u0345", "Ǆ", "\u1e9e", "😀", "[b]", "%_\\", "\u200b", "\u00ad", "e\u0301\u0323", "ë", "AE", "Oe", "uE",
]  # fmt: skip


async def _keys(database: TestDatabase, texts: list[str]) -> list[str]:
    async with connected(database.superuser_dsn) as superuser:
        rows = await superuser.fetch(
            "SELECT app.search_key(t) AS key FROM unnest($1::text[]) WITH ORDINALITY u (t, n) ORDER BY n",
            texts,
        )
    return [row["key"] for row in rows]


@pytest.mark.both_versions
async def test_search_key_of_awkward_names(common_database: TestDatabase) -> None:
    assert await _keys(common_database, _AWKWARD) == [search_key(text) for text in _AWKWARD]


async def test_what_must_be_equal_is(common_database: TestDatabase) -> None:
    for equal in (
        ("Müller", "Mueller", "MULLER", "Mu\u0308ller", " müller "),
        ("Weiß", "Weiss", "WEISS"),
        ("Łukasz", "lukasz"),
        ("Jörg", "Joerg", "Jorg"),
    ):
        assert len(set(await _keys(common_database, list(equal)))) == 1, equal


# Letters that people's names are written with; what else Unicode has may differ between the tables of
# Python and PostgreSQL.
_TEXT = st.text(
    st.one_of(
        st.sampled_from("aeiouäöüÄÖÜßẞéèłŁøØşŞğĞıIİçÇ -'.0123456789%_\\"),
        st.characters(min_codepoint=32, max_codepoint=0x24F),
        st.characters(min_codepoint=0x300, max_codepoint=0x36F),
    ),
    max_size=20,
)


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(texts=st.lists(_TEXT, min_size=30, max_size=80))
async def test_search_key_equals_the_clients(common_database: TestDatabase, texts: list[str]) -> None:
    keys = await _keys(common_database, texts)
    different = {
        text: (key, search_key(text))
        for text, key in zip(texts, keys, strict=True)
        if key != search_key(text)
    }
    assert different == {}


async def test_search_key_of_every_letter(common_database: TestDatabase) -> None:
    """All letters that Latin, Greek and Cyrillic names are written with."""
    letters = [
        chr(code)
        for code in (*range(0x20, 0x530), *range(0x1E00, 0x2000))
        if unicodedata.category(chr(code)) not in ("Cn", "Cs", "Cc")
    ]
    keys = await _keys(common_database, letters)
    different = {
        f"{letter} {ord(letter):04x}": (key, search_key(letter))
        for letter, key in zip(letters, keys, strict=True)
        if key != search_key(letter)
    }
    assert different == {}


# -- search of guests ----------------------------------------------------------------------------

_GUESTS = [
    ("Müller", "Erika", "München", "0171 / 123-4567"),
    ("Mueller-Lüdenscheidt", "Hans", "Köln", None),
    ("Muster", "Max", "Bonn", None),
    ("Weiß", "Jürgen", "Gießen", "+49 89 555 01"),
    ("Yıldız", "Gülşen", "Nürnberg", None),
    ("Wójcik", "Łukasz", "Görlitz", None),
    ("100% Prozent", "A_B", "Fall", None),
    ("Back\\slash", "", "Fall", None),
    ("[b]Klammer[/b]", "😀", "Fall", None),
    ("Öz", "Ay", "Fall", None),
]


@pytest.fixture
async def guests(common: Stage) -> dict[str, int]:
    """Ids by last name, in the shared house."""
    for last, first, city, phone in _GUESTS:
        await common.superuser.execute(
            "INSERT INTO app.guests (last_name, first_name, city, phone) SELECT $1, $2, $3, $4"
            " WHERE NOT EXISTS (SELECT FROM app.guests WHERE last_name = $1)",
            last, first, city, phone,
        )  # fmt: skip
    rows = await common.superuser.fetch("SELECT id, last_name FROM app.guests")
    return {row["last_name"]: row["id"] for row in rows}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("müller", ["Müller", "Mueller-Lüdenscheidt"]),
        ("MUELLER", ["Müller", "Mueller-Lüdenscheidt"]),
        ("muller erika", ["Müller"]),
        ("erika müller", ["Müller"]),
        ("weiss", ["Weiß"]),
        ("Weiß", ["Weiß"]),
        ("giessen", ["Weiß"]),
        ("yildiz", ["Yıldız"]),
        ("gulsen", ["Yıldız"]),
        ("wojcik lukasz", ["Wójcik"]),
        ("ludenscheidt", ["Mueller-Lüdenscheidt"]),
        # By the beginning of the name while it is short.
        ("m", ["Müller", "Mueller-Lüdenscheidt", "Muster"]),
        ("ö", ["Öz"]),
        ("oe", ["Öz"]),
        ("mü", ["Müller", "Mueller-Lüdenscheidt", "Muster"]),
        # Telephone numbers, however they are typed.
        ("0171 1234567", ["Müller"]),
        ("01711234567", ["Müller"]),
        ("0171 / 123-4567", ["Müller"]),
        ("1234567", ["Müller"]),
        ("55501", ["Weiß"]),
        # What a pattern would read otherwise.
        ("100%", ["100% Prozent"]),
        ("%%%", []),
        ("___", []),
        ("a_b", ["100% Prozent"]),
        ("m_x", []),
        ("m%r", []),
        ("back\\slash", ["Back\\slash"]),
        ("\\\\\\", []),
        ("%", []),
        ("_", []),
        ("\\", []),
        ("[b]klammer", ["[b]Klammer[/b]"]),
        # Nothing begins or contains it: what is similar.
        ("yildiiz", ["Yıldız"]),
        ("musster", ["Muster"]),
        ("qqqqqq", []),
    ],
)
async def test_search_guests(common: Stage, guests: dict[str, int], query: str, found: list[str]) -> None:
    desk = await common.desk("anna")
    rows = await desk.rows("search_guests", query, 50)
    assert {row["last_name"] for row in rows} == set(found), [row["last_name"] for row in rows]
    assert len(guests) >= len(_GUESTS)


async def test_names_come_in_their_order_and_beginnings_first(common: Stage, guests: dict[str, int]) -> None:
    desk = await common.desk("anna")
    everybody = [row["last_name"] for row in await desk.rows("search_guests", "", 200)]
    assert sorted(everybody, key=search_key) == everybody
    assert len(everybody) == len(guests)
    # In the middle of the town, of the name, and at the beginning of a name: that one comes first.
    found = [row["last_name"] for row in await desk.rows("search_guests", "ln", 50)]
    assert found == []
    found = [row["last_name"] for row in await desk.rows("search_guests", "fal", 50)]
    assert found == sorted(found, key=search_key)
    await common.superuser.execute("INSERT INTO app.guests (last_name) VALUES ('Zfall'), ('Fallmerayer')")
    try:
        found = [row["last_name"] for row in await desk.rows("search_guests", "fall", 50)]
    finally:
        await common.superuser.execute("DELETE FROM app.guests WHERE last_name IN ('Zfall', 'Fallmerayer')")
    assert (found[0], found[-1]) == ("Fallmerayer", "Zfall")
    assert len(await desk.rows("search_guests", "", 3)) == 3
    assert len(await desk.rows("search_guests", "", -5)) == 1


async def test_search_tells_phone_and_number_of_bookings(stage: Stage, anna: Desk) -> None:
    for number in range(2):
        await anna.book(stage.guests[0], stay(None, number, number + 1))
    (row,) = await anna.rows("search_guests", "erika", 5)
    assert (row["bookings"], row["phone"], row["city"]) == (2, "0171 / 123-4567", "München")


async def test_a_changed_name_is_found_at_once(stage: Stage, anna: Desk) -> None:
    await anna.save("guest", stage.guests[0], {"last_name": change("Müller", "Schmidt")})
    assert [row["id"] for row in await anna.rows("search_guests", "schmidt", 5)] == [stage.guests[0]]
    assert await anna.rows("search_guests", "mull erika", 5) == []


# -- search of bookings --------------------------------------------------------------------------


async def test_search_bookings(stage: Stage, anna: Desk) -> None:
    far = await anna.book(stage.guests[0], stay(stage.rooms[1], 300, 302))
    near = await anna.book(stage.guests[0], stay(None, 0, 1), stay(stage.rooms[1], 1, 2))
    other = await anna.book(stage.guests[1], stay(stage.rooms[2], 0, 1))
    number = near["state"]["number"]

    async def ids(query: str) -> list[int]:
        return [row["id"] for row in await anna.rows("search_bookings", query, 50)]

    assert await ids(number) == [near["id"]]
    assert set(await ids(number[:5])) == {far["id"], near["id"], other["id"]}
    # The coming stay first; each booking once, with its first stay.
    assert await ids("mueller") == [near["id"], far["id"]]
    (row,) = await anna.rows("search_bookings", number, 5)
    assert (row["guest_name"], row["room_id"], row["arrival"]) == ("Müller, Erika", None, day(0))
    assert await ids("we") == [other["id"]]
    for nothing in ("", "  ", "%", "_", "\\", "%%%", "20%", "2___-1", "qqqq"):
        assert await ids(nothing) == [], nothing


# -- the chart's window --------------------------------------------------------------------------


async def test_edges_of_the_window(stage: Stage, anna: Desk) -> None:
    one, two, three = stage.rooms[1:]
    stays = {
        "departs on the first day": stay(one, -3, 0),
        "touches the first night": stay(one, 0, 1),
        "last night": stay(two, 6, 7),
        "arrives on the last day": stay(two, 7, 9),
        "around it, a year": stay(three, -364, 1),
        "without a room": stay(None, 3, 4),
    }
    ids = {}
    for name, value in stays.items():
        ids[(await anna.book(stage.guests[0], value))["id"]] = name
    rows = await anna.rows("chart", day(0), day(7))
    assert {ids[row["booking_id"]] for row in rows} == {
        "touches the first night",
        "last night",
        "around it, a year",
        "without a room",
    }
    rows = await anna.rows("chart", day(0), day(7), two)
    assert [ids[row["booking_id"]] for row in rows] == ["last night"]
    again = await anna.rows("chart_rows", list(ids), [])
    assert len(again) == len(ids)
    assert await anna.rows("chart_rows", None, None) == []


async def test_a_year_long_stay_is_seen_from_every_night(stage: Stage, anna: Desk) -> None:
    await anna.book(stage.guests[0], stay(stage.rooms[1], 0, 365))
    for night in (0, 1, 180, 363, 364):
        assert len(await anna.rows("chart", day(night), day(night + 1))) == 1, night
        taken = await anna.book(stage.guests[1], stay(stage.rooms[1], night, night + 1))
        assert len(taken["in_the_way"]) == 1
    for night in (-1, 365):
        assert await anna.rows("chart", day(night), day(night + 1)) == []


async def test_chart_rows_of_what_is_gone(stage: Stage, anna: Desk) -> None:
    answer = await anna.book(stage.guests[0], stay(stage.rooms[1], 0, 3))
    assert len(await anna.rows("chart_rows", [answer["id"], 999], [5])) == 1
    await anna.save(
        "booking",
        answer["id"],
        {"status": change("bestaetigt", "storniert"), "cancellation_reason": change(None, "krank")},
    )
    assert await anna.rows("chart_rows", [answer["id"]], []) == []
    # A stay is no block, even if its id is asked for as one.
    occupancy = answer["state"]["stays"][0]["id"]
    assert await anna.rows("chart_rows", [], [occupancy]) == []


# -- free rooms ----------------------------------------------------------------------------------


async def test_free_rooms_equals_a_naive_model(stage: Stage, anna: Desk) -> None:
    generator = random.Random(20301)
    occupied: list[tuple[int, int, int, int]] = []
    retired = {stage.rooms[2]: 40}
    await anna.save("room", stage.rooms[2], {"retired_from": change(None, day(40).isoformat())})
    for _ in range(70):
        room = generator.choice(stage.rooms)
        first = generator.randrange(0, 55)
        last = first + generator.choice([1, 1, 2, 3, 7, 14])
        try:
            answer = await anna.book(stage.guests[0], stay(room, first, last))
        except asyncpg.CheckViolationError:
            assert last > retired[room]
            continue
        collides = any(r == room and a < last and first < d for r, a, d, _ in occupied)
        assert answer["outcome"] == ("taken" if collides else "done")
        if answer["outcome"] == "done":
            occupied.append((room, first, last, answer["id"]))
    rows = await stage.superuser.fetch("SELECT id, capacity FROM app.rooms")
    capacities = {row["id"]: row["capacity"] for row in rows}
    for _ in range(150):
        first = generator.randrange(-2, 60)
        last = first + generator.randrange(1, 9)
        persons = generator.randrange(1, 5)
        but = generator.choice([None, *[booking for *_, booking in occupied]])
        expected = {
            room: capacities[room] >= persons
            for room in stage.rooms
            if last <= retired.get(room, 999)
            and not any(r == room and a < last and first < d and b != but for r, a, d, b in occupied)
        }
        found = await anna.rows("free_rooms", day(first), day(last), persons, but)
        assert {row["room_id"]: row["fits"] for row in found} == expected


async def test_blocks_take_rooms_and_cancelled_bookings_do_not(stage: Stage, anna: Desk) -> None:
    async def free(first: int, last: int) -> list[int]:
        return [row["room_id"] for row in await anna.rows("free_rooms", day(first), day(last), 1, None)]

    answer = await anna.book(stage.guests[0], stay(stage.rooms[0], 0, 3))
    block = {"stay": change(None, stay(stage.rooms[1], 0, 3)), "kind": change(None, "house_use")}
    await anna.save("block", None, block)
    assert await free(2, 5) == stage.rooms[2:]
    assert await free(3, 5) == stage.rooms
    await anna.save(
        "booking",
        answer["id"],
        {"status": change("bestaetigt", "storniert"), "cancellation_reason": change(None, "krank")},
    )
    assert await free(2, 5) == [stage.rooms[0], *stage.rooms[2:]]


async def test_rooms_and_guest(stage: Stage, anna: Desk) -> None:
    rooms = await anna.rows("rooms")
    assert [(room["id"], room["has_key_code"]) for room in rooms] == [
        (room, number < 2) for number, room in enumerate(stage.rooms)
    ]
    guest = await anna.call("guest", stage.guests[0])
    assert guest["last_name"] == "Müller"
    assert not {"search", "sort_key", "created_at"} & guest.keys()
    assert await anna.call("guest", 999) is None


async def test_today_is_the_day_in_berlin(stage: Stage) -> None:
    for zone in ("UTC", "Pacific/Kiritimati", "Pacific/Pago_Pago"):
        await stage.superuser.execute(f"SET timezone = '{zone}'")
        found, expected = await stage.superuser.fetchrow(
            "SELECT app.today(), (now() AT TIME ZONE 'Europe/Berlin')::date"
        )
        assert isinstance(found, date)
        assert found == expected
