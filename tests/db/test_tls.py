"""Password and session token go only to a server that TLS has proved to be the right one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import ssl
import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from dpolg_tui.db.connection import Database
from dpolg_tui.db.probe import Result, Step, probe
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.settings import DatabaseSettings

SSL_REQUEST = bytes((0, 0, 0, 8, 4, 210, 22, 47))


@dataclass
class Impostor:
    """Listens where the database should be and writes down what it is told."""

    answer: bytes
    context: ssl.SSLContext | None = None
    heard: bytes = b""
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            request = await reader.readexactly(8)
            if request == SSL_REQUEST:
                writer.write(self.answer)
                if self.context is not None:
                    await writer.start_tls(self.context)
                request = b""
            self.heard += request + await reader.read(65536)
        writer.close()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that signs itself, with its key in one file."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed: no certificate to test with")
    folder = tmp_path_factory.mktemp("tls")
    made, key, both = folder / "made.pem", folder / "key.pem", folder / "both.pem"
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
         "-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(made)],
        check=True,
        capture_output=True,
    )  # fmt: skip
    both.write_text(key.read_text() + made.read_text())
    return both


async def _run(impostor: Impostor) -> AsyncIterator[Impostor]:
    server = await asyncio.start_server(impostor.serve, "127.0.0.1", 0)
    impostor.port = server.sockets[0].getsockname()[1]
    yield impostor
    server.close()
    await asyncio.sleep(0.05)


@pytest.fixture
async def without_tls() -> AsyncIterator[Impostor]:
    async for impostor in _run(Impostor(b"N")):
        yield impostor


@pytest.fixture
async def with_tls(certificate: Path) -> AsyncIterator[Impostor]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    async for impostor in _run(Impostor(b"S", context)):
        yield impostor


def _settings(host: str, impostor: Impostor) -> DatabaseSettings:
    return DatabaseSettings(
        hosts=((host, impostor.port),), password="secret", ssl_mode="verify-full", connect_timeout=1.0
    )


async def _told(settings: DatabaseSettings, impostor: Impostor, words: str) -> None:
    database = Database(settings)
    try:
        with pytest.raises(Unreachable, match=words):
            await database.call("app.hello", limit=2.0)
        assert impostor.heard == b""
    finally:
        await database.close()


async def test_server_without_tls_is_told_nothing(without_tls: Impostor) -> None:
    await _told(_settings("localhost", without_tls), without_tls, "verschlüsselte")


async def test_server_with_an_unknown_certificate_is_told_nothing(with_tls: Impostor) -> None:
    await _told(_settings("localhost", with_tls), with_tls, "Zertifikat")


async def test_server_with_the_certificate_of_another_name_is_told_nothing(
    with_tls: Impostor, certificate: Path
) -> None:
    settings = replace(_settings("127.0.0.1", with_tls), ca_file=certificate)
    await _told(settings, with_tls, "Zertifikat")


async def test_server_with_the_right_certificate_is_told(with_tls: Impostor, certificate: Path) -> None:
    database = Database(replace(_settings("localhost", with_tls), ca_file=certificate))
    try:
        with pytest.raises(Unreachable):
            await database.call("app.hello", limit=0.5)
        assert database.token.encode() in with_tls.heard
    finally:
        await database.close()


async def test_unreadable_certificate_file_is_named(with_tls: Impostor, tmp_path: Path) -> None:
    missing = tmp_path / "missing.crt"
    await _told(
        replace(_settings("localhost", with_tls), ca_file=missing),
        with_tls,
        r"missing.crt .*es gibt sie nicht",
    )


@pytest.fixture
def key_alone(certificate: Path, tmp_path: Path) -> Path:
    """What is easily taken for the certificate beside it."""
    key = tmp_path / "ca.key"
    key.write_text(certificate.read_text().partition("-----BEGIN CERT")[0])
    return key


async def test_a_file_without_a_certificate_is_named(with_tls: Impostor, key_alone: Path) -> None:
    for file in (key_alone, Path(os.devnull)):
        settings = replace(_settings("localhost", with_tls), ca_file=file)
        await _told(settings, with_tls, f"^In {file} steht kein Zertifikat: .*\\(ca_file\\)")


async def test_probe_says_that_it_is_the_certificate(with_tls: Impostor) -> None:
    steps = {step.step: step for step in await probe(_settings("localhost", with_tls))}
    assert steps[Step.PORT].result is Result.OK
    assert steps[Step.TLS].result is Result.FAILED
    assert "kommt von keiner bekannten Stelle" in steps[Step.TLS].sentence
    assert steps[Step.PASSWORD].result is Result.SKIPPED


async def test_probe_says_that_the_certificate_is_another_server_s(
    with_tls: Impostor, certificate: Path
) -> None:
    settings = replace(_settings("127.0.0.1", with_tls), ca_file=certificate)
    steps = {step.step: step for step in await probe(settings)}
    assert steps[Step.TLS].result is Result.FAILED
    assert "gilt für einen anderen Namen" in steps[Step.TLS].sentence
