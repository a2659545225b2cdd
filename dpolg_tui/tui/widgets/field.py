"""Fields of a form: a label, an editor, a note beside and a sentence below it.

A field knows the value that the form was opened with (``original``) and whether the user has
touched it. It draws label, note and sentence itself, so that it costs two widgets and a guest's
35 fields open at once.
"""

from __future__ import annotations

import textwrap
from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len, set_cell_size
from rich.style import Style
from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, TextArea

from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.labels import field_label

LABEL_WIDTH = 16
"""Columns of the labels where the form does not say another width; editors begin after them."""


class LineInput(Input):
    """An input of one line: pasted line breaks become spaces, the cursor does not blink."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+z", "undo_text", show=False),
        Binding("ctrl+y", "redo_text", show=False),
    ]

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:  # noqa: A002
        # Before Textual's part, which already sets a value.
        self._typed_before: list[str] = []
        self._typed_after: list[str] = []
        self._in_word = self._in_step = False
        super().__init__(value, placeholder=placeholder, id=id, compact=True, highlighter=None)
        self.cursor_blink = False

    def watch_value(self, before: str, after: str) -> None:
        """Keeps what was typed, a run of letters as one; what the program puts in begins anew."""
        if self._in_step:
            return
        self._typed_after.clear()
        if not self.has_focus:
            self._typed_before.clear()
            return
        at = next(
            (at for at, pair in enumerate(zip(before, after, strict=False)) if len(set(pair)) > 1),
            len(before),
        )
        typing = len(after) == len(before) + 1 and not after[at].isspace()
        if not (typing and self._in_word):
            self._typed_before.append(before)
        self._in_word = typing

    def action_undo_text(self) -> None:
        """Strg+Z in a field: what was typed there, nothing else."""
        self._step(self._typed_before, self._typed_after)

    def action_redo_text(self) -> None:
        self._step(self._typed_after, self._typed_before)

    def _step(self, source: list[str], target: list[str]) -> None:
        if not source:
            return
        target.append(self.value)
        self._in_step, self._in_word = True, False
        self.value = source.pop()
        self._in_step = False
        self.cursor_position = len(self.value)

    def on_paste(self, event: events.Paste) -> None:
        """Keeps everything that was pasted; Textual's own handler would drop all but the first line."""
        event.stop()
        event.prevent_default()
        text = german.clean_line(event.text)
        if text:
            self.replace(text, *sorted(self.selection))


class Field(Widget):
    """One value of a form.

    ``value`` is typed and raises ``InvalidInput`` while the text means nothing. The editor's text
    (``raw``) is never changed while the user is in it.
    """

    EDITOR_WIDTH: ClassVar[int | None] = None
    """Columns of the editor; None: all there are. Only narrow ones have room for a note."""

    @dataclass
    class Changed(Message):
        """The user has changed the value (or is about to, for text)."""

        field: Field

    @dataclass
    class Left(Message):
        """The user has left the field."""

        field: Field

    def __init__(self, name: str, label: str = "", *, required: bool = False, disabled: bool = False) -> None:
        super().__init__(id=f"field-{name}", name=name, disabled=disabled)
        self.key = name
        self.label = label or field_label(name)
        self.required = required
        self.original: object = None
        self.theirs: tuple[object, str] | None = None
        """What a colleague saved while I was typing here, and who."""
        self._note = ""
        self._error = ""
        self._hint = ""

    # What subclasses say. Not abstract: mypy lets only whole classes into ``query(Field)``.

    def editor(self) -> Widget:
        """The widget to type in, made once."""
        raise NotImplementedError

    @property
    def raw(self) -> object:
        """What the editor holds."""
        raise NotImplementedError

    def put_raw(self, raw: object) -> None:
        """Change what the editor holds; tells nobody."""
        raise NotImplementedError

    def read(self, raw: object) -> object:
        """Turn what the editor holds into a value; raises ``InvalidInput``."""
        return raw

    def write(self, value: object) -> object:
        """Turn a value into what the editor holds."""
        return value

    def words(self, value: object) -> str:
        """A value as staff read it, for hints."""
        return str(self.write(value)) or "leer"

    # Values

    @property
    def value(self) -> object:
        """What the user has typed, typed; raises ``InvalidInput`` with this field's name."""
        raw = self.raw
        if raw == self.write(self.original):
            value = self.original
        else:
            try:
                value = self.read(raw)
            except InvalidInput as error:
                raise InvalidInput(error.message, self.key) from error
        if self.required and value in (None, ""):
            raise InvalidInput(f"{self.label} fehlt: bitte ausfüllen.", self.key)
        return value

    @property
    def peek(self) -> object:
        """The value, or None while the text means nothing."""
        try:
            return self.value
        except InvalidInput:
            return None

    @property
    def touched(self) -> bool:
        """Whether the user wants something else than what was there."""
        raw = self.raw
        if raw == self.write(self.original):
            return False
        try:
            return self.read(raw) != self.original
        except InvalidInput:
            return True

    def load(self, value: object) -> None:
        """Show a stored value: what is typed here is measured against it."""
        self.original = value
        self.theirs = None
        self._hint = ""
        self.put(value)

    def put(self, value: object) -> None:
        """Type a value for the user; the original stays."""
        raw = self.write(value)
        if raw != self.raw:
            self.put_raw(raw)
        self._error = ""
        self._arrange()

    def follow(self, value: object) -> None:
        """``value`` is what is stored now, and nothing that I typed contradicts it."""
        if value != self.original and not self.touched:
            self.load(value)
        else:
            self.original, self.theirs, self._hint = value, None, ""
            self._arrange()

    def name_theirs(self, value: object, by: str) -> None:
        """Say what a colleague saved here, and leave mine alone."""
        self.theirs = (value, by)
        self._hint = f"{by} hat gespeichert: {self.words(value)}"
        self._arrange()

    @property
    def has_caret(self) -> bool:
        """Whether the text under the user's hands would move."""
        return self.editor_widget.has_focus and isinstance(self.editor_widget, Input | TextArea)

    # What stands around the editor

    @property
    def note(self) -> str:
        """Words beside a narrow editor."""
        return self._note

    @note.setter
    def note(self, note: str) -> None:
        if note != self._note:
            self._note = note
            self.refresh()

    def forbid(self, why: str) -> None:
        """Lets the user only look, and says why."""
        self.disabled = self.editor_widget.disabled = True
        self.note = why

    @property
    def error(self) -> str:
        """The sentence below the editor."""
        return self._error

    @error.setter
    def error(self, error: str) -> None:
        if error != self._error:
            self._error = error
            self._arrange()

    @property
    def hint(self) -> str:
        """The colleague's value, named below the editor."""
        return self._hint

    def compose(self) -> ComposeResult:
        yield self.editor_widget

    @property
    def editor_widget(self) -> Widget:
        """The editor, made on first use."""
        known: Widget | None = getattr(self, "_editor", None)
        if known is None:
            known = self._editor = self.editor()
            known.add_class("editor")
            known.disabled = self.disabled
            if self.EDITOR_WIDTH is not None:
                known.styles.width = self.EDITOR_WIDTH
        return known

    @property
    def editor_height(self) -> int:
        """Lines of the editor."""
        return 1

    def _sentences(self, width: int) -> list[tuple[str, str]]:
        """(style, line) of what stands below the editor."""
        lines: list[tuple[str, str]] = []
        for style, sentence in (("form--error", self._error), ("form--hint", self._hint)):
            lines += [(style, line) for line in textwrap.wrap(sentence, max(width, 10))]
        return lines

    def _arrange(self) -> None:
        """Make room for the sentences."""
        self.set_class(bool(self._error), "-invalid")
        if self.is_mounted:
            self.styles.height = self.editor_height + len(self._sentences(self.size.width - self.label_width))
            self.refresh()

    @property
    def label_width(self) -> int:
        """Columns of the label, as the form wants it."""
        return int(getattr(self.parent, "label_width", LABEL_WIDTH))

    def _style(self, name: str) -> Style:
        """A style of the form: styling each of many fields by itself would take longer than drawing them."""
        assert isinstance(self.parent, Widget)  # noqa: S101 - narrows for the type checker
        return self.parent.get_component_rich_style(name, partial=True)

    def on_mount(self) -> None:
        for child in self.children:
            child.styles.margin = (0, 0, 0, self.label_width)
        self._arrange()

    def on_resize(self) -> None:
        self._arrange()

    def render(self) -> Text:
        label = Text(
            set_cell_size(self.label + (" *" if self.required else ""), self.label_width),
            self._style("form--label"),
        )
        if self._note and self.EDITOR_WIDTH is not None:
            label.append(" " * (self.EDITOR_WIDTH + 1))
            room = max(0, self.size.width - self.label_width - self.EDITOR_WIDTH - 1)
            note = self._note if cell_len(self._note) <= room else set_cell_size(self._note, room - 1) + "…"
            label.append(note, self._style("form--note"))
        text = Text("\n" * (self.editor_height - 1), no_wrap=True, end="")
        text = Text.assemble(label, text, no_wrap=True)
        for style, line in self._sentences(self.size.width - self.label_width):
            text.append("\n" + " " * self.label_width)
            text.append(line, self._style(style))
        return text

    # Events of the editor

    def user_changed(self) -> None:
        """The editor's content was changed by the user."""
        self.error = ""
        self.post_message(self.Changed(self))

    def on_descendant_blur(self) -> None:
        self.left()

    def left(self) -> None:
        """Judges what was typed when the user leaves it, and writes it as it is always written."""
        if self.raw != self.write(self.original):
            try:
                value = self.read(self.raw)
            except InvalidInput as error:
                self.error = error.message
            else:
                raw = self.write(value)
                if raw != self.raw:
                    self.put_raw(raw)
        self.post_message(self.Left(self))
