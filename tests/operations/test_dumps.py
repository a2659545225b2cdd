"""PostgreSQL's own programs and TLS: what they trust, and which of them cannot do it at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpolg_tui.operations import dumps
from dpolg_tui.operations.binaries import find_embedded
from dpolg_tui.operations.dumps import NoProgram, environment
from dpolg_tui.settings import DatabaseSettings

PUBLIC = DatabaseSettings(ssl_mode="verify-full", ca_file=None)


def program(folder: Path, version: int) -> Path:
    script = folder / "pg_dump"
    script.write_text(f"#!/bin/sh\necho 'pg_dump (PostgreSQL) {version}.1'\n")
    script.chmod(0o700)
    return script


@pytest.fixture
def no_bundle(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine whose certificates are somewhere else."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "nowhere"))
    monkeypatch.setattr(dumps, "_BUNDLES", (str(tmp_path / "nowhere either"),))


@pytest.mark.parametrize("mode", ["verify-full", "verify-ca"])
@pytest.mark.parametrize("version", [15, 16])
def test_the_certificates_of_the_system_are_named_as_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: str, version: int
) -> None:
    """Version 15 takes "system" for the name of a file, and verify-ca does not allow it."""
    bundle = tmp_path / "bundle.pem"
    bundle.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    settings = DatabaseSettings(ssl_mode=mode, ca_file=None)
    assert environment(settings, program(tmp_path, version))["PGSSLROOTCERT"] == str(bundle)


def test_a_ca_file_comes_first(tmp_path: Path) -> None:
    settings = DatabaseSettings(ssl_mode="verify-full", ca_file=tmp_path / "ca.crt")
    assert environment(settings, Path("pg_dump"))["PGSSLROOTCERT"] == str(tmp_path / "ca.crt")


@pytest.mark.usefixtures("no_bundle")
def test_where_no_file_is_found_only_newer_programs_know_the_system(tmp_path: Path) -> None:
    assert environment(PUBLIC, program(tmp_path, 16))["PGSSLROOTCERT"] == "system"
    with pytest.raises(NoProgram) as refused:
        environment(PUBLIC, program(tmp_path, 15))
    assert refused.value.message == (
        "pg_dump findet die Zertifikate des Systems nicht: bitte unter [database] ca_file die Datei der "
        "Zertifizierungsstelle nennen oder den PostgreSQL-Client ab Version 16 installieren."
    )


def test_programs_older_than_the_server_are_refused(tmp_path: Path) -> None:
    with pytest.raises(NoProgram) as refused:
        dumps.find_program("pg_dump", 18, [program(tmp_path, 15)])
    assert refused.value.message == (
        "Es fehlt pg_dump ab Version 18 (gefunden wurde nur Version 15): bitte den PostgreSQL-Client "
        "(postgresql-client-18) oder das Extra „embedded“ installieren."
    )
    with pytest.raises(NoProgram, match="keines gefunden"):
        dumps.find_program("pg_dump", 14, [tmp_path / "nowhere"])
    assert dumps.find_program("pg_dump", 14, [program(tmp_path, 15)]) == tmp_path / "pg_dump"


async def test_a_program_without_tls_says_which_one_is_needed() -> None:
    """Those of the wheel are built without it."""
    embedded = find_embedded()
    assert embedded is not None
    with pytest.raises(NoProgram) as refused:
        await dumps.run([embedded.program("pg_dump")], PUBLIC)
    assert refused.value.message == (
        "pg_dump des Extras „embedded“ kann keine verschlüsselte Verbindung: bitte den PostgreSQL-Client "
        "(postgresql-client) ab der Version des Servers installieren."
    )
