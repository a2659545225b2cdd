"""What every dialog shares: one way in, exactly one way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from dpolg_tui.tui.blink import stop_blinking
from dpolg_tui.tui.widgets.footer import DeskFooter

if TYPE_CHECKING:
    from dpolg_tui.desk import Desk
    from dpolg_tui.desk.drafts import Draft
    from dpolg_tui.tui.app import DeskApp

ResultT = TypeVar("ResultT")


class BaseDialog(ModalScreen[ResultT], Generic[ResultT]):
    """A modal box with a title, a body and a row of buttons.

    Subclasses yield ``compose_body`` and ``compose_buttons`` and end with ``finish(result)``; Esc
    ends with ``None``. F1, Strg+L and Strg+Q are priority bindings of the app and work here too.
    """

    SCOPE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    LOCKS: ClassVar[bool] = False
    """Whether it keeps people out: the lock screen."""
    OVER_LOCK: ClassVar[bool] = False
    """Whether it may be seen while the screen is locked: help."""
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Abbrechen", key_display="Esc"),
    ]

    def __init__(self, title: str) -> None:
        super().__init__()
        self.title = title
        self._finished = False
        self._waiting: list[ResultT | None] = []

    @property
    def desk_app(self) -> DeskApp:
        """The application, typed."""
        return cast("DeskApp", self.app)

    @property
    def desk(self) -> Desk:
        """What screens talk to."""
        return self.desk_app.desk

    @property
    def dirty(self) -> bool:
        """Whether closing would lose something typed. Forms override it; Esc then asks."""
        return False

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(self.title or "")
            yield from self.compose_body()
            with Horizontal(classes="dialog-buttons"):
                yield from self.compose_buttons()
        yield DeskFooter()

    def compose_body(self) -> ComposeResult:
        """The widgets above the buttons."""
        yield from ()

    def compose_buttons(self) -> ComposeResult:
        """The row of buttons; by default only one that closes."""
        yield self.button("Schließen", "cancel")

    @staticmethod
    def button(label: str, name: str, *, primary: bool = False, danger: bool = False) -> Button:
        """A button of the row. ``name`` becomes its id; ``cancel`` closes the dialog by itself."""
        variant = "error" if danger else "primary" if primary else "default"
        return Button(Content(label), id=name, variant=variant, compact=True)  # type: ignore[arg-type]

    def on_mount(self) -> None:
        self.desk_app.opened(self)

    def on_unmount(self) -> None:
        self.desk_app.closed(self)

    def on_resize(self) -> None:
        """Parts whose height is a share of the screen: Textual knows their old place until they ask anew."""
        for part in self.query_one(".dialog").children:
            part.refresh(layout=True)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        stop_blinking(event.widget)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        if event.button.id == "cancel":
            event.stop()
            self.action_cancel()

    def draft(self) -> Draft | None:
        """What is typed here and not saved, to be kept if the program ends. Forms override it."""
        return None

    def action_cancel(self) -> None:
        """Esc: closes, after asking if something typed would be lost."""
        if not self.dirty:
            self.finish(None)
            return
        from dpolg_tui.tui.dialogs.confirm import discard_changes

        self.app.push_screen(discard_changes(), self._discarded)

    def _discarded(self, agreed: bool | None) -> None:
        if agreed:
            self.finish(None)

    def finish(self, result: ResultT | None) -> None:
        """Closes with a result, once. Under another screen (help, lock) it waits to be on top.

        ``dismiss`` pops whatever is on top, so a second one (Enter, then Esc at once) or one from
        below would close the wrong screen.
        """
        if self._finished:
            return
        if not self.is_active:
            self._waiting[:] = [result]
            return
        self._finished = True
        self.dismiss(result)

    @property
    def at_its_end(self) -> bool:
        """Whether it has its answer, though it may still wait for its turn to close."""
        return self._finished or bool(self._waiting)

    def on_screen_resume(self) -> None:
        if self._waiting:
            self.call_later(self.finish, self._waiting.pop())
