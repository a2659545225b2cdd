"""Tries the connection step by step and says in German where it fails."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TYPE_CHECKING

import asyncpg

from dpolg_tui.db import errors
from dpolg_tui.db.compatibility import require_compatible
from dpolg_tui.db.hosts import Hosts
from dpolg_tui.domain.errors import DomainError

if TYPE_CHECKING:
    from dpolg_tui.settings import DatabaseSettings


class Step(StrEnum):
    """What has to work, in this order. The value is the German word for it."""

    NAME = "Name"
    PORT = "Port"
    TLS = "Verschlüsselung"
    PASSWORD = "Rolle und Passwort"  # noqa: S105 - a label
    DATABASE = "Datenbank"
    SCHEMA = "Buchungssystem"


class Result(StrEnum):
    """How a step went."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class ProbeStep:
    """One step for one server."""

    host: str
    step: Step
    result: Result
    sentence: str


_SKIPPED = "Nicht geprüft: ein Schritt davor ist gescheitert."
_PLAIN = (
    "Ohne Verschlüsselung lässt der Server diese Rolle nicht zu: bitte Verschlüsselung (ssl_mode) "
    "verify-full wählen, sonst die Zugangsregeln des Servers prüfen."
)


def failure(steps: list[ProbeStep]) -> ProbeStep | None:
    """The step to name when no server works; None if one does, which is enough."""
    failed = [step for step in steps if step.result is Result.FAILED]
    return failed[0] if {step.host for step in failed} == {step.host for step in steps} else None


async def probe(settings: DatabaseSettings) -> list[ProbeStep]:
    """Every step for every configured server. Never raises for what is wrong with the connection."""
    steps: list[ProbeStep] = []
    for host in settings.hosts:
        steps += await _probe_host(replace(settings, hosts=(host,)))
    return steps


async def _probe_host(settings: DatabaseSettings) -> list[ProbeStep]:
    host, port = settings.hosts[0]
    address = f"{host}:{port}"
    done: list[ProbeStep] = []

    def note(step: Step, sentence: str, result: Result = Result.OK) -> None:
        done.append(ProbeStep(address, step, result, sentence))

    def fail(step: Step, sentence: str) -> list[ProbeStep]:
        note(step, sentence, Result.FAILED)
        return done + [ProbeStep(address, later, Result.SKIPPED, _SKIPPED) for later in _after(step)]

    if host.startswith(("/", "@")):
        note(Step.NAME, "Verbindung über einen lokalen Socket, ohne Netzwerk.")
        note(Step.PORT, "Entfällt bei einem lokalen Socket.")
    else:
        step = Step.NAME
        try:
            async with asyncio.timeout(settings.connect_timeout):
                found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
                note(step, f"{host} hat die Adresse {found[0][4][0]}.")
                step = Step.PORT
                _, writer = await asyncio.open_connection(host, port)
                writer.close()
                note(step, f"Auf {address} antwortet ein Server.")
        except (OSError, UnicodeError) as error:
            return fail(step, errors.connect_error(error, address).message)

    try:
        connection = await Hosts(settings).connect()
    except (*errors.DRIVER_ERRORS, DomainError) as error:
        return _connect_failure(error, settings, done, address)
    try:
        note(Step.TLS, _tls_sentence(connection, settings))
        note(Step.PASSWORD, f"Die Rolle {settings.username} wurde angenommen.")
        note(Step.DATABASE, f"Verbunden mit der Datenbank {settings.database}.")
        try:
            async with asyncio.timeout(settings.connect_timeout):
                hello = await connection.fetchval("SELECT app.hello()")
            require_compatible(hello["schema_version"], hello["minimum_client"])
        except errors.DRIVER_ERRORS as error:
            return fail(Step.SCHEMA, _schema_sentence(error))
        except DomainError as error:
            return fail(Step.SCHEMA, error.message)
        note(Step.SCHEMA, f"Das Buchungssystem ist eingerichtet, Schema {hello['schema_version']}.")
    finally:
        connection.terminate()
        await asyncio.sleep(0)
    return done


def _connect_failure(
    error: BaseException, settings: DatabaseSettings, done: list[ProbeStep], address: str
) -> list[ProbeStep]:
    """The steps before the one that ``error`` belongs to went well."""
    state = str(getattr(error, "sqlstate", None) or "")
    sentence = errors.connect_error(error, address).message
    if state == "28000" and settings.ssl_mode == "disable":
        failed, sentence = Step.TLS, _PLAIN
    elif isinstance(error, asyncpg.TargetServerAttributeNotMatched):
        failed = Step.DATABASE
    elif isinstance(error, asyncpg.PostgresError):
        failed = {"28P01": Step.PASSWORD, "28000": Step.PASSWORD}.get(state, Step.DATABASE)
    elif isinstance(error, DomainError | ssl.SSLError | ConnectionError):
        failed = Step.TLS
    else:
        failed = Step.PORT
        done = [step for step in done if step.step is not Step.PORT]
    passed = {
        Step.TLS: "Ohne Einwand.",
        Step.PASSWORD: f"Die Rolle {settings.username} wurde angenommen.",
    }
    for step in _between(Step.TLS, failed):
        done.append(ProbeStep(address, step, Result.OK, passed[step]))
    done.append(ProbeStep(address, failed, Result.FAILED, sentence))
    return done + [ProbeStep(address, later, Result.SKIPPED, _SKIPPED) for later in _after(failed)]


def _after(step: Step) -> Iterator[Step]:
    steps = list(Step)
    yield from steps[steps.index(step) + 1 :]


def _between(first: Step, end: Step) -> Iterator[Step]:
    steps = list(Step)
    yield from steps[steps.index(first) : steps.index(end)]


def _tls_sentence(connection: asyncpg.Connection, settings: DatabaseSettings) -> str:
    encrypted = connection._transport.get_extra_info("ssl_object")
    if encrypted is None:
        return "Unverschlüsselt: nur auf dem eigenen Rechner unbedenklich."
    checked = "geprüft" if settings.ssl_mode == "verify-full" else "nicht vollständig geprüft"
    return f"{encrypted.version()}, Zertifikat {checked}."


def _schema_sentence(error: BaseException) -> str:
    if str(getattr(error, "sqlstate", None)) in ("3F000", "42883", "42501"):
        return "In dieser Datenbank ist kein Buchungssystem eingerichtet: bitte dpolg-tui init-db ausführen."
    return errors.translate(error).message
