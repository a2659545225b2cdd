"""The application: places, who is signed in, lock, and the way out. Screens do the rest."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from rich.text import Text
from textual import events
from textual.binding import Binding, BindingType
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen

from dpolg_tui.desk.events import (
    BackupStateChanged,
    ConnectionChanged,
    DeskEvent,
    EmergencyListFailed,
    Interrupted,
    QueueChanged,
    SessionLost,
)
from dpolg_tui.log import log_defect
from dpolg_tui.tui import work
from dpolg_tui.tui.actions import bindings
from dpolg_tui.tui.app_actions import AppActions
from dpolg_tui.tui.dialogs.base import BaseDialog
from dpolg_tui.tui.drafting import (
    keep_drafts,
    keep_drafts_at_the_end,
    offer_old_queue,
    offer_what_was_left,
)
from dpolg_tui.tui.hearing import Hearing
from dpolg_tui.tui.places import LOGIN, PLACES, Whereabouts, whereabouts
from dpolg_tui.tui.saving import interrupted_sentence, queue_sentences
from dpolg_tui.tui.screens.base import DeskScreen
from dpolg_tui.tui.themes import THEMES, choose_theme, first_theme
from dpolg_tui.tui.typing_ahead import TypingAhead

if TYPE_CHECKING:
    from dpolg_tui.desk import Desk
    from dpolg_tui.domain.models import Role
    from dpolg_tui.tui.screens.lock import LockScreen

STYLES = Path(__file__).parent / "styles"
LOGIN_MODE = "_default"
"""Textual's own first mode. One of ours would have all CSS parsed twice before the first picture."""
IDLE_CHECK = 5.0
"""Seconds between two looks at the clock of the idle lock."""


class DeskApp(AppActions, Hearing, TypingAhead, inherit_bindings=False):
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
        # Before the next key is handed out: else what is typed in one burst stays in the field that was left.
        Binding("tab", "focus_next", show=False, priority=True, system=True),
        Binding("shift+tab", "focus_previous", show=False, priority=True, system=True),
    ]

    def __init__(self, desk: Desk, start_screen: Callable[[], Screen[Any]] | None = None) -> None:
        super().__init__()
        self.desk = desk
        self._open: list[DeskScreen | BaseDialog[Any]] = []
        self.jobs = work.Jobs(self._show_state)
        self._whereabouts: Whereabouts | None = None
        self.drafts_failed = False
        self._held: list[tuple[str, SeverityLevel]] = []
        self._last_activity = time.monotonic()
        self._reachable = False
        self._asking = False
        self._start_screen = start_screen
        for theme in THEMES:
            self.register_theme(theme)
        first_theme(self, self._wanted_theme)

    @property
    def _wanted_theme(self) -> str:
        wanted = self.desk.config.ui.theme
        return choose_theme(wanted, self.console.color_system, frozenset(self.available_themes))

    def use_theme(self) -> None:
        """Shows the theme of the settings from now on."""
        self.theme = self._wanted_theme

    def on_mount(self) -> None:
        self.set_interval(IDLE_CHECK, self.lock_if_idle)
        self.set_interval(IDLE_CHECK, lambda: keep_drafts(self))

    def on_ready(self) -> None:
        # Not before the first screen is there: what is notified earlier may never be shown.
        for warning in self.desk.config.warnings:
            # Told on stderr, too, but the screen hides that until the end.
            self.notify(warning, severity="warning", timeout=12)

    def on_unmount(self) -> None:
        self.jobs.close_cancelled()

    def get_default_screen(self) -> Screen[Any]:
        """The login, unless another first screen was asked for."""
        if self._start_screen is None:
            return LOGIN.open()
        self.read_styles()
        return self._start_screen()

    def read_styles(self) -> None:
        """Reads the styles of everything behind the login."""
        self.stylesheet.read_all(sorted(STYLES.glob("*.tcss")))

    # Who is here

    @property
    def role(self) -> Role | None:
        """Role of the user who is signed in."""
        return self.desk.user.role if self.desk.user else None

    @property
    def _locks(self) -> list[LockScreen]:
        return [
            cast("LockScreen", screen)
            for screen in self.screen_stack
            if isinstance(screen, BaseDialog) and screen.LOCKS and not screen.at_its_end
        ]

    @property
    def locked(self) -> bool:
        """Whether the lock screen lies over everything."""
        return bool(self._locks)

    async def signed_in(self) -> None:
        """After the login: opens the first place."""
        self.read_styles()
        await self._fit_places()
        # Textual does not count its first mode as one: without this there is no way back to the login.
        self._modes[LOGIN_MODE] = self.get_default_screen
        self._last_activity = time.monotonic()
        await self.switch_mode("chart")
        self._reachable = self.desk.connection.phase == "connected"
        if self._reachable:
            self.notify("Echtzeit-Sync verbunden", timeout=3)
        for problem in (self.desk.outbox.problem, self.desk.drafts.problem):
            if problem:
                self.notify(problem, severity="warning", timeout=12)
        work.write(self, offer_what_was_left(self), "Entwürfe öffnen")

    async def sign_out(self) -> None:
        """Ends the session and goes back to the login. Whoever calls has asked about open forms."""
        if not self.signed_in_places:
            return
        await self.desk.logout()
        self.jobs.end_writes()
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        await self.switch_mode(LOGIN_MODE)
        for name in self.signed_in_places:
            await self.remove_mode(name)
        self.clear_notifications()

    async def _fit_places(self) -> None:
        """Opens the places of the role, and closes those that it no longer may see."""
        for name, place in PLACES.items():
            if place.allowed(self.role) and name not in self._modes:
                self.add_mode(name, place.open)
            elif name in self._modes and not place.allowed(self.role):
                self.jobs.end_writes(self._screen_stacks.get(name, []))
                if self.current_mode == name:
                    await self.switch_mode("chart")
                await self.remove_mode(name)

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
        self.show_whereabouts()

    def closed(self, screen: DeskScreen | BaseDialog[Any]) -> None:
        """A screen or dialog is gone."""
        if screen in self._open:
            self._open.remove(screen)
            self.show_whereabouts()

    def show_whereabouts(self) -> None:
        """Lets colleagues know which page is shown here, and which booking is open."""
        here = whereabouts(self.screen_stack, self._open, locked=self.locked) if self.desk.user else None
        if here not in (None, self._whereabouts):
            self.desk.people.here(*here)
        self._whereabouts = here

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
        from dpolg_tui.tui.dialogs.confirm import unsaved_forms

        self._asking = True
        try:
            titles = [str(screen.title) for screen in dirty]
            agreed = await self.push_screen_wait(unsaved_forms(titles, then, hidden=self.locked))
        finally:
            self._asking = False
        return bool(agreed)

    # What takes time

    def _show_state(self) -> None:
        for screen in self._open:
            if isinstance(screen, DeskScreen):
                screen.show_state()

    @property
    def underway(self) -> str | None:
        """What takes long just now. A job behind an open dialog waits for the user, not for us."""
        job = self.jobs.slow
        if job is None or isinstance(self.screen, ModalScreen):
            return None
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

    def heard(self, event: DeskEvent) -> None:
        """What concerns all screens at once."""
        match event:
            case ConnectionChanged(state=state) if self.signed_in_places:
                reachable = state.phase == "connected"
                if reachable and not self._reachable:
                    self.notify("Echtzeit-Sync verbunden", timeout=3)
                elif state.phase == "offline" and self._reachable:
                    reason = f": {state.reason}" if state.reason else ""
                    self.notify(f"Verbindungsfehler{reason}", severity="error")
                if state.phase != "connecting":
                    self._reachable = reachable
            case QueueChanged(done=done, refused=refused):
                for sentence, severity in queue_sentences(done, refused):
                    self.notify(sentence, severity=severity)
            case Interrupted(changes=changes, names=names):
                self.notify(interrupted_sentence(changes, names), timeout=12)
            case BackupStateChanged(warning=warning) if warning:
                self.notify(warning, severity="warning", timeout=12)
            case EmergencyListFailed(sentence=sentence):
                self.notify(f"Notfallliste: {sentence}", severity="warning")
            case SessionLost(reason=reason):
                self.lock_session(reason)
                for lock in self._locks:
                    lock.because(reason)
            case _:
                pass

    def lock_if_idle(self) -> None:
        """Locks after the idle time of the settings; 0 minutes: never."""
        minutes = self.desk.config.ui.idle_lock_minutes
        if minutes and not self.locked and time.monotonic() - self._last_activity >= minutes * 60:
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

    async def unlocked(self) -> None:
        """The right password was given: opens what the role may see, and says what was held back."""
        await self._fit_places()
        for lock in self._locks:
            lock.finish(None)
        self._last_activity = time.monotonic()
        held, self._held = self._held, []
        for message, severity in held[-5:]:
            self.notify(message, severity=severity)
        self.call_later(offer_old_queue, self)

    # Actions

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Places, lock and sign-out exist only while somebody is signed in and not locked out."""
        if action == "cancel_job":
            return self.underway is not None and self.jobs.slow is not None and self.jobs.slow.cancellable
        if action == "palette" and isinstance(self.screen, ModalScreen):
            return False  # a dialog wants its answer first
        if action in ("undo", "redo"):
            return isinstance(self.screen, DeskScreen) and self.screen.may_undo
        if action in (
            *PLACES,
            "lock",
            "sign_out",
            "own_account",
            "own_password",
            "who_is_here",
            "last_changes",
            "queue",
            "missed",
            "emergency_list",
            "settings",
            "palette",
        ):
            return bool(self.signed_in_places) and not self.locked
        return True

    def actions_here(self) -> Iterable[str]:
        """Scopes of the actions that make sense on the visible screen."""
        scope = getattr(self.screen, "SCOPE", "")
        return (scope, "app") if scope else ("app",)

    # The way out

    def leave_at_once(self) -> None:
        """The terminal goes or the system stops: what is typed is kept for the next start."""
        keep_drafts_at_the_end(self)
        self.exit()

    def _handle_exception(self, error: Exception) -> None:
        """Ends the program after a defect with two lines. Textual would print local variables."""
        self._return_code = 1
        keep_drafts_at_the_end(self)
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        error_id = log_defect(error)
        if not self._exit_renderables:
            self._exit_renderables.append(
                Text(
                    f"Das Programm musste wegen eines unerwarteten Fehlers beendet werden ({error_id}).\n"
                    "Gespeichertes ist sicher, Eingaben bietet der nächste Start an.\n"
                    "Einzelheiten stehen in der Protokolldatei."
                )
            )
        self._close_messages_no_wait()
