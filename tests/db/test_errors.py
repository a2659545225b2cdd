"""Errors of the database become sentences; nothing that somebody typed travels along."""

from __future__ import annotations

import errno
import logging
import re
import socket
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.db import errors
from dpolg_tui.db.constraints import CONSTRAINTS
from dpolg_tui.db.constraints_around import REFERRED
from dpolg_tui.db.sql_files import sql_directory
from dpolg_tui.domain import errors as domain
from tests.databases import TestDatabase


def from_server(sqlstate: str, **fields: str) -> asyncpg.PostgresError:
    """The error as the driver makes it from the server's message."""
    letters = {"constraint": "n", "table": "t", "column": "c", "detail": "D"}
    message = {"S": "ERROR", "C": sqlstate, "M": "Erika Mustermann"}
    message.update({letters[name]: value for name, value in fields.items()})
    return asyncpg.PostgresError.new(message)


@pytest.mark.parametrize(
    ("sqlstate", "kind"),
    [
        ("28000", domain.SessionEnded),
        ("42501", domain.NotAllowed),
        ("3F000", domain.NoSchema),
        ("53100", domain.ServerFull),
        ("54000", domain.ServerFull),
        ("53300", domain.Busy),
        ("57014", domain.Busy),
        ("40P01", domain.Busy),
        ("40001", domain.Busy),
        ("55P03", domain.Busy),
        ("57P01", domain.Unreachable),
        ("57P03", domain.Unreachable),
        ("08006", domain.Unreachable),
        ("25006", domain.Unreachable),
        ("23505", domain.RuleViolated),
        ("23514", domain.RuleViolated),
        ("23P01", domain.RuleViolated),
        ("22001", domain.InvalidInput),
        ("22008", domain.InvalidInput),
        ("22021", domain.InvalidInput),
        ("42703", domain.Defect),
        ("XX000", domain.Defect),
    ],
)
def test_by_sqlstate(sqlstate: str, kind: type[domain.DomainError]) -> None:
    error = errors.translate(from_server(sqlstate, detail="Key (last_name)=(Mustermann) exists"))
    assert type(error) is kind
    assert "Mustermann" not in error.message
    assert error.message.endswith(".")


@pytest.mark.parametrize(
    "failure",
    [
        OSError(),
        TimeoutError(),
        asyncpg.InterfaceError("connection is closed"),
        asyncpg.InternalClientError("cannot switch to state 12"),
        from_server("57P01"),
        from_server("08003"),
        from_server("25006"),
        from_server("53300"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_lost_connections(failure: Exception) -> None:
    assert errors.is_lost(failure)
    assert isinstance(errors.translate(failure), domain.Unreachable | domain.Busy)


def test_not_lost() -> None:
    for failure in (from_server("57014"), from_server("23505"), asyncpg.DataError("wrong argument")):
        assert not errors.is_lost(failure)


def test_constraint_names_field_and_sentence() -> None:
    error = errors.translate(from_server("23505", constraint="rooms_name_key", table="rooms"))
    assert isinstance(error, domain.RuleViolated)
    assert (error.field, error.constraint) == ("name", "rooms_name_key")
    assert "Zimmer" in error.message


def test_a_given_password_must_be_changed_first() -> None:
    error = errors.translate(from_server("42501", constraint="must_change_password"))
    assert isinstance(error, domain.MustChangePassword)


def test_defect_is_logged_without_values(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        error = errors.translate(from_server("XX000", detail="Mustermann", table="guests"))
    assert isinstance(error, domain.Defect)
    assert error.error_id in caplog.text
    assert "guests" in caplog.text
    assert "Mustermann" not in caplog.text


def _named_constraints() -> set[str]:
    text = "\n".join(path.read_text() for path in sorted(Path(sql_directory()).rglob("*.sql")))
    found = set(
        re.findall(r"\bCONSTRAINT\s+([a-z_]+)\s+(?:PRIMARY|CHECK|UNIQUE|REFERENCES|FOREIGN|EXCLUDE)", text)
    )
    found |= set(re.findall(r"\bCONSTRAINT\s+([a-z_]+)\s*\n", text))
    found |= set(re.findall(r"CREATE UNIQUE INDEX (\w+)", text))
    found |= set(re.findall(r"app\.refuse\('(\w+)'", text))
    dropped = set(re.findall(r"DROP CONSTRAINT (\w+)", text)) - set(re.findall(r"ADD CONSTRAINT (\w+)", text))
    return found - dropped


def test_every_constraint_has_a_sentence() -> None:
    assert _named_constraints() - set(CONSTRAINTS) == set()


def test_every_sentence_is_a_sentence() -> None:
    for name, (_field, sentence) in CONSTRAINTS.items():
        assert sentence[0].isupper(), name
        assert sentence.endswith("."), name


@pytest.mark.parametrize(
    ("failure", "words"),
    [
        (ConnectionRefusedError(), "antwortet keine Datenbank"),
        (TimeoutError(), "antwortet nicht"),
        # What a firewall says that does not keep silent, as on Oracle's images.
        (OSError(errno.EHOSTUNREACH, "No route to host"), "antwortet nicht: bitte Netzwerk und Firewall"),
        (OSError(errno.ENETUNREACH, "Network is unreachable"), "antwortet nicht"),
        (from_server("28P01"), "password"),
        (from_server("3D000"), "database"),
        (from_server("57P03"), "startet gerade"),
    ],
    ids=["refused", "silent", "rejected", "no network", "password", "database", "starting"],
)
def test_connect_errors(failure: Exception, words: str) -> None:
    assert words in errors.connect_error(failure, "db.example.org:5432").message


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("db.invalid:5432", "Der Name db.invalid ist unbekannt"),
        ("a.invalid:5432, b.example.org:5433", "Einer der Namen a.invalid, b.example.org ist unbekannt"),
    ],
)
def test_an_unknown_name_is_told_without_its_port(address: str, words: str) -> None:
    assert errors.connect_error(socket.gaierror(), address).message.startswith(f"{words}: bitte Server")


async def test_a_server_that_is_off_behind_its_socket(tmp_path: Path) -> None:
    """What the server's own timers say while PostgreSQL is stopped: a directory is no network."""
    with pytest.raises(OSError, match="No such file") as failure:
        await asyncpg.connect(host=str(tmp_path), port=5432, user="dpolg_backup", database="dpolg_booking")
    said = errors.connect_error(failure.value, f"{tmp_path}:5432").message
    assert said.startswith(f"Auf diesem Rechner läuft keine Datenbank (in {tmp_path}")
    assert "systemctl status postgresql" in said


@pytest.mark.both_versions
async def test_every_constraint_of_the_real_catalogue_has_a_sentence(database: TestDatabase) -> None:
    superuser = await asyncpg.connect(database.superuser_dsn)
    try:
        rows = await superuser.fetch("""
            SELECT conname AS name FROM pg_constraint
             WHERE connamespace IN ('app'::regnamespace, 'auth'::regnamespace)
               AND contype IN ('c', 'f', 'p', 'u', 'x')
            UNION
            SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
             WHERE i.indisunique AND c.relnamespace IN ('app'::regnamespace, 'auth'::regnamespace)""")
    finally:
        await superuser.close()
    names = {row["name"] for row in rows}
    assert len(names) > 50
    assert names - set(CONSTRAINTS) == set()


def test_what_refers_to_a_record_travels_with_the_sentence() -> None:
    assert REFERRED.keys() <= CONSTRAINTS.keys()
    for constraint, clause in REFERRED.items():
        error = errors.translate(from_server("23503", constraint=constraint))
        assert isinstance(error, domain.RuleViolated)
        assert error.referred == clause
    unique = errors.translate(from_server("23505", constraint="bookings_number_key"))
    assert isinstance(unique, domain.RuleViolated)
    assert unique.referred == ""
