"""Signing in: the password never leaves this machine, the database never gives a hash away.

The server sends salt and parameters, argon2id runs here, the server gets the tag and keeps only its
sha256. Passwords are normalised as RFC 8265 (OpaqueString) says: every kind of space is a space,
then NFC, so that the same keys give the same password on macOS and Windows. NFKC would make
different passwords equal.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dpolg_tui.db.connection import Database, call_sql
from dpolg_tui.domain.errors import (
    Deactivated,
    DomainError,
    LoginFailed,
    OutcomeUnknown,
    SessionEnded,
    Unreachable,
)
from dpolg_tui.domain.models import Role, User

log = logging.getLogger(__name__)

TAG_BYTES = 32
SALT_BYTES = 16
# A malicious server could ask for a cheap hash that is quickly guessed, or for more memory than there is.
MEMORY_KIB = range(19 * 1024, 256 * 1024 + 1)
ITERATIONS = range(2, 11)
PARALLELISM = range(1, 9)
_LONGEST_PASSWORD = 1000
_LONGEST_NAME = 200

LOGIN_SQL = "CALL app.login($1, $2, $3, $4, NULL)"
_CHANGE_SQL = "CALL app.change_password($1, $2, $3, $4, $5, $6, NULL)"
_RENEW_SQL = "CALL app.renew_verifier($1, $2, $3, $4, $5, $6, NULL)"
STATEMENTS = (call_sql("app.hello", 0), call_sql("app.login_challenge", 1), LOGIN_SQL)
"""What the login needs prepared before somebody has typed the password."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """Costs of argon2id."""

    memory_kib: int = 65536
    iterations: int = 3
    parallelism: int = 4

    @property
    def allowed(self) -> bool:
        return (
            self.memory_kib in MEMORY_KIB
            and self.iterations in ITERATIONS
            and self.parallelism in PARALLELISM
        )


@dataclass(frozen=True, slots=True)
class Secret:
    """What the database stores of a password."""

    parameters: Parameters
    salt: bytes
    verifier: bytes


def normalise_password(password: str) -> bytes:
    """The bytes that are hashed."""
    spaced = "".join(" " if unicodedata.category(letter) == "Zs" else letter for letter in password)
    return unicodedata.normalize("NFC", spaced).encode("utf-8", "surrogatepass")


def _tag(password: bytes, salt: bytes, parameters: Parameters) -> bytes:
    # Imported here: in the thread that needs it, not at start-up.
    from argon2.low_level import Type, hash_secret_raw

    return hash_secret_raw(
        secret=password,
        salt=salt,
        time_cost=parameters.iterations,
        memory_cost=parameters.memory_kib,
        parallelism=parameters.parallelism,
        hash_len=TAG_BYTES,
        type=Type.ID,
    )


async def derive_tag(password: str, salt: bytes, parameters: Parameters) -> bytes:
    """The argon2id tag, computed in a thread: it takes 100 to 250 ms."""
    return await asyncio.to_thread(_tag, normalise_password(password), salt, parameters)


async def new_secret(password: str, parameters: Parameters | None = None) -> Secret:
    """Salt and verifier for a new password."""
    costs = parameters or Parameters()
    salt = secrets.token_bytes(SALT_BYTES)
    tag = await derive_tag(password, salt, costs)
    return Secret(costs, salt, verifier(tag))


def verifier(tag: bytes) -> bytes:
    """What the database compares: a stolen table of verifiers does not log in."""
    return hashlib.sha256(tag).digest()


def read_challenge(answer: Mapping[str, Any]) -> tuple[Parameters, bytes]:
    """Parameters and salt of a challenge; refuses what a server of ours would never ask for."""
    try:
        parameters = Parameters(
            int(answer["memory_kib"]), int(answer["iterations"]), int(answer["parallelism"])
        )
        salt = bytes.fromhex(answer["salt"])
    except (KeyError, TypeError, ValueError):
        raise LoginFailed(_UNSAFE) from None
    if not parameters.allowed or len(salt) != SALT_BYTES:
        raise LoginFailed(_UNSAFE)
    return parameters, salt


_UNSAFE = (
    "Der Server verlangt eine unsichere Anmeldung, Ihr Passwort wurde nicht gesendet: "
    "bitte eine Person mit der Rolle Admin verständigen."
)


async def _challenge(database: Database, username: str) -> tuple[Parameters, bytes]:
    return read_challenge(await database.call("app.login_challenge", username))


async def login(database: Database, username: str, password: str) -> User:
    """Sign in; on success ``database`` works under the new session.

    With a session still open (unlocking) it goes on until the new one exists.
    Raises LoginFailed, Deactivated or what the connection raises.
    """
    if not username.strip() or not password or max(len(username), len(password)) > _LONGEST_PASSWORD:
        raise LoginFailed
    name = username.strip()[:_LONGEST_NAME]
    if not database.signed_in:
        return await _sign_in(database, name, password)
    candidate = database.sibling()
    database.settled.clear()
    try:
        user = await _sign_in(candidate, name, password)
        database.adopt(candidate.token)
        database.renewed.set()
        return user
    finally:
        database.settled.set()
        await candidate.close()


async def _sign_in(database: Database, name: str, password: str) -> User:
    parameters, salt = await _challenge(database, name)
    tag = await derive_tag(password, salt, parameters)
    try:
        # Not repeated: a session that exists already under this token would refuse it.
        answer = await database.fetchval(
            LOGIN_SQL, name, tag, database.token_hash, database.client, write=True, repeat=False
        )
    except OutcomeUnknown:
        database.adopt(database.sibling().token)
        raise Unreachable("Die Verbindung brach bei der Anmeldung ab: bitte noch einmal anmelden.") from None
    outcome = (answer or {}).get("outcome")
    if outcome == "deactivated":
        raise Deactivated
    if outcome != "ok":
        raise LoginFailed
    database.signed_in = True
    if answer.get("rehash"):
        await _rehash(database, password, tag, Parameters(**answer["rehash"]))
    database.renewed.set()
    return User(
        id=answer["user_id"],
        username=answer["username"],
        full_name=answer["full_name"],
        role=Role(answer["role"]),
        must_change_password=answer["must_change_password"],
    )


async def _rehash(database: Database, password: str, tag: bytes, parameters: Parameters) -> None:
    """The same password under the higher parameters of the settings; a failure waits for the next sign-in."""
    if not parameters.allowed:
        log.warning("the settings ask for parameters that no desk accepts")
        return
    try:
        await _set_password(database, _RENEW_SQL, tag, await new_secret(password, parameters))
    except DomainError as error:
        log.warning("the password was not hashed anew: %s", type(error).__name__)


async def _set_password(database: Database, sql: str, old_tag: bytes, secret: Secret) -> Any:
    costs = secret.parameters
    return await database.fetchval(
        sql,
        old_tag,
        secret.salt,
        costs.memory_kib,
        costs.iterations,
        costs.parallelism,
        secret.verifier,
        write=True,
        repeat=False,
    )


async def logout(database: Database, limit: float = 3.0) -> None:
    """End the session; afterwards ``database`` has a new token and can sign in again."""
    try:
        await database.call("app.logout", limit=limit, write=True, repeat=False)
    except SessionEnded:
        pass  # It had ended by itself: that is what was wanted.
    finally:
        database.signed_in = False
        database.adopt(database.sibling().token)


async def change_password(
    database: Database, username: str, old: str, new: str, parameters: Parameters | None = None
) -> None:
    """Set a new password; raises LoginFailed if the old one is wrong."""
    costs, salt = await _challenge(database, username)
    old_tag = await derive_tag(old, salt, costs)
    secret = await new_secret(new, parameters or costs)
    try:
        answer = await _set_password(database, _CHANGE_SQL, old_tag, secret)
    except OutcomeUnknown:
        # The salt tells which password counts now.
        _, salt_now = await _challenge(database, username)
        if salt_now != secret.salt:
            raise Unreachable(
                "Die Verbindung brach ab, das alte Passwort gilt noch: bitte noch einmal versuchen."
            ) from None
        database.renewed.set()
        return
    if (answer or {}).get("outcome") != "done":
        raise LoginFailed("Das bisherige Passwort stimmt nicht: bitte noch einmal eingeben.")
    database.renewed.set()
