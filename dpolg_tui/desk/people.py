"""People: accounts and sessions for admins, the own sessions for everybody, and where this desk is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from typing import TYPE_CHECKING, Any

from dpolg_tui.db import people, rows
from dpolg_tui.db.login import Secret, new_secret
from dpolg_tui.desk.actions import RecordWrites
from dpolg_tui.domain.errors import DomainError, RecordMissing
from dpolg_tui.domain.merge import Change, Changes
from dpolg_tui.domain.models import Outcome, WriteResult
from dpolg_tui.domain.passwords import generate_password
from dpolg_tui.domain.people import Account, Presence, Session
from dpolg_tui.log import action

if TYPE_CHECKING:
    from dpolg_tui.desk.desk import Desk

log = logging.getLogger(__name__)

LONGEST_PLACE = 60

Place = tuple[str, int | None]


class PeopleActions(RecordWrites):
    """What admins do with accounts, and everybody with the own sessions.

    Passwords are made here, returned once to be shown, and kept nowhere.
    """

    kind = "user"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._place: Place | None = None
        self._told: tuple[Place, int] | None = None
        """What the database knows, and under which session (generation)."""
        self._moved = asyncio.Event()

    async def users(self) -> list[Account]:
        """Everybody who may work here or might. Raises NotAllowed for non-admins."""
        with action("Benutzer lesen"):
            return await people.users(self._desk.database)

    async def create(self, values: Mapping[str, object]) -> tuple[WriteResult, str]:
        """Create a user (username, full_name, email, role); the result and the password to be shown once."""
        changes = {field: Change(None, value) for field, value in values.items()}
        password, secret = await self._new_password()
        with action("Benutzer anlegen"):
            answer = await people.create(self._desk.database, changes, secret)
        return self._written(answer, "created"), password

    async def reset_password(self, person_id: int) -> str:
        """A new password to be shown once: it must be changed, open sessions end. Raises RecordMissing."""
        password, secret = await self._new_password()
        await self._on_account("Passwort zurücksetzen", people.reset_password, person_id, secret)
        return password

    async def lift_lock(self, person_id: int) -> WriteResult:
        """Let somebody try again who typed too many wrong passwords. Raises RecordMissing."""
        return await self._on_account("Sperre aufheben", people.lift_lock, person_id)

    async def sessions(self, person_id: int) -> list[Session]:
        """Open sessions, the newest first. Raises NotAllowed for those of others, unless for an admin."""
        with action("Sitzungen lesen"):
            return await people.sessions(self._desk.database, person_id)

    async def end_session(self, session_id: int) -> WriteResult:
        """End a session besides this one; ``missing`` when it is over already."""
        with action("Sitzung beenden"):
            return rows.write_result(await people.end_session(self._desk.database, session_id), {})

    async def end_sessions(self, person_id: int) -> WriteResult:
        """End all sessions of somebody; of the own ones all but this."""
        with action("Sitzungen beenden"):
            return rows.write_result(await people.end_sessions(self._desk.database, person_id), {})

    async def _new_password(self) -> tuple[str, Secret]:
        password = generate_password()
        costs = await people.login_settings(self._desk.database)
        return password, await new_secret(password, costs)

    async def _on_account(
        self,
        name: str,
        call: Callable[..., Coroutine[Any, Any, dict[str, Any]]],
        person_id: int,
        *more: object,
    ) -> WriteResult:
        with action(name):
            answer = await call(self._desk.database, person_id, *more)
        if answer["outcome"] == Outcome.MISSING:
            raise RecordMissing
        return self._written(answer, "updated")

    def _take_over(self, record_id: int, answer: Mapping[str, Any], changes: Changes) -> tuple[int, ...]:  # noqa: ARG002
        self._desk.know_colleague(rows.user(answer["state"]))
        return ()

    def _forget(self, record_id: int) -> tuple[int, ...]:
        self._desk.store.colleagues.pop(record_id, None)
        return ()

    # -- where this desk is ----------------------------------------------------------------------

    def here(self, screen: str, booking_id: int | None = None) -> None:
        """Tell colleagues where this desk is, soon and without waiting; only the last place counts."""
        real = None if booking_id is None else self._desk.outbox.real_id(booking_id)
        self._place = screen[:LONGEST_PLACE], real if real is not None and real > 0 else None
        self._moved.set()

    def leave(self) -> None:
        """Nobody is here any more: the next one tells an own place."""
        self._place = self._told = None

    def here_again(self, own: Presence | None = None) -> None:
        """After a new session or connection: what the database does not know yet is told again."""
        if own is not None and self._place != (own.screen, own.booking_id):
            self._told = None
        self._moved.set()

    async def keep_telling(self) -> None:
        """Runs as long as the desk does. What fails is tried again when the connection is back."""
        while True:
            await self._moved.wait()
            self._moved.clear()
            place = self._place
            desk = self._desk
            if place is None or not desk.listening or self._told == (place, desk.database.generation):
                continue
            self._told = place, desk.database.generation
            try:
                await people.here(desk.database, *place)
            except DomainError as error:
                self._told = None
                log.debug("colleagues do not know where this desk is: %s", type(error).__name__)
