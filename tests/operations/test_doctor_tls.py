"""What doctor says of certificates: of servers that are trusted or not, by TCP and behind a socket."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.certificates import SSL_REQUEST
from dpolg_tui.domain.problems import Problem, Status
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from dpolg_tui.settings import DatabaseSettings
from tests.certificates import certificate
from tests.databases import OPTIONS, Server, binaries_of, fast_directory, run
from tests.operations.doctor_looks import Looked, look, only, told

pytestmark = pytest.mark.usefixtures("home")

WAIT = 30.0
DAYS = {"soon": 3, "past": -1}


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, Path]]:
    """Key and certificate for localhost: one that is valid for three days more, one that has expired."""
    folder = tmp_path_factory.mktemp("certificates")
    return {name: certificate(folder, days) for name, days in DAYS.items()}


def judged(found: Looked, subject: str, problem: Problem, words: str) -> None:
    """The line of one certificate."""
    assert words in only((check for check in found["tls"] if check.subject == subject), problem).says


@pytest.mark.parametrize(
    ("name", "of_server", "of_authority"),
    [
        ("soon", Problem.TLS_ENDING, Problem.TLS_CA_ENDING),
        ("past", Problem.TLS_ENDED, Problem.TLS_CA_ENDED),
    ],
)
async def test_a_certificate_that_expires(
    certificates: dict[str, tuple[Path, Path]], name: str, of_server: Problem, of_authority: Problem
) -> None:
    key, made = certificates[name]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(made, key)

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """As far as a server gets without anybody's password."""
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            if await reader.readexactly(8) == SSL_REQUEST:
                writer.write(b"S")
                await writer.start_tls(context)
        writer.close()

    listening = await asyncio.start_server(greet, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    settings = DatabaseSettings(
        hosts=(("localhost", port),), ssl_mode="verify-full", ca_file=made, connect_timeout=1.0
    )
    found = await look(settings)
    listening.close()
    words = {Problem.TLS_ENDING: "gilt nur noch bis", Problem.TLS_ENDED: "abgelaufen am"}[of_server]
    judged(found, settings.address, of_server, f"Zertifikat {words}")
    judged(found, made.name, of_authority, f"(ca_file), {words}")
    assert found["host"][0].problem is Problem.HOST_UNUSABLE
    assert ("abgelaufen" in found["host"][0].says) is (name == "past")


@pytest.fixture(scope="module")
def with_tls(certificates: dict[str, tuple[Path, Path]]) -> Iterator[Server]:
    """The system's server (the embedded one knows no TLS) with a certificate that expires, and a socket."""
    binaries = binaries_of("system")
    if binaries is None:
        pytest.skip("no PostgreSQL >= 14 on this system: the embedded one is built without TLS")
    home = temporary_directory(fast_directory())
    options = replace(OPTIONS, settings={**OPTIONS.settings, "unix_socket_directories": str(home / "server")})
    shared = SharedServer(home, options, binaries=binaries, temporary=True)
    run(shared.start)
    server = Server("system", shared)
    access = "local all all scram-sha-256\nhost all all 127.0.0.1/32 scram-sha-256\n"
    server.cluster._write(server.cluster.data / "pg_hba.conf", access)
    present(server, certificates["soon"])
    yield server
    server.close()


def present(server: Server, certificate: tuple[Path, Path]) -> None:
    """From now on the server shows this certificate."""
    for name, file in zip(("server.key", "server.crt"), certificate, strict=True):
        place = server.cluster.data / name
        place.write_bytes(file.read_bytes())
        place.chmod(0o600)
        server.cluster.account.give(place)
    server.execute("ALTER SYSTEM SET ssl = on", "SELECT pg_reload_conf()")


async def until(settings: DatabaseSettings, problem: Problem) -> Looked:
    """Until the server has read its settings anew."""
    async with asyncio.timeout(WAIT):
        while True:
            found = await look(settings)
            if any(check.problem is problem for check in found.get("tls", ())):
                return found
            await asyncio.sleep(0.1)


async def test_a_real_server_whose_certificate_expires(
    with_tls: Server, certificates: dict[str, tuple[Path, Path]]
) -> None:
    here = database_from_dsn(with_tls.cluster.dsn())
    port = here.hosts[0][1]
    soon, past = certificates["soon"][1], certificates["past"][1]
    trusting = replace(here, hosts=(("localhost", port),), ssl_mode="verify-full", ca_file=soon)
    by_socket = replace(here, hosts=((str(with_tls.cluster.home), port),))

    found = await until(trusting, Problem.TLS_ENDING)
    assert found["host"][0].status is Status.OK
    judged(found, f"localhost:{port}", Problem.TLS_ENDING, "TLSv1.3")
    stranger = await look(replace(trusting, ca_file=None))
    told(stranger, Problem.HOST_UNUSABLE, "Zertifikat")
    told(stranger, Problem.TLS_ENDING, "gilt nur noch bis")
    # The timer on the server comes by the socket, which has no certificate: the desks' one counts.
    found = await look(by_socket)
    assert found["host"][0].status is Status.OK
    judged(found, f"127.0.0.1:{port}", Problem.TLS_ENDING, "TLSv1.3, Zertifikat gilt nur noch bis")

    present(with_tls, certificates["past"])
    found = await until(by_socket, Problem.TLS_ENDED)
    judged(found, f"127.0.0.1:{port}", Problem.TLS_ENDED, "abgelaufen am")
    found = await look(replace(trusting, ca_file=past))
    told(found, Problem.HOST_UNUSABLE, "abgelaufen")
    judged(found, f"localhost:{port}", Problem.TLS_ENDED, "abgelaufen am")
