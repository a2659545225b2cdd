"""The desk: one user's session on one screen. Connection, sign-in, the live store, what changed where."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from dpolg_tui import locations
from dpolg_tui.db import login, people, reads, writes
from dpolg_tui.db.connection import Database, new_client_id
from dpolg_tui.db.live import Live, LiveUpdate
from dpolg_tui.db.state import ConnectionState, Phase
from dpolg_tui.desk import greeting, news
from dpolg_tui.desk.audit import AuditActions
from dpolg_tui.desk.background import Background
from dpolg_tui.desk.backups import BackupWatch
from dpolg_tui.desk.blocks import BlockActions
from dpolg_tui.desk.bookings import BookingActions
from dpolg_tui.desk.drafts import Drafts
from dpolg_tui.desk.emergency_list import EmergencyList
from dpolg_tui.desk.events import (
    ConnectionChanged,
    Missed,
    PresenceChanged,
    SessionLost,
)
from dpolg_tui.desk.guests import GuestActions
from dpolg_tui.desk.health import HealthActions
from dpolg_tui.desk.known import Known
from dpolg_tui.desk.legacy import LegacyActions
from dpolg_tui.desk.outbox import Outbox
from dpolg_tui.desk.people import PeopleActions
from dpolg_tui.desk.personal_data import PersonalDataActions
from dpolg_tui.desk.personal_files import PersonalFiles
from dpolg_tui.desk.reminders import ReminderActions
from dpolg_tui.desk.rooms import RoomActions
from dpolg_tui.desk.settings import SettingsActions
from dpolg_tui.desk.store import Store
from dpolg_tui.desk.telling import Teller
from dpolg_tui.desk.undo import Undo
from dpolg_tui.desk.window import Window
from dpolg_tui.domain import german
from dpolg_tui.domain.errors import (
    Defect,
    DomainError,
    MustChangePassword,
    SessionEnded,
    Unreachable,
)
from dpolg_tui.domain.models import User
from dpolg_tui.domain.people import Presence
from dpolg_tui.log import log_defect

if TYPE_CHECKING:
    from dpolg_tui.config import Config

log = logging.getLogger(__name__)

FIRST_LOAD_LIMIT = 15.0
RETRY_PAUSE = 1.0
LOGOUT_LIMIT = 3.0
CLOSE_LIMIT = 1.0


class Desk(Background, Teller):
    """Everything that screens may do and see. Coroutines run on the event loop and raise domain errors."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.store = Store()
        self.user: User | None = None
        self.present: tuple[Presence, ...] = ()
        """The other desks at which somebody is signed in."""
        self._everybody: tuple[Presence, ...] = ()
        self.latest_config = config
        """What was saved last; in force after the next signing out."""
        self.client = new_client_id(config.desk.name)
        self._set_database(config)
        self.bookings = BookingActions(self)
        self.guests = GuestActions(self)
        self.rooms = RoomActions(self)
        self.blocks = BlockActions(self)
        self.reminders = ReminderActions(self)
        self.audit = AuditActions(self)
        self.personal_data = PersonalDataActions(self)
        self.files = PersonalFiles(
            config.desk.export_directory or locations.export_directory(), config.desk.export_days
        )
        self.emergency = EmergencyList(self)
        self.people = PeopleActions(self)
        self.backups = BackupWatch(self)
        self.health = HealthActions(self)
        self.legacy = LegacyActions(self)
        self.undo = Undo(self)
        self.known = Known(self)
        self.outbox = Outbox(self)
        self.drafts = Drafts(self)
        self.instance = ""
        """Which installation this is; known once it has answered."""
        self.settings = SettingsActions(self)
        self._listening = False
        self._updates: asyncio.Queue[tuple[LiveUpdate, bool]] = asyncio.Queue()
        self.missed: tuple[Missed, ...] = ()
        """What others changed during the last interruption."""
        self._first_load: asyncio.Future[None] | None = None
        self._greeted = False
        self.window = Window(self)
        self.writes_answered = 0
        """Own writes so far: what was read while it grew may be older than what the store shows."""

    # -- life ------------------------------------------------------------------------------------

    def _set_database(self, config: Config) -> None:
        self.database = Database(config.database, client=self.client)
        self.database.on_state = self._database_state
        self._live = Live(self.database, self._heard, self._live_state, self._session_ended)

    def _start_database(self) -> None:
        self.database.start()
        self.database.warm(*login.STATEMENTS)

    async def use(self, config: Config) -> None:
        """Go on with other settings: [ui] at once, the rest after signing out if somebody is signed in."""
        self.latest_config = config
        if self.user is not None:
            self.config = replace(self.config, ui=config.ui)
            return
        before, self.config = self.database, config
        before.on_state = None
        self._set_database(config)
        self._greeted = False
        self._start_database()
        self.tell(ConnectionChanged(self.connection))
        await before.close()

    def start(self) -> None:
        """Begin to connect, before anybody signs in."""
        self._start_database()
        self._spawn(self._apply_updates())
        self._spawn(self.files.keep_removing())
        self._spawn(self.emergency.keep_writing())
        self._spawn(self.people.keep_telling())
        self._spawn(self.backups.keep_asking())

    async def close(self) -> None:
        """End everything, the session too if the database answers quickly; else it ends by itself."""
        await self._live.stop()
        if self.user is not None:
            await self._end_session(CLOSE_LIMIT)
        await self._end_tasks()
        await self.database.close()

    @property
    def connection(self) -> ConnectionState:
        """After the sign-in the live connection counts: it is the one that must not go silent."""
        return self._live.state if self._listening else self.database.state

    @property
    def listening(self) -> bool:
        """Whether somebody works here: signed in, with a password of the own."""
        return self._listening

    def editing(self, booking_id: int) -> tuple[Presence, ...]:
        """The other desks that have this booking open for editing: a hint, never a lock."""
        return tuple(one for one in self.present if one.booking_id == booking_id)

    @property
    def demo_users(self) -> tuple[tuple[str, str, str], ...]:
        """(user name, password, role) of a demo, for its login screen; otherwise empty."""
        return self.config.demo_users

    def read_again(self) -> None:
        """Read everything anew as soon as the database answers."""
        self._updates.put_nowait((LiveUpdate((), self._everybody, reload=True), False))

    def today(self) -> date:
        """Today in the house, whatever the zone of this computer."""
        return german.today()

    # -- who is here -----------------------------------------------------------------------------

    async def login(self, username: str, password: str) -> User:
        """Sign in. With a password that must be changed first, only ``change_password`` works afterwards.

        Raises LoginFailed, Deactivated, ClientTooOld, NoSchema, Unreachable.
        """
        await self._greet()
        user = await login.login(self.database, username, password)
        self.user = user
        if not user.must_change_password:
            await self._begin()
        return user

    async def change_password(self, old: str, new: str) -> None:
        """Set a new password. Raises LoginFailed if the old one is wrong."""
        if self.user is None:
            raise SessionEnded
        await login.change_password(self.database, self.user.username, old, new)
        if self.user.must_change_password:
            user = self.user
            self.user = User(user.id, user.username, user.full_name, user.role)
            await self._begin()

    async def unlock(self, password: str) -> None:
        """Sign in again as the same user, under a new token; everything open stays."""
        if self.user is None:
            raise SessionEnded
        await self._greet_again()
        user = await login.login(self.database, self.user.username, password)
        if user.must_change_password:
            raise MustChangePassword(
                "Ihr Passwort wurde neu vergeben: bitte abmelden und damit neu anmelden."
            )
        self.user = user
        self.read_again()
        self.outbox.send()

    async def logout(self) -> None:
        """End the session; the desk can sign in again."""
        await self._live.stop()
        await self._end_session(LOGOUT_LIMIT)
        self._greeted = False
        self.store.forget_versions()
        self.store.take_rooms(())
        self.store.begin_window(date.min, date.min)
        if self.latest_config is not self.config:
            await self.use(self.latest_config)

    async def _end_session(self, limit: float) -> None:
        self._listening = False
        self.user = None
        self.undo.clear()
        self.outbox.close()
        self.drafts.close()
        self.known.clear()
        self.missed = ()
        self.present = ()
        self.people.leave()
        self.backups.leave()
        try:
            await login.logout(self.database, limit)
        except DomainError as error:
            # Nothing is open here any more; the session there ends by itself after half an hour.
            log.warning("signed out without the database: %s", type(error).__name__)

    async def _greet(self) -> None:
        if self._greeted:
            return
        self.instance = await greeting.check(self.database)
        self._greeted = True

    async def _greet_again(self) -> None:
        """The database may have been restored meanwhile: what waits was meant for the one before."""
        instance = await greeting.check(self.database)
        if instance != self.instance:
            self.outbox.close()
            self.instance = instance
            self.outbox.open()
            self.drafts.open()

    async def _begin(self) -> None:
        """After the sign-in: listen, then read; so that nothing is missed in between."""
        self.database.warm(*reads.STATEMENTS, *writes.STATEMENTS, people.HERE)
        self._first_load = asyncio.get_running_loop().create_future()
        self._listening = True
        self._live.start()
        try:
            async with asyncio.timeout(FIRST_LOAD_LIMIT):
                await self._first_load
            self.outbox.open()
            self.drafts.open()
        except BaseException as error:
            # Also when the user gave up waiting: the next try begins from the start.
            await self.logout()
            if isinstance(error, TimeoutError | SessionEnded):
                raise Unreachable from None
            raise

    def _first_load_ended(self, error: Exception | None) -> bool:
        """Tells a sign-in that waits for the first load; False if none does."""
        waiting = self._first_load
        if waiting is None or waiting.done():
            return False
        if error is None:
            waiting.set_result(None)
        else:
            waiting.set_exception(error)
        return True

    # -- the store -------------------------------------------------------------------------------

    async def show(self, first: date, last: date) -> None:
        """Make sure that the store holds [first, last). Raises Unreachable at the limit of one action."""
        await self.window.show(first, last)

    # -- what others do --------------------------------------------------------------------------

    def _heard(self, update: LiveUpdate) -> None:
        after_interruption = self._live.state.phase is Phase.OFFLINE
        self._updates.put_nowait((update, after_interruption))

    async def _apply_updates(self) -> None:
        """Applies news in their order. What fails is not lost: it becomes a reload."""
        while True:
            update, missed = await self._next_update()
            if self.user is None:
                continue
            try:
                await self._take(update)
                if missed is not None:
                    news.tell_missed(self, missed)
            except (SessionEnded, MustChangePassword) as error:
                # The live connection reports it; signing in again reads everything.
                self._first_load_ended(error)
            except Exception as error:  # noqa: BLE001 - no defect may stop the updates of this desk for good
                if not isinstance(error, DomainError):
                    error = Defect(log_defect(error))
                if self._first_load_ended(error):
                    continue
                log.warning("changes of others could not be read: %s", type(error).__name__)
                await asyncio.sleep(RETRY_PAUSE)
                self.read_again()
            else:
                self._first_load_ended(None)

    async def _next_update(self) -> tuple[LiveUpdate, LiveUpdate | None]:
        """All that has come by now as one, so that a busy desk catches up with one read instead of many;
        and of that what came after an interruption.
        """
        update, after_interruption = await self._updates.get()
        missed = update if after_interruption else None
        while not self._updates.empty():
            later, after_interruption = self._updates.get_nowait()
            update = update.with_later(later)
            if after_interruption:
                missed = missed.with_later(later) if missed else later
        return update, missed

    async def _take(self, update: LiveUpdate) -> None:
        if update.presence_changed or update.reload:
            self._show_present(update.present)
        if update.reload:
            await self.window.read_anew()
        else:
            async with self.window.lock:
                await news.apply(self, update.events)

    def know_colleague(self, user: User) -> None:
        """Somebody's name or role is this now; it may be the own one."""
        self.store.colleagues[user.id] = user
        if self.user is not None and self.user.id == user.id:
            self.user = replace(user, must_change_password=self.user.must_change_password)

    def _show_present(self, present: tuple[Presence, ...]) -> None:
        self._everybody = present
        mine = self.user.id if self.user else None
        own_desk = self.database.desk
        for one in present:
            if one.desk == own_desk and one.user_id == mine:
                self.people.here_again(one)
        others = tuple(replace(one, own=one.user_id == mine) for one in present if one.desk != own_desk)
        if others != self.present:
            self.present = others
            self.tell(PresenceChanged())

    # -- states ----------------------------------------------------------------------------------

    def _database_state(self, state: ConnectionState) -> None:
        if not self._listening:
            self.tell(ConnectionChanged(state))

    def _live_state(self, state: ConnectionState) -> None:
        if state.phase is Phase.CONNECTED:
            self.people.here_again()
            self.outbox.send()
        self.tell(ConnectionChanged(state))

    def _session_ended(self, reason: str) -> None:
        if self.user is not None:
            self.tell(SessionLost(reason))
