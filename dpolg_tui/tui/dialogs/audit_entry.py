"""A whole entry of the audit log: who, when, where, and every field before and after."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Static

from dpolg_tui.domain.audit import AuditEntry
from dpolg_tui.domain.german import format_datetime
from dpolg_tui.domain.words import OPERATIONS, FieldChange, desk_name, record_words, who
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog

COLUMNS = 69
"""Cells inside the dialog, which is as wide as a terminal of 80 columns allows."""

OPEN, ONLY = "open", "only"


class AuditEntryDialog(BaseDialog[str]):
    """Shows an entry, to scroll through. Answers ``OPEN`` or ``ONLY`` if more is wanted."""

    SCOPE = "audit_entry"
    HELP = "Pfeiltasten blättern. Geheimes (Passwörter, Schlüsselcodes) steht nie im Protokoll."
    AUTO_FOCUS = "VerticalScroll"
    BINDINGS: ClassVar[list[BindingType]] = bindings("audit_entry")

    def __init__(self, entry: AuditEntry, changes: Iterable[FieldChange]) -> None:
        super().__init__(record_words(entry))
        self._entry = entry
        self._changes = list(changes)

    def compose_body(self) -> ComposeResult:
        entry = self._entry
        done = OPERATIONS.get(entry.operation, "geändert")
        facts = [
            ("Wann", format_datetime(entry.timestamp)),
            ("Wer", who(entry)),
            ("Platz", desk_name(entry.client_id)),
            ("Was", f"{record_words(entry)}: {done}"),
        ]
        with VerticalScroll(id="audit-entry"):
            yield Static(
                Content("\n").join(Content.assemble((f"{name:<8}", "bold"), of) for name, of in facts)
            )
            yield Static(self._fields(), id="audit-entry-fields")

    def _fields(self) -> Content:
        """A field, and below it what it was and what it became; of a new record only what it is."""
        parts: list[Content] = []
        for change in self._changes:
            parts.append(Content.styled(change.label, "bold"))
            values = [("vorher", change.before), ("nachher", change.after)]
            if self._entry.operation != "UPDATE":
                values = [("", change.after or change.before)]
            for name, value in values:
                lines = textwrap.wrap(value, COLUMNS - 10) or ["–"]
                head = Content.styled(f"  {name:<7} " if name else "  ", "dim")
                parts.append(Content.assemble(head, f"\n{' ' * len(head.plain)}".join(lines)))
        return Content("\n").join(parts) if parts else Content("Keine geänderten Felder.")

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Öffnen  o", OPEN, primary=True)
        yield self.button("Nur dieser Eintrag  d", ONLY)
        yield self.button("Schließen", "cancel")

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id in (OPEN, ONLY):
            event.stop()
            self.finish(event.button.id)

    def action_open(self) -> None:
        """To the record."""
        self.finish(OPEN)

    def action_only(self) -> None:
        """Only the entries of this record."""
        self.finish(ONLY)
