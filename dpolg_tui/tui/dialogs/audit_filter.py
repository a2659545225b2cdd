"""Chooses which entries of the audit log are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.widgets import Button

from dpolg_tui.domain.audit import AuditFilter, parse_past_day
from dpolg_tui.domain.audited import FIELDS, KINDS
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.german import format_date, search_key
from dpolg_tui.domain.labels import field_label
from dpolg_tui.domain.models import User
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.widgets.field import Field
from dpolg_tui.tui.widgets.fields import ChoiceField, DateField
from dpolg_tui.tui.widgets.form import Form

ALL = Option("alle", None)


@dataclass(frozen=True, slots=True)
class Record:
    """A record whose entries can be asked for."""

    label: str
    tables: tuple[str, ...]
    id: int

    def fits(self, wanted: AuditFilter) -> bool:
        """Whether this record is what a filter asks for."""
        return (wanted.tables, wanted.record_id) == (self.tables, self.id)


class AuditFilterDialog(BaseDialog[AuditFilter]):
    """Answers the filter; an empty one shows everything again."""

    SCOPE = "dialog"
    HELP = (
        "Tage: 21.11. · 21.11.25 · heute · gestern · mo · -7 (vor sieben Tagen); beide Tage zählen mit. "
        "„Eintrag“ bietet den an, der in der Liste markiert ist. In den Auswahllisten springen Buchstaben "
        "zum nächsten passenden Wort."
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings("dialog")
    AUTO_FOCUS = "Choice"

    def __init__(
        self, wanted: AuditFilter, colleagues: Mapping[int, User], records: Iterable[Record] = ()
    ) -> None:
        super().__init__("Protokoll filtern")
        self._wanted = wanted
        self._colleagues = colleagues
        self._records = tuple(dict.fromkeys(records))

    def compose_body(self) -> ComposeResult:
        people = sorted(self._colleagues.values(), key=lambda user: search_key(user.display_name))
        self._kind = ChoiceField("kind", [ALL, *(Option(name, KINDS[name]) for name in KINDS)], "Art")
        self._column = ChoiceField("field", field_options(()), "Feld")
        self._first = DateField("first", self._day, "von")
        self._last = DateField("last", self._day, "bis")
        self._user = ChoiceField(
            "user", [ALL, *(Option(user.display_name, user.id) for user in people)], "Benutzer"
        )
        self._record = ChoiceField(
            "record", [ALL, *(Option(record.label, record) for record in self._records)], "Eintrag"
        )
        yield Form(self._user, self._kind, self._record, self._column, self._first, self._last)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Anwenden  Strg+S", "apply", primary=True)
        yield self.button("Alles zeigen", "all")
        yield self.button("Abbrechen", "cancel")

    def on_mount(self) -> None:
        wanted = self._wanted
        self._user.load(wanted.user_id)
        self._record.load(next((record for record in self._records if record.fits(wanted)), None))
        self._kind.load(wanted.tables if wanted.tables in KINDS.values() and not wanted.record_id else None)
        self._column.load(wanted.field)
        self._first.load(wanted.first)
        self._last.load(wanted.last)
        self._record.disabled = len(self._records) == 0
        self._offer_fields()

    def on_field_changed(self, event: Field.Changed) -> None:
        event.stop()
        if event.field in (self._kind, self._record):
            self._offer_fields()

    def _tables(self) -> tuple[str, ...]:
        record = self._record.value
        return (
            record.tables if isinstance(record, Record) else cast("tuple[str, ...]", self._kind.value or ())
        )

    def _offer_fields(self) -> None:
        """A record has a kind already; a kind has its own fields."""
        chosen = isinstance(self._record.value, Record)
        self._kind.disabled = self._kind.editor_widget.disabled = chosen
        if chosen:
            self._kind.put(None)
        options = field_options(self._tables())
        self._column.choice.set_options(options)
        if self._column.value not in [option.value for option in options]:
            self._column.put(None)

    def _day(self, text: str) -> date:
        return parse_past_day(text, today=self.desk.today())

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "all":
            event.stop()
            self.finish(AuditFilter())
        elif event.button.id == "apply":
            event.stop()
            self.action_save()

    def action_save(self) -> None:
        """Answers with what is chosen, or shows at which day something is wrong."""
        form = self.query_one(Form)
        form.clear_errors()
        try:
            form.values()
        except InvalidInput:
            return  # said at its field
        first, last = self._first.day, self._last.day
        if first is not None and last is not None and last < first:
            form.show_error("last", f"Das Ende liegt vor dem {format_date(first)}: bitte später wählen.")
            return
        record = self._record.value
        self.finish(
            AuditFilter(
                user_id=cast("int | None", self._user.value),
                tables=self._tables(),
                record_id=record.id if isinstance(record, Record) else None,
                first=first,
                last=last,
                field=cast("str | None", self._column.value),
            )
        )


def field_options(tables: tuple[str, ...]) -> list[Option]:
    """The fields of these tables (none: of all) in German, each column once, in the order of the alphabet."""
    words: dict[str, dict[str, None]] = {}
    for table in tables or FIELDS:
        for column in FIELDS[table]:
            words.setdefault(column, {})[field_label(column, table)] = None
    options = [Option(" / ".join(labels), column) for column, labels in words.items()]
    return [ALL, *sorted(options, key=lambda option: search_key(option.label))]
