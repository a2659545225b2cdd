"""People at work: accounts as admins see them, their sessions, and who is where right now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dpolg_tui.domain.errors import InvalidInput
from dpolg_tui.domain.german import clean_line
from dpolg_tui.domain.models import Role

NO_EMAIL = "E-Mail hat ein @ mit etwas davor und dahinter: bitte ergänzen oder leer lassen."


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff, as admins see them. ``version`` orders two states of it."""

    id: int
    username: str
    full_name: str | None
    email: str | None
    role: Role
    active: bool
    must_change_password: bool
    last_login: datetime | None
    created_at: datetime
    open_sessions: int = 0
    recent_failures: int = 0
    """Failed attempts to sign in within ten minutes, since an admin last lifted the lock."""
    locked: bool = False
    """Whether some address is refused because of them."""
    has_history: bool = False
    """Has left traces: can be deactivated, not deleted."""
    version: int = 1

    @property
    def display_name(self) -> str:
        return self.full_name or self.username


@dataclass(frozen=True, slots=True)
class Session:
    """A desk at which somebody is signed in. ``own``: the one that asked."""

    id: int
    desk: str
    host: str | None
    address: str | None
    created_at: datetime
    last_seen: datetime
    screen: str | None
    own: bool = False


@dataclass(frozen=True, slots=True)
class Presence:
    """A desk where somebody is signed in, and where on it: a hint with expiry, never a lock."""

    user_id: int
    display_name: str
    initials: str
    desk: str
    since: datetime
    screen: str | None = None
    booking_id: int | None = None
    """The booking that is open there for editing."""
    own: bool = False
    """This desk's user, at another desk."""


def check_email(text: str) -> str | None:
    """An e-mail address as it is stored, None if there is none. Raises InvalidInput."""
    email = clean_line(text)
    before, _, after = email.rpartition("@")
    if email and not (before and after):
        raise InvalidInput(NO_EMAIL, "email")
    return email or None
