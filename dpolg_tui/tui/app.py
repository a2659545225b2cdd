"""The application: places, who is signed in, lock, and the way out. Screens do the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual import events
from textual.app import App
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.worker import get_current_worker

from dpolg_tui.desk.events import ConnectionChanged, DeskEvent, SessionLost
from dpolg_tui.domain.models import Role
from dpolg_tui.log import log_defect
from dpolg_tui.tui import work
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.places import FOR_ADMINS, PLACES, load
from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.themes import THEMES, choose_theme, first_theme

if TYPE_CHECKING:
    from dpolg_tui.desk import Desk
    from dpolg_tui.tui.work import Job

STYLES = Path(__file__).parent / "styles"
LOGIN = "_default"
"""Textual's own first mode. One of ours would have all CSS parsed twice before the first picture."""
IDLE_CHECK = 5.0
"""Seconds between two looks at the clock of the idle lock."""


class DeskApp(App[None], inherit_bindings=False):
    """The booking desk.

    ``start_screen`` replaces the login as the first screen, for tests and pictures.
    """

    TITLE = "DPolG Buchungssystem"
    CSS_PATH: ClassVar[Any] = STYLES / "desk.tcss"  # the others when somebody has signed in
    ENABLE_COMMAND_PALETTE = False  # our own, in German
    NOTIFICATION_TIMEOUT = 6
    BINDINGS: ClassVar[list[BindingType]] = [
        *bindings("app"),
        Binding("ctrl+c", "cancel_job", show=False, priority=True, system=True),
        Binding("ctrl+c", "hint_leave", show=False, system=True),
    ]

    @dataclass
    class Heard(Message):
        """The desk said something; carries it from its listener into the app's own queue."""

        event: DeskEvent

    def __init__(self, desk: Desk, start_screen: Callable[[], Screen[Any]] | None = None) -> None:
        super().__init__()
        self.desk = desk
        self._open: list[DeskScreen | BaseDialog[Any]] = []
        self.waiting_jobs: set[Job] = set()
        """Work that was asked for and has not begun."""
        self._jobs: list[Job] = []
        self._held: list[tuple[str, SeverityLevel]] = []
        self._last_activity = time.monotonic()
        self._reachable = False
        self._asking = False
        self._unsubscribe: Callable[[], None] | None = None
        self._start_screen = start_screen
        for theme in THEMES:
            self.register_theme(theme)
        wanted = desk.config.ui.theme
        first_theme(self, choose_theme(wanted, self.console.color_system, frozenset(self.available_themes)))

    def on_mount(self) -> None:
        self._unsubscribe = self.desk.subscribe(lambda event: self.post_message(self.Heard(event)))
        self.set_interval(IDLE_CHECK, self.lock_if_idle)

    def on_unmount(self) -> None:
        work.close_cancelled(self)
        if self._unsubscribe is not None:
            self._unsubscribe()

    def get_default_screen(self) -> Screen[Any]:
        """The login, unless another first screen was asked for."""
        if self._start_screen is None:
            return load("dpolg_tui.tui.screens.login", "LoginScreen")
        self._read_styles()
        return self._start_screen()

    def _read_styles(self) -> None:
        """Reads the styles of everything behind the login."""
        self.stylesheet.read_all(sorted(STYLES.glob("*.tcss")))

    # Who is here

    @property
    def role(self) -> Role | None:
        """Role of the user who is signed in."""
        return self.desk.user.role if self.desk.user else None

    @property
    def _locks(self) -> list[BaseDialog[Any]]:
        return [
            screen
            for screen in self.screen_stack
            if isinstance(screen, BaseDialog) and screen.LOCKS and not screen.at_its_end
        ]

    @property
    def locked(self) -> bool:
        """Whether the lock screen lies over everything."""
        return bool(self._locks)

    async def signed_in(self) -> None:
        """After the login: opens the first place."""
        self._read_styles()
        for name, (module, screen) in PLACES.items():
            self.add_mode(name, lambda module=module, screen=screen: load(module, screen))  # type: ignore[misc]
        # Textual does not count its first mode as one: without this there is no way back to the login.
        self._modes[LOGIN] = self.get_default_screen
        self._last_activity = time.monotonic()
        await self.switch_mode("chart")
        self._reachable = self.desk.connection.phase == "connected"
        if self._reachable:
            self.notify("Echtzeit-Sync verbunden", timeout=3)

    async def sign_out(self) -> None:
        """Ends the session and goes back to the login. Whoever calls has asked about open forms."""
        if not self.signed_in_places:
            return
        await self.desk.logout()
        self._end_other_flows()
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        await self.switch_mode(LOGIN)
        for name in self.signed_in_places:
            await self.remove_mode(name)
        self.clear_notifications()

    def _end_other_flows(self) -> None:
        """Ends writes that wait for the answer of a dialog which is about to disappear."""
        current = get_current_worker()
        for worker in list(self.workers):
            if worker.group == "write" and worker is not current:
                worker.cancel()

    @property
    def signed_in_places(self) -> list[str]:
        """The places that exist now: none before the login."""
        return [name for name in PLACES if name in self._modes]

    # What is open

    def opened(self, screen: DeskScreen | BaseDialog[Any]) -> None:
        """A screen or dialog has appeared."""
        self._open.append(screen)
        hidden = isinstance(screen, BaseDialog) and not (screen.LOCKS or screen.OVER_LOCK)
        if hidden and self.locked and not self._asking:
            # Work that went on under the lock asks something: that must wait behind a lock, too.
            self._push_lock("")

    def closed(self, screen: DeskScreen | BaseDialog[Any]) -> None:
        """A screen or dialog is gone."""
        if screen in self._open:
            self._open.remove(screen)

    @property
    def dirty_screens(self) -> list[DeskScreen | BaseDialog[Any]]:
        """Forms, in all places, with something typed and not saved."""
        return [screen for screen in self._open if screen.dirty]

    async def ask_to_lose(self, then: str) -> bool:
        """True if no form is open with unsaved input or the user agrees to lose it. In a worker."""
        dirty = self.dirty_screens
        if not dirty:
            return True
        if self._asking:
            return False  # the question is on the screen already
        from dpolg_tui.tui.dialogs.confirm import ConfirmDialog

        self._asking = True
        try:
            agreed = await self.push_screen_wait(
                ConfirmDialog(
                    "Nicht gespeicherte Eingaben",
                    # Whoever signs out of a locked desk is not told whose form is open.
                    [f"Ungespeicherte Formulare: {len(dirty)}"]
                    if self.locked
                    else ["Noch nicht gespeichert:", *(f"• {screen.title}" for screen in dirty)],
                    then,
                    danger=True,
                )
            )
        finally:
            self._asking = False
        return bool(agreed)

    # What takes time

    def job_is_slow(self, job: Job, *, cancellable: bool = False) -> None:
        """Work takes long: the header says so, and after a while how to cancel it."""
        if job.over:
            return  # the clock rang while it ended
        job.cancellable = cancellable
        if job not in self._jobs:
            self._jobs.append(job)
        self._show_state()

    def job_is_over(self, job: Job) -> None:
        """Work has ended."""
        if job in self._jobs:
            self._jobs.remove(job)
            self._show_state()

    def _show_state(self) -> None:
        for screen in self._open:
            if isinstance(screen, DeskScreen):
                screen.show_state()

    @property
    def underway(self) -> str | None:
        """What takes long just now. A job behind an open dialog waits for the user, not for us."""
        if not self._jobs or isinstance(self.screen, ModalScreen):
            return None
        job = self._jobs[-1]
        return f"{job.what} … (Strg+C bricht ab)" if job.cancellable else f"{job.what} …"

    def show_toast(self, text: str, severity: SeverityLevel = "information") -> None:
        """A short note in the corner, in plain text."""
        self.notify(text, severity=severity)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,  # noqa: ARG002 - names of guests may hold brackets: never markup
    ) -> None:
        """As Textual's, but always plain text; what may name guests waits while locked."""
        if self.locked:
            self._held.append((message, severity))
            return
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=False)

    # Events

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.InputEvent | events.Paste):
            self._last_activity = time.monotonic()
        await super().on_event(event)

    def on_desk_app_heard(self, message: Heard) -> None:
        """What concerns all screens at once."""
        match message.event:
            case ConnectionChanged(state=state) if self.signed_in_places:
                reachable = state.phase == "connected"
                if reachable and not self._reachable:
                    self.notify("Echtzeit-Sync verbunden", timeout=3)
                elif state.phase == "offline" and self._reachable:
                    reason = f": {state.reason}" if state.reason else ""
                    self.notify(f"Verbindungsfehler{reason}", severity="error")
                if state.phase != "connecting":
                    self._reachable = reachable
            case SessionLost(reason=reason):
                self.lock_session(reason)
            case _:
                pass

    def lock_if_idle(self) -> None:
        """Locks after the idle time of the settings; 0 minutes: never."""
        minutes = self.desk.config.ui.idle_lock_minutes
        if minutes and time.monotonic() - self._last_activity >= minutes * 60:
            self.lock_session("Gesperrt, weil eine Weile nichts eingegeben wurde.")

    def lock_session(self, reason: str = "") -> None:
        """Lays the lock screen over everything; what was open is still there afterwards."""
        if self.desk.user is None or not self.signed_in_places or self.locked:
            return
        self.clear_notifications()
        self._push_lock(reason)

    def _push_lock(self, reason: str) -> None:
        from dpolg_tui.tui.screens.lock import LockScreen

        self.push_screen(LockScreen(reason))

    def unlocked(self) -> None:
        """The right password was given: opens, and says what was held back."""
        for lock in self._locks:
            lock.finish(None)
        self._last_activity = time.monotonic()
        held, self._held = self._held, []
        for message, severity in held[-5:]:
            self.notify(message, severity=severity)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Places, lock and sign-out exist only while somebody is signed in and not locked out."""
        if action == "cancel_job":
            return self.underway is not None and self._jobs[-1].cancellable
        if action == "palette" and isinstance(self.screen, ModalScreen):
            return False  # a dialog wants its answer first
        if action in FOR_ADMINS and self.role is not Role.ADMIN:
            return False
        if action in (*PLACES, "lock", "sign_out", "own_password", "palette"):
            return bool(self.signed_in_places) and not self.locked
        return True

    async def action_chart(self) -> None:
        await self.switch_mode("chart")

    async def action_guests(self) -> None:
        await self.switch_mode("guests")

    async def action_rooms(self) -> None:
        await self.switch_mode("rooms")

    async def action_legacy(self) -> None:
        await self.switch_mode("legacy")

    def action_help(self) -> None:
        from dpolg_tui.tui.dialogs.help import HelpDialog, help_for

        if not isinstance(self.screen, HelpDialog):
            self.push_screen(HelpDialog(*help_for(self, self.screen)))

    def action_palette(self) -> None:
        from dpolg_tui.tui.dialogs.palette import open_palette

        open_palette(self, cast("DeskScreen", self.screen))

    def action_lock(self) -> None:
        self.lock_session()

    def action_own_password(self) -> None:
        from dpolg_tui.tui.dialogs.password import PasswordDialog

        self.push_screen(PasswordDialog())

    def action_sign_out(self) -> None:
        work.write(self, self._ask_and_sign_out(), "Abmelden")

    async def _ask_and_sign_out(self) -> None:
        if await self.ask_to_lose("Abmelden und verwerfen"):
            await self.sign_out()

    def action_leave(self) -> None:
        work.write(self, self._ask_and_leave(), "Beenden")

    async def _ask_and_leave(self) -> None:
        if await self.ask_to_lose("Beenden und verwerfen"):
            self.exit()

    def action_cancel_job(self) -> None:
        self._jobs[-1].cancel()

    def action_hint_leave(self) -> None:
        self.notify("Beenden mit Strg+Q")

    def actions_here(self) -> Iterable[str]:
        """Scopes of the actions that make sense on the visible screen."""
        scope = getattr(self.screen, "SCOPE", "")
        return (scope, "app") if scope else ("app",)

    # The way out

    def _handle_exception(self, error: Exception) -> None:
        """Ends the program after a defect with two lines. Textual would print local variables."""
        self._return_code = 1
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        error_id = log_defect(error)
        if not self._exit_renderables:
            self._exit_renderables.append(
                Text(
                    f"Das Programm musste wegen eines unerwarteten Fehlers beendet werden ({error_id}).\n"
                    "Gespeichertes ist sicher. Einzelheiten stehen in der Protokolldatei."
                )
            )
        self._close_messages_no_wait()
