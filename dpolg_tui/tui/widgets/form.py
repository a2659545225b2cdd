"""A form: fields that are loaded, judged, compared and refreshed together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar
from uuid import uuid4

from textual.containers import VerticalScroll
from textual.widgets import Static

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.merge import Changes, diff, merge
from dpolg_tui.domain.models import Conflict
from dpolg_tui.tui.widgets.field import LABEL_WIDTH, Field


class Section(Static):
    """A heading between the fields of a form."""

    def __init__(self, title: str) -> None:
        super().__init__(title, markup=False)


class Form(VerticalScroll, can_focus=False):
    """Holds fields; knows what the user changed and nothing about what it means.

    A *group* joins several fields into one value (``stay/17`` = room, arrival and departure), as
    the database sees them: it changes and conflicts as a whole.
    """

    COMPONENT_CLASSES: ClassVar[set[str]] = {"form--label", "form--note", "form--error", "form--hint"}

    groups: dict[str, tuple[str, ...]]

    def __init__(
        self,
        *children: Field | Section,
        label_width: int = LABEL_WIDTH,
        id: str | None = None,  # noqa: A002
    ) -> None:
        super().__init__(*children, id=id)
        self.label_width = label_width
        self.draft_id = uuid4().hex
        """Names what is typed here, in drafts and in the queue."""
        self.groups = {}
        self._ready = True

    @property
    def ready(self) -> bool:
        """False while the stored record is still being read: nothing can be typed or saved yet."""
        return self._ready

    @ready.setter
    def ready(self, ready: bool) -> None:
        self._ready = ready
        # Hidden fields take no focus. Empty ones would invite to type what the record then replaces.
        self.styles.visibility = "visible" if ready else "hidden"

    @property
    def fields(self) -> dict[str, Field]:
        """All fields by name."""
        return {field.key: field for field in self.query(Field)}

    def field(self, name: str) -> Field:
        """The field of that name."""
        return self.fields[name]

    # Values

    def load(self, values: Mapping[str, object], groups: Mapping[str, tuple[str, ...]] | None = None) -> None:
        """Show a stored record. Fields that it does not name keep their value."""
        if groups is not None:
            self.groups = dict(groups)
        flat = self._flat(values)
        for name, field in self.fields.items():
            if name in flat:
                field.load(flat[name])

    def put(self, values: Mapping[str, object]) -> None:
        """Type values for the user."""
        flat = self._flat(values)
        for name, field in self.fields.items():
            if name in flat:
                field.put(flat[name])
                field.post_message(Field.Changed(field))

    def values(self) -> dict[str, object]:
        """What is typed, groups joined. Shows every sentence at its field, then raises the first."""
        found: dict[str, object] = {}
        wrong: list[InvalidInput] = []
        for name, field in self.fields.items():
            try:
                found[name] = field.value
            except InvalidInput as error:
                field.error = error.message
                wrong.append(error)
        if wrong:
            self._focus(wrong[0].field)
            raise wrong[0]
        return self._joined(found)

    def changes(self) -> Changes:
        """Only what the user changed; raises ``InvalidInput`` like ``values``."""
        values = self.values()
        return diff(self.originals, values)

    @property
    def originals(self) -> dict[str, object]:
        """What the form takes for stored."""
        return self._joined({name: field.original for name, field in self.fields.items()})

    @property
    def dirty(self) -> bool:
        """Whether anything was changed."""
        return any(field.touched for field in self.query(Field))

    def _joined(self, flat: Mapping[str, object]) -> dict[str, object]:
        joined = {
            key: {name: flat[name] for name in names if name in flat} for key, names in self.groups.items()
        }
        members = {name for names in self.groups.values() for name in names}
        return {**{name: value for name, value in flat.items() if name not in members}, **joined}

    def _flat(self, values: Mapping[str, object]) -> dict[str, object]:
        flat: dict[str, object] = {}
        for name, value in values.items():
            if name in self.groups and isinstance(value, Mapping):
                flat.update({str(part): of for part, of in value.items()})
            else:
                flat[name] = value
        return flat

    # Colleagues

    def colleague_saved(self, values: Mapping[str, object], by: str) -> tuple[list[str], list[str]]:
        """A colleague saved this record: labels of the fields (refreshed, only marked).

        Of a group either all fields are refreshed or none. The original of what is only marked
        stays, so that saving finds the conflict and asks.
        """
        fields, base = self.fields, self.originals
        theirs = self._joined(self._flat(values))
        theirs = {name: theirs[name] for name in base if name in theirs and self._whole(name, theirs[name])}
        mine = self._joined({name: _typed(field) for name, field in fields.items()})
        joined = merge(base, {name: mine[name] for name in theirs}, theirs)
        in_conflict = {conflict.field for conflict in joined.conflicts}
        refreshed: list[str] = []
        marked: list[str] = []
        for name, stored in theirs.items():
            flat = self._flat({name: stored})
            changed = [fields[part] for part in flat if flat[part] != fields[part].original]
            in_hand = name in joined.merged and any(field.has_caret for field in changed)
            if name in in_conflict or in_hand:
                for field in changed:
                    if _typed(field) != flat[field.key]:
                        field.name_theirs(flat[field.key], by)
                        marked.append(field.label)
            else:
                for part, value in flat.items():
                    fields[part].follow(value)
                refreshed += [field.label for field in changed]
        return refreshed, marked

    def _whole(self, name: str, value: object) -> bool:
        names = self.groups.get(name)
        return names is None or (
            isinstance(value, Mapping) and value.keys() == self.fields.keys() & set(names)
        )

    def on_field_left(self, event: Field.Left) -> None:
        """What only waited for the user's hands to go follows now."""
        fields = self.fields
        names = next((names for names in self.groups.values() if event.field.key in names), ())
        parts = [fields[name] for name in names if name in fields] or [event.field]
        if not any(part.touched or part.has_caret for part in parts):
            for part in parts:
                if part.theirs is not None:
                    part.load(part.theirs[0])

    def settle(self, conflicts: Iterable[Conflict], chosen: Mapping[str, object]) -> None:
        """The user has chosen: theirs is what stands in the database now, chosen what is wanted."""
        for conflict in conflicts:
            theirs = self._flat({conflict.field: conflict.theirs})
            for name, value in theirs.items():
                if name in self.fields:
                    self.fields[name].load(value)
            self.put({conflict.field: chosen[conflict.field]})

    def mark(self, conflicts: Iterable[Conflict], by: str) -> None:
        """Name what a colleague saved, without deciding."""
        for conflict in conflicts:
            for name, value in self._flat({conflict.field: conflict.theirs}).items():
                if name in self.fields and value != self.fields[name].original:
                    self.fields[name].name_theirs(value, by)

    # Sentences

    def show_error(self, name: str | None, sentence: str) -> bool:
        """Put a sentence to its field and go there; False if there is no such field."""
        name = (name or "").partition("/")[0]
        group = next((names for key, names in self.groups.items() if key.partition("/")[0] == name), None)
        field = self.fields.get(group[0] if group else name)
        if field is None:
            return False
        field.error = sentence
        self._focus(field.key)
        return True

    def clear_errors(self) -> None:
        """Take all sentences away."""
        for field in self.query(Field):
            field.error = ""

    def _focus(self, name: str | None) -> None:
        field = self.fields.get(name or "")
        if field is not None:
            field.editor_widget.focus()

    def focus_first(self) -> None:
        """Go to the first field that takes input."""
        for field in self.query(Field):
            if not field.disabled and field.display:
                field.editor_widget.focus()
                return


def _typed(field: Field) -> object:
    """The value of a field; something like nothing else while its text means nothing."""
    try:
        return field.value
    except InvalidInput:
        return object()
