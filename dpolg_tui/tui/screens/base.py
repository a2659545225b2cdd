"""What every screen of the desk shares: header, footer, help, and the desk's events."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from dpolg_tui.desk.events import (
    BackupStateChanged,
    ConnectionChanged,
    DeskEvent,
    PresenceChanged,
    QueueChanged,
    RecordChanged,
    SessionLost,
    StoreReloaded,
)
from dpolg_tui.tui.actions import allowed
from dpolg_tui.tui.blink import stop_blinking
from dpolg_tui.tui.hearing import Hearing
from dpolg_tui.tui.widgets.footer import DeskFooter
from dpolg_tui.tui.widgets.header import DeskHeader

if TYPE_CHECKING:
    from dpolg_tui.desk import Desk
    from dpolg_tui.desk.drafts import Draft
    from dpolg_tui.desk.events import ConnectionState
    from dpolg_tui.tui.app import DeskApp


class DeskScreen(Hearing, Screen[None]):
    """A full screen with header and footer that hears of everything that happens on the desk.

    Subclasses set ``SCOPE`` (their scope in the actions registry, with
    ``BINDINGS = bindings(SCOPE)``), ``TITLE`` (shown in the header) and ``HELP`` (a few sentences
    above the keys on F1), yield their widgets in ``compose_body`` and override the ``on_…`` hooks.
    Desk events arrive as messages, so hooks may touch widgets.
    """

    SCOPE: ClassVar[str] = ""
    HELP: ClassVar[str] = ""
    BINDINGS: ClassVar[list[BindingType]] = []

    booking_id: int | None = None
    """The stored booking that is open for editing here: colleagues see a hint."""

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
        """Whether leaving would lose something typed. Forms override it."""
        return False

    @property
    def may_undo(self) -> bool:
        """Whether Strg+Z takes back the last change here: not where text is typed. Places override it."""
        return False

    def draft(self) -> Draft | None:
        """What is typed here and not saved, to be kept if the program ends. Forms override it."""
        return None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """What the role may not do is not there: neither its key nor its word."""
        return allowed(self.SCOPE, action, self.desk_app.role)

    def compose(self) -> ComposeResult:
        yield DeskHeader()
        yield from self.compose_body()
        yield DeskFooter()

    def compose_body(self) -> ComposeResult:
        """The widgets between header and footer."""
        yield from ()

    def on_mount(self) -> None:
        self.desk_app.opened(self)

    def on_unmount(self) -> None:
        self.desk_app.closed(self)

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        stop_blinking(event.widget)

    def on_screen_resume(self) -> None:
        self.show_state()

    def heard(self, event: DeskEvent) -> None:
        """Sorts the desk's events into the hooks."""
        match event:
            case RecordChanged():
                self.on_record_changed(event)
            case StoreReloaded():
                self.on_store_reloaded()
            case ConnectionChanged(state=state):
                self.show_state()
                self.on_connection_changed(state)
            case PresenceChanged():
                self.show_state()
                self.on_presence_changed()
            case SessionLost() | QueueChanged() | BackupStateChanged():
                self.show_state()

    def show_state(self) -> None:
        """Paints the header again: who is here, whether the database answers, what is under way."""
        self.desk_app.show_whereabouts()
        for header in self.query(DeskHeader):
            header.show_state()

    def on_record_changed(self, event: RecordChanged) -> None:
        """A booking, block, room or guest was changed, here or on another desk."""

    def on_store_reloaded(self) -> None:
        """Everything was read anew: show it without moving cursor or scroll position."""

    def on_connection_changed(self, state: ConnectionState) -> None:
        """The database was reached or lost."""

    def on_presence_changed(self) -> None:
        """A colleague signed in or out."""

    async def ask_to_leave(self) -> bool:
        """True if nothing would be lost or the user agrees to lose it. Only inside a worker."""
        if not self.dirty:
            return True
        from dpolg_tui.tui.dialogs.confirm import discard_changes

        agreed = await self.app.push_screen_wait(discard_changes())
        return bool(agreed)
