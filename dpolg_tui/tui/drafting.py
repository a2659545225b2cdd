"""Keeps what is typed and not saved, and offers it at the next start."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

from textual.widgets import Button

from dpolg_tui.desk.drafts import Draft
from dpolg_tui.desk.offline import NotKept
from dpolg_tui.domain.errors import DomainError
from dpolg_tui.domain.german import clean_line
from dpolg_tui.domain.labels import field_label, value_label
from dpolg_tui.domain.models import WriteResult
from dpolg_tui.domain.words import room_label
from dpolg_tui.log import log_defect
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.typed import Typed
from dpolg_tui.tui.widgets.form import Form

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

SECRET = frozenset({"key_code"})
OLD = (
    "Aus der Zeit vor der Wiederherstellung der Datenbank: bitte vor dem Speichern prüfen, ob dies noch "
    "derselbe Eintrag ist."
)
NOT_HERE = "Der Eintrag ist hier nicht zu finden."
NO_ROOM = "Ihre Eingaben lassen sich auf diesem Rechner nicht zwischenlagern (voll?): bitte bald speichern."


def draft_of(
    kind: str,
    record_id: int | None,
    title: str,
    form: Form,
    values: Mapping[str, Any] | None = None,
    typed: Typed | None = None,
) -> Draft:
    """What was typed into a form; of a new record also what the program filled in."""
    raws = {
        name: editor.raw
        for name, editor in form.fields.items()
        if name not in SECRET and (record_id is None or editor.touched)
    }
    return Draft(
        kind, record_id, title, raws, values or {}, form.draft_id, typed.request if typed is not None else ""
    )


def keep_drafts(app: DeskApp) -> None:
    """Keeps every form with something typed. Says once if that fails."""
    try:
        drafts = [draft for screen in app.dirty_screens if (draft := screen.draft()) is not None]
        app.desk.drafts.keep(drafts)
    except NotKept:
        if not app.drafts_failed:
            app.drafts_failed = True
            app.show_toast(NO_ROOM, "warning")
    else:
        app.drafts_failed = False


def keep_drafts_at_the_end(app: DeskApp) -> None:
    """The same while the program is ending: nothing may stop that. What is being saved is kept as unknown."""
    try:
        app.desk.outbox.keep_under_way()
        keep_drafts(app)
    except Exception as error:  # noqa: BLE001 - it may be a defect of a form that ends the program
        log_defect(error)


def forget_drafts(app: DeskApp) -> None:
    """The user has agreed to lose what is typed."""
    try:
        app.desk.drafts.keep(())
    except NotKept as error:
        log.warning("the drafts could not be removed: %s", type(error.__cause__).__name__)


class DraftsDialog(ConfirmDialog):
    """Open or discard; Esc leaves them for the next start."""

    HELP = "Öffnen zeigt die Formulare mit den Eingaben; Esc lässt sie bis zum nächsten Start liegen."

    def action_cancel(self) -> None:
        """Not now."""
        self.finish(None)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "cancel":
            event.stop()
            event.prevent_default()
            self.finish(False)


def _settles(app: DeskApp, request: str) -> Callable[[WriteResult], None]:
    """The form held a queued write that did not fit: saved, that one is settled."""

    def saved(result: WriteResult) -> None:
        if request:
            app.desk.outbox.settled(UUID(request), result)

    return saved


async def offer_drafts(app: DeskApp) -> None:
    """Asks what shall become of the forms of the last time. Only inside a worker."""
    drafts = app.desk.drafts.pending
    if not drafts:
        return
    lines = ["Vom letzten Mal ist noch da:", *(f"• {_titled(draft)}" for draft in drafts)]
    dialog = DraftsDialog("Nicht gespeicherte Eingaben", lines, "Öffnen", cancel_label="Verwerfen")
    wanted = cast("bool | None", await app.push_screen_wait(dialog))
    if wanted is None:
        return
    if not wanted:
        app.desk.drafts.decided()
        keep_drafts(app)
        return
    unopened = [(draft, why) for draft in drafts if (why := await _open(app, draft))]
    # What was opened stays in its file until it is typed again: the forms may still be reading.
    app.desk.drafts.decided(draft for draft, _ in unopened)
    if unopened:
        await _show_unopened(app, unopened)


def _titled(draft: Draft) -> str:
    return f"{draft.title} (von vor der Wiederherstellung)" if draft.old else draft.title


async def _open(app: DeskApp, draft: Draft) -> str:
    """Opens the form with what was typed; the reason if it has no form any more."""
    from dpolg_tui.tui.dialogs.queue import open_form

    desk = app.desk
    try:
        match (draft.kind, draft.record_id):
            case "booking", int(record_id):
                await desk.bookings.get(record_id)
            case "guest", int(record_id):
                await desk.guests.get(record_id)
            case "reminder", int(record_id):
                await desk.reminders.get(record_id)
    except DomainError as error:
        return error.message
    may_be_another = draft.old and draft.record_id is not None
    typed = Typed(
        draft.values,
        draft.raws,
        sentence=OLD if may_be_another else "",
        saved=_settles(app, draft.request),
        request=draft.request,
    )
    form = open_form(desk, draft.kind, draft.record_id, typed)
    if form is None:
        return NOT_HERE
    await app.push_screen(form)
    return ""


async def _show_unopened(app: DeskApp, unopened: Iterable[tuple[Draft, str]]) -> None:
    """What was typed, to be taken over by hand: it is lost only when its user says so."""
    lines = []
    for draft, why in unopened:
        lines += [f"• {_titled(draft)}: {why}", *_typed_lines(app, draft)]
    dialog = ConfirmDialog(
        "Eingaben ohne Formular",
        lines,
        "Verwerfen",
        danger=True,
        cancel_label="Bis zum nächsten Start behalten",
    )
    if await app.push_screen_wait(dialog):
        app.desk.drafts.decided()
        keep_drafts(app)


def _typed_lines(app: DeskApp, draft: Draft) -> Iterator[str]:
    for name, raw in draft.raws.items():
        text = raw[-1] if isinstance(raw, list | tuple) and raw else raw
        if text in (None, ""):
            continue
        if name == "room_id" and isinstance(text, int):
            text = room_label(text, app.desk.store.rooms)
        yield f"    {field_label(name)}: {clean_line(value_label(name, text))}"


def offer_old_queue(app: DeskApp) -> None:
    """Shows what was queued for the database before its restore: nothing of it is sent by itself."""
    outbox = app.desk.outbox
    if not outbox.from_before_restore:
        return
    from dpolg_tui.tui.dialogs.queue import QueueDialog

    found, outbox.from_before_restore = outbox.from_before_restore, 0
    what = "1 vorgemerkte Änderung" if found == 1 else f"{found} vorgemerkte Änderungen"
    app.show_toast(
        f"Die Datenbank wurde wiederhergestellt: bitte {what} aus der Zeit davor prüfen.", "warning"
    )
    app.push_screen(QueueDialog())


async def offer_what_was_left(app: DeskApp) -> None:
    """After the sign-in: forms of the last time, then queued writes to be looked at. Only in a worker."""
    await offer_drafts(app)
    offer_old_queue(app)
