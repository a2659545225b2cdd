"""The kinds of fields: text, day, money, number, notes, choice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date
from decimal import Decimal

from textual.widget import Widget
from textual.widgets import Input, TextArea

from dpolg_tui.domain import german
from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.stay import check_text
from dpolg_tui.tui.dialogs.pick import Option
from dpolg_tui.tui.widgets.choice import Choice
from dpolg_tui.tui.widgets.field import Field, LineInput


class TextField(Field):
    """A line of text. Empty means ``empty``."""

    def __init__(
        self,
        name: str,
        label: str = "",
        *,
        max_length: int = 100,
        required: bool = False,
        placeholder: str = "",
        empty: object = None,
        disabled: bool = False,
    ) -> None:
        self.max_length = max_length
        self._empty = empty
        self._placeholder = placeholder
        super().__init__(name, label, required=required, disabled=disabled)

    def editor(self) -> Widget:
        return LineInput(placeholder=self._placeholder)

    @property
    def input(self) -> LineInput:
        """The editor, typed."""
        assert isinstance(self.editor_widget, LineInput)  # noqa: S101 - narrows for the type checker
        return self.editor_widget

    @property
    def raw(self) -> str:
        return self.input.value

    def put_raw(self, raw: object) -> None:
        with self.input.prevent(Input.Changed):
            self.input.value = str(raw)

    def read(self, raw: object) -> object:
        return check_text(str(raw), self.key, self.max_length, self.label) or self._empty

    def write(self, value: object) -> str:
        return "" if value is None else german.clean_line(str(value))

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.user_changed()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.submitted()

    def submitted(self) -> None:
        """Enter: to the next field."""
        self.screen.focus_next()


class DateField(TextField):
    """A day, typed the German way."""

    EDITOR_WIDTH = 12

    def __init__(
        self,
        name: str,
        parse: Callable[[str], date],
        label: str = "",
        *,
        required: bool = False,
        disabled: bool = False,
    ) -> None:
        super().__init__(name, label, required=required, placeholder="TT.MM.JJJJ", disabled=disabled)
        self._parse = parse

    def read(self, raw: object) -> date | None:
        text = str(raw).strip()
        return self._parse(text) if text else None

    def write(self, value: object) -> str:
        return german.format_date(value) if isinstance(value, date) else ""

    @property
    def day(self) -> date | None:
        """The day, or None while there is none."""
        value = self.peek
        return value if isinstance(value, date) else None


class MoneyField(TextField):
    """An amount of euros."""

    EDITOR_WIDTH = 14

    def read(self, raw: object) -> Decimal | None:
        text = str(raw).strip()
        return german.parse_money(text) if text else None

    def write(self, value: object) -> str:
        return german.format_money(value) if isinstance(value, Decimal) else ""


class NumberField(TextField):
    """A whole number in bounds."""

    EDITOR_WIDTH = 6

    def __init__(
        self, name: str, lowest: int, highest: int, *, required: bool = False, label: str = ""
    ) -> None:
        super().__init__(name, label, required=required)
        self._bounds = (lowest, highest)

    def read(self, raw: object) -> int | None:
        text = str(raw).strip()
        return german.parse_int(text, *self._bounds) if text else None

    def write(self, value: object) -> str:
        return "" if value is None else str(value)

    @property
    def number(self) -> int | None:
        """The number, or None while there is none."""
        value = self.peek
        return value if isinstance(value, int) else None


class NotesField(TextField):
    """Text of several lines."""

    def __init__(self, name: str, *, max_length: int = 4000, lines: int = 3) -> None:
        super().__init__(name, max_length=max_length)
        self._lines = lines

    @property
    def editor_height(self) -> int:
        return self._lines

    def editor(self) -> Widget:
        area = TextArea(compact=True, soft_wrap=True, tab_behavior="focus", highlight_cursor_line=False)
        area.cursor_blink = False
        area.styles.height = self._lines
        return area

    @property
    def area(self) -> TextArea:
        """The editor, typed."""
        assert isinstance(self.editor_widget, TextArea)  # noqa: S101 - narrows for the type checker
        return self.editor_widget

    @property
    def raw(self) -> str:
        return self.area.text

    def put_raw(self, raw: object) -> None:
        with self.area.prevent(TextArea.Changed):
            self.area.text = str(raw)

    def read(self, raw: object) -> object:
        text = "\n".join(line.rstrip() for line in str(raw).splitlines()).strip()
        if len(text) > self.max_length:
            raise InvalidInput(
                f"Höchstens {self.max_length} Zeichen, es sind {len(text)}: bitte kürzen.", self.key
            )
        return text or None

    def write(self, value: object) -> str:
        return "" if value is None else str(value)

    def words(self, value: object) -> str:
        return " ".join(self.write(value).split()) or "leer"

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.user_changed()


class ChoiceField(Field):
    """One of a few values."""

    def __init__(
        self,
        name: str,
        options: Sequence[Option] = (),
        label: str = "",
        *,
        required: bool = False,
        disabled: bool = False,
    ) -> None:
        self._first_options = options
        super().__init__(name, label, required=required, disabled=disabled)

    def editor(self) -> Widget:
        return Choice(self._first_options, title=self.label)

    @property
    def choice(self) -> Choice:
        """The editor, typed."""
        assert isinstance(self.editor_widget, Choice)  # noqa: S101 - narrows for the type checker
        return self.editor_widget

    @property
    def raw(self) -> object:
        return self.choice.value

    def put_raw(self, raw: object) -> None:
        self.choice.value = raw

    def words(self, value: object) -> str:
        return self.choice.label_of(value) or "leer"

    def on_choice_changed(self, event: Choice.Changed) -> None:
        event.stop()
        self.user_changed()


YES_NO = (Option("nein", False), Option("ja", True))
YES_NO_OPEN = (Option("nicht gefragt", None), *YES_NO)
