"""Saving a form: sends what changed, and asks when a colleague changed the same."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from dpolg_tui.domain.errors import InvalidInput, RuleViolated
from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.merge import Changes
from dpolg_tui.domain.models import Outcome, WriteResult
from dpolg_tui.tui.dialogs.conflict import ConflictDialog, is_gone
from dpolg_tui.tui.widgets.form import Form

if TYPE_CHECKING:
    from textual.notifications import SeverityLevel

    from dpolg_tui.domain.errors import DomainError
    from dpolg_tui.tui.app import DeskApp

NOTHING_CHANGED = "Es ist nichts geändert, also gibt es nichts zu speichern."


async def save_changes(
    app: DeskApp,
    form: Form,
    save: Callable[[Changes, Mapping[str, object]], Awaitable[WriteResult]],
    guest_names: dict[int, str] | None = None,
    stay_gone: Callable[[bool], Awaitable[None]] | None = None,
) -> WriteResult | None:
    """Sends the changes of a form until no field conflicts any more. Only inside a worker.

    ``save`` gets the changes, and what the form took for stored. ``stay_gone`` is told whether a stay
    that a colleague has removed is wanted all the same.

    None: nothing was saved, because nothing is changed or the user went back to the form.
    """
    while True:
        changes = form.changes()
        if not changes:
            app.show_toast(NOTHING_CHANGED)
            return None
        result = await save(changes, form.originals)
        if result.outcome is not Outcome.CONFLICT:
            return result
        answer = await app.push_screen_wait(ConflictDialog(result.conflicts, result.changed_by, guest_names))
        chosen = cast("dict[str, object] | None", answer)
        if chosen is None:
            form.mark(result.conflicts, result.changed_by or "Jemand")
            return None
        gone = [conflict for conflict in result.conflicts if is_gone(conflict)]
        form.settle([conflict for conflict in result.conflicts if conflict not in gone], chosen)
        if gone and stay_gone is not None:
            await stay_gone(chosen[gone[0].field] is not None)


def saved_sentence(what: str, result: WriteResult) -> str:
    """What the toast says after saving; names what a colleague had changed meanwhile."""
    if not result.merged:
        return f"{what} gespeichert."
    names = ", ".join(dict.fromkeys(field_label(name) for name in result.merged))
    return f"{what} gespeichert. {result.changed_by or 'Jemand'} hat inzwischen geändert: {names}."


def queued_sentence(what: str) -> str:
    """What the toast says when there is no connection."""
    return f"{what} vorgemerkt: wird gesendet, sobald die Verbindung wieder da ist."


def queue_sentences(done: Sequence[str], refused: Sequence[str]) -> Iterator[tuple[str, SeverityLevel]]:
    """What became of queued changes after the reconnect."""
    if done:
        what = done[0] if len(done) == 1 else f"{len(done)} vorgemerkte Änderungen"
        yield f"Gesendet und gespeichert: {what}.", "information"
    if refused:
        what = refused[0] if len(refused) == 1 else f"{len(refused)} vorgemerkte Änderungen"
        yield (
            f"Passt nicht mehr: {what}. Strg+P „Vorgemerkte Änderungen“ öffnet sie mit Ihren Eingaben.",
            "warning",
        )


def interrupted_sentence(changes: int | None, names: Sequence[str]) -> str:
    """One line about what happened while the connection was gone; None: more than can be counted."""
    if changes is None:
        return "Während der Unterbrechung hat sich viel geändert: alles wurde neu gelesen."
    what = "1 Änderung" if changes == 1 else f"{changes} Änderungen"
    return f"Während der Unterbrechung: {what} ({', '.join(names)}). Strg+P zeigt die Liste."


def show_at_field(form: Form, error: DomainError) -> bool:
    """Puts the sentence of a refused value to its field; False if it belongs to none."""
    if isinstance(error, InvalidInput | RuleViolated):
        return form.show_error(error.field, error.message)
    return False
