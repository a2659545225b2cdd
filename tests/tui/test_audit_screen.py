"""The audit log on a real database: lines in German, filter, older pages, jumps, CSV, live."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from textual.screen import Screen

from dpolg_tui.desk import audit
from dpolg_tui.domain.audit import AuditFilter
from dpolg_tui.domain.errors import NotAllowed
from dpolg_tui.domain.german import format_date, today
from dpolg_tui.domain.merge import Change
from dpolg_tui.domain.models import Status
from dpolg_tui.tui.dialogs.audit_entry import AuditEntryDialog
from dpolg_tui.tui.dialogs.audit_filter import AuditFilterDialog
from dpolg_tui.tui.dialogs.guest import GuestDialog
from dpolg_tui.tui.dialogs.record_form import RecordDialog
from dpolg_tui.tui.dialogs.room import RoomDialog
from dpolg_tui.tui.screens.audit import AuditScreen
from dpolg_tui.tui.screens.booking import BookingScreen
from dpolg_tui.tui.widgets.fields import ChoiceField
from dpolg_tui.tui.widgets.record_table import RecordTable
from tests.databases import TestDatabase
from tests.sql.stage import connected
from tests.tui.forms_house import Desks, book, house


@pytest.fixture(autouse=True)
def own_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Files of these tests only."""
    monkeypatch.setattr("dpolg_tui.locations.state_directory", lambda: tmp_path)
    return tmp_path


def table(desks: Desks) -> RecordTable:
    assert isinstance(desks.screen, AuditScreen)
    return desks.screen.table


def rows(desks: Desks) -> list[str]:
    """The lines of the list, cells joined."""
    return [" | ".join(map(str, table(desks).get_row_at(at))) for at in range(table(desks).row_count)]


async def listed(desks: Desks, condition: Callable[[list[str]], object], what: str) -> None:
    """Waits until the list fulfils something."""
    await desks.here.until(lambda: isinstance(desks.screen, AuditScreen) and condition(rows(desks)), what)


async def started(desks: Desks) -> int:
    """Waits for the beginning, a house with two guests; how many lines that are."""
    await listed(desks, lambda lines: any("Gast Yılmaz" in line for line in lines), "two guests")
    return len(rows(desks))


async def mark(desks: Desks, words: str) -> None:
    """Goes to the first line with these words."""
    at = next(at for at, line in enumerate(rows(desks)) if words in line)
    await desks.press("home", *["down"] * at)
    assert table(desks).cursor_row == at


async def shown(desks: Desks, kind: type[Screen]) -> None:
    await desks.here.until(lambda: isinstance(desks.screen, kind), kind.__name__)


async def choose(desks: Desks, name: str, label: str) -> None:
    """Chooses by typing into the list of options, as people do."""
    field = desks.screen.query_one(f"#field-{name}", ChoiceField)
    field.editor_widget.focus()
    await desks.press("enter", *label, "enter")
    await desks.here.until(lambda: field.choice.label_of(field.value).startswith(label), label)


async def test_changes_stand_there_in_german_and_appear_by_themselves(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="admin", size=(160, 50)) as desks:
        await listed(desks, lambda lines: len(lines) >= 4, "rooms and guests made")
        assert any(
            "Ben" in line and "Gast Huber, Anton | angelegt | Nachname Huber" in line for line in rows(desks)
        )
        await desks.ben.guests.save(
            desks.house.huber, {"city": Change("Ulm", "Köln [x]"), "is_member": Change(False, True)}
        )
        await listed(desks, lambda lines: "Wohnort | Ulm → Köln [x]" in " ".join(lines[:2]), "city")
        assert any("DPolG-Mitglied | nein → ja" in line for line in rows(desks)[:2])
        booking = await book(desks.ben, desks.house.huber, desks.house.single, 0)
        await desks.ben.bookings.check_in(booking)
        await listed(
            desks, lambda lines: any("bestätigt → eingecheckt" in line for line in lines[:4]), "status"
        )
        number = (await desks.ben.bookings.get(booking)).number
        assert any(f"Buchung {number} | Status" in line for line in rows(desks)[:4])
        assert any(f"Aufenthalt {number} | angelegt" in line for line in rows(desks))


async def test_who_reads_further_down_stays_there(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="admin") as desks:
        start = await started(desks)
        for number in range(30):
            await desks.ben.guests.create({"last_name": f"Mayer {number:02}"})
        await listed(desks, lambda lines: len(lines) == start + 30, "made")
        await desks.press(*["down"] * 30)
        marked, on_screen = table(desks).record_id, table(desks).cursor_row - table(desks).scroll_y
        assert table(desks).scroll_y > 0
        await desks.ben.guests.create({"last_name": "Neu"})
        await listed(desks, lambda lines: len(lines) == start + 31, "one more")
        assert (table(desks).record_id, table(desks).cursor_row - table(desks).scroll_y) == (
            marked,
            on_screen,
        )
        await desks.press("home")
        marked = table(desks).record_id
        await desks.ben.guests.create({"last_name": "Neuer"})
        await listed(desks, lambda lines: "Neuer" in lines[0], "the new line on top")
        assert (table(desks).record_id, table(desks).scroll_y) == (marked, 0)


async def test_older_ones_come_on_scrolling(database: TestDatabase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit.AuditActions.page, "__defaults__", (None, 20))
    async with house(database, AuditScreen, user="admin") as desks:
        start = await started(desks)
        for number in range(120):
            await desks.ben.guests.create({"last_name": f"Mayer {number:03}"})
        screen = desks.screen
        assert isinstance(screen, AuditScreen)
        screen.reload()
        await listed(desks, lambda lines: len(lines) >= 60, "more than the eye sees")
        assert len(rows(desks)) < 120
        for _ in range(10):
            await desks.press(*["pagedown"] * 3)
        await listed(desks, lambda lines: len(lines) == start + 120, "everything")
        assert len(set(rows(desks))) == start + 120
        await desks.press("end")
        await desks.here.sees(f"{start + 120} Änderungen, das ist alles")


async def test_the_filter_narrows_by_everything(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="admin", size=(160, 50)) as desks:
        start = await started(desks)
        admin = desks.here.desk
        await desks.ben.guests.save(desks.house.huber, {"city": Change("Ulm", "Köln")})
        await admin.guests.save(
            desks.house.huber, {"street": Change(None, "Weg 1"), "city": Change("Köln", "Bonn")}
        )
        await admin.rooms.save(desks.house.double, {"notes": Change(None, "Balkon")})
        await listed(desks, lambda lines: len(lines) == start + 4, "all lines")
        await desks.press("f")
        await shown(desks, AuditFilterDialog)
        await choose(desks, "user", "Admin")
        await choose(desks, "kind", "Gäste")
        await choose(desks, "field", "Wohnort")
        await desks.type_into("first", "gestern")
        await desks.type_into("last", "heute")
        await desks.press("ctrl+s")
        await listed(desks, lambda lines: len(lines) == 1 and "Köln → Bonn" in lines[0], "one line")
        day = today()
        words = f"Filter: {admin.user.display_name if admin.user else ''}, Gäste, Feld Wohnort, "
        assert words + f"ab {format_date(day - timedelta(1))}, bis {format_date(day)}" in desks.here.text()
        await desks.press("f")
        await shown(desks, AuditFilterDialog)
        await choose(desks, "user", "Ben")
        desks.screen.query_one("#apply").focus()
        await desks.press("enter")
        await listed(
            desks, lambda lines: any("Gast Huber, Anton | angelegt" in line for line in lines), "new"
        )
        assert not [line for line in rows(desks) if "angelegt" in line and "Nachname" in line]
        assert [line for line in rows(desks) if "angelegt | Wohnort Ulm" in line]
        await desks.press("ctrl+e")
        await desks.toast("Aufbewahrt bis")
        (file,) = admin.files.directory.glob("*.csv")
        text = file.read_text("utf-8-sig")
        lines = list(csv.reader(io.StringIO(text), delimiter=";"))
        assert {line[5] for line in lines[1:]} == {"angelegt", "Wohnort"}
        await desks.press("escape")
        await listed(desks, lambda lines: len(lines) == start + 4, "everything again")
        await mark(desks, "Köln → Bonn")
        await desks.press("d")
        await listed(
            desks, lambda lines: len(lines) == 4 and all("Huber" in line for line in lines), "one guest"
        )
        await desks.here.sees("Filter: Gast Huber, Anton")
        await desks.press("d")
        await listed(desks, lambda lines: len(lines) == start + 4, "everything again")


async def test_a_wrong_period_is_told_and_nothing_typed_is_lost(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="admin") as desks:
        await started(desks)
        await desks.press("f")
        await shown(desks, AuditFilterDialog)
        await desks.type_into("first", "31.2.")
        await desks.type_into("last", "+3")
        desks.screen.query_one("#apply").focus()
        await desks.press("enter")
        await desks.here.sees("Den 31.02.")
        await desks.here.sees("liegt in der Zukunft")
        assert desks.form.field("first").raw == "31.2."
        await desks.type_into("first", "heute")
        await desks.type_into("last", "gestern")
        desks.screen.query_one("#apply").focus()
        await desks.press("enter")
        await desks.here.sees("Das Ende liegt vor dem")


async def test_an_entry_is_shown_whole_and_leads_to_its_record(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="admin") as desks:
        booking = await book(desks.ben, desks.house.yilmaz, desks.house.single, 0, notes="Zeile [b]\n" * 9)
        await desks.ben.rooms.save(desks.house.double, {"notes": Change(None, "Balkon")})
        await listed(desks, lambda lines: any("Buchung" in line for line in lines), "booking")
        await mark(desks, "Zimmer 2")
        await desks.press("o")
        await shown(desks, RoomDialog)
        await desks.here.until(lambda: desks.form.ready, "form")
        await desks.press("escape")
        await mark(desks, "Buchung")
        await desks.press("enter")
        await shown(desks, AuditEntryDialog)
        for words in ("Platz", "angelegt", "Gast", "Yılmaz [VIP], Ayşe"):
            await desks.here.sees(words)
        await desks.press("o")
        await shown(desks, BookingScreen)
        assert isinstance(desks.screen, BookingScreen)
        assert desks.screen.booking_id == booking
        await desks.here.until(lambda: desks.form.ready, "form")
        await desks.press("escape")
        await mark(desks, "Gast Huber")
        await desks.press("o")
        await shown(desks, GuestDialog)


async def test_what_belongs_to_a_guest_or_room_leads_there_also_when_changed(database: TestDatabase) -> None:
    async with (
        house(database, AuditScreen, user="admin") as desks,
        connected(database.superuser_dsn) as owner,
    ):
        guest, room = desks.house.huber, desks.house.double
        await owner.execute("INSERT INTO app.companions (guest_id, last_name) VALUES ($1, 'Kind')", guest)
        await owner.execute(
            "INSERT INTO app.credit_transactions (guest_id, amount, kind) VALUES ($1, 5, 'added')", guest
        )
        await owner.execute("INSERT INTO app.room_prices VALUES (DEFAULT, $1, '2027-01-01', 7, 8, 9)", room)
        await owner.execute("UPDATE app.companions SET last_name = 'Geändert'")
        await owner.execute("UPDATE app.credit_transactions SET notes = 'Geändert'")
        await owner.execute("UPDATE app.room_prices SET price_low = 6.66")
        await listed(desks, lambda lines: any("6,66" in line for line in lines), "changes")
        for words, kind, of in (
            ("Kind → Geändert", GuestDialog, guest),
            ("– → Geändert", GuestDialog, guest),
            ("→ 6,66", RoomDialog, room),
        ):
            await mark(desks, words)
            await desks.press("o")
            await shown(desks, kind)
            assert isinstance(desks.screen, RecordDialog)
            assert desks.screen.record_id == of
            await desks.here.until(lambda: desks.form.ready, "form")
            await desks.press("escape")
            await shown(desks, AuditScreen)


async def test_what_is_gone_says_so(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="admin") as desks:
        await desks.here.desk.guests.delete(desks.house.huber)
        await listed(
            desks, lambda lines: any("Gast Huber, Anton | gelöscht" in line for line in lines), "deleted"
        )
        await mark(desks, "gelöscht")
        await desks.press("o")
        await desks.toast("Gast Huber, Anton gibt es nicht mehr")
        assert isinstance(desks.screen, AuditScreen)


async def test_secrets_and_anonymised_values_show_nothing(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="admin", size=(160, 50)) as desks:
        admin = desks.here.desk
        await admin.rooms.save(desks.house.single, {"key_code": Change(None, "4711-geheim")})
        await desks.ben.guests.save(desks.house.huber, {"is_member": Change(False, True)})
        await admin.personal_data.anonymise(desks.house.huber)
        await listed(desks, lambda lines: any("anonymisiert" in line for line in lines), "anonymised")
        text = "\n".join(rows(desks))
        assert "Schlüsselcode | – → geheim" in text
        assert "DPolG-Mitglied | *** → ***" in text
        for secret in ("4711", "Huber", "Anton", "Ulm"):
            assert secret not in text


async def test_the_csv_holds_what_the_filter_lets_through(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="admin") as desks:
        start = await started(desks)
        await desks.ben.guests.save(desks.house.huber, {"city": Change("Ulm", '=1+1;"x"')})
        await listed(desks, lambda lines: len(lines) == start + 1, "lines")
        await mark(desks, "Wohnort")
        await desks.press("d")
        await listed(desks, lambda lines: len(lines) == 2, "one guest")
        await desks.press("ctrl+e")
        await desks.toast("Aufbewahrt bis")
        (file,) = desks.here.desk.files.directory.glob("*.csv")
        assert any(file.name in note.message for note in desks.here.app._notifications)
        assert file.stat().st_mode & 0o777 == 0o600
        lines = list(csv.reader(io.StringIO(file.read_text("utf-8-sig")), delimiter=";"))
        assert lines[1][5:] == ["Wohnort", "Ulm", '\'=1+1;"x"']
        assert all(line[4] in ("Datensatz", "Huber, Anton") for line in lines)


async def test_users_are_refused_kindly(database: TestDatabase) -> None:
    async with house(database, AuditScreen, user="anna") as desks:
        await desks.toast("Dafür fehlt Ihnen die Berechtigung: bitte einen Admin fragen.")
        assert not rows(desks)
        with pytest.raises(NotAllowed):
            await desks.ben.audit.page(AuditFilter())


async def test_the_history_of_a_booking_names_the_desk(database: TestDatabase) -> None:
    async with house(database, user="anna") as desks:
        booking = await book(desks.ben, desks.house.huber, desks.house.single, 0)
        await desks.ben.bookings.save(booking, {"status": Change(Status.CONFIRMED, Status.CHECKED_IN)})
        await desks.open_booking(booking)
        desks.screen.action_to_history()  # type: ignore[attr-defined]
        await desks.here.sees("eingecheckt")
        await desks.here.sees("· Platz ")
