"""What a desk says of a real server whose certificate does not prove that it is the right one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import asyncpg
import pytest

from dpolg_tui.config import database_from_dsn
from dpolg_tui.db.connection import Database
from dpolg_tui.db.probe import ProbeStep, Result, Step, failure, probe
from dpolg_tui.domain.errors import Unreachable
from dpolg_tui.operations.shared import SharedServer, temporary_directory
from dpolg_tui.settings import DatabaseSettings
from tests.certificates import certificate
from tests.databases import OPTIONS, Server, binaries_of, fast_directory, run

PATIENT = 30.0
"""Seconds: a busy machine must not look like a silent server."""
_PAUSE = 0.1


async def _refused(settings: DatabaseSettings, words: str) -> ProbeStep:
    """What the trial of the connection says, after a desk has said the same."""
    database = Database(settings)
    try:
        with pytest.raises(Unreachable, match=words):
            await database.call("app.hello", limit=PATIENT)
    finally:
        await database.close()
    failed = failure(await probe(settings))
    assert failed is not None
    return failed


@pytest.fixture(scope="module")
def server_with_tls() -> Iterator[Server]:
    """The system's server: the embedded one is built without TLS."""
    binaries = binaries_of("system")
    if binaries is None:
        pytest.skip("no PostgreSQL >= 14 on this system: the embedded one is built without TLS")
    shared = SharedServer(temporary_directory(fast_directory()), OPTIONS, binaries=binaries, temporary=True)
    run(shared.start)
    server = Server("system", shared)
    yield server
    server.close()


async def _present(server: Server, key: Path, made: Path, ca_file: Path) -> DatabaseSettings:
    """The server shows this certificate from now on; how a desk reaches it that trusts ``ca_file``."""
    for name, file in (("server.key", key), ("server.crt", made)):
        place = server.cluster.data / name
        place.write_bytes(file.read_bytes())
        place.chmod(0o600)
        server.cluster.account.give(place)
    superuser = await asyncpg.connect(server.cluster.dsn())
    await superuser.execute("ALTER SYSTEM SET ssl = on")
    before = await superuser.fetchval("SELECT pg_conf_load_time()")
    await superuser.execute("SELECT pg_reload_conf()")
    while await superuser.fetchval("SELECT pg_conf_load_time()") == before:  # noqa: ASYNC110
        await asyncio.sleep(_PAUSE)
    await superuser.close()
    settings = database_from_dsn(server.cluster.dsn())
    return replace(
        settings,
        hosts=(("localhost", settings.hosts[0][1]),),
        ssl_mode="verify-full",
        ca_file=ca_file,
        connect_timeout=PATIENT,
    )


async def test_a_server_whose_certificate_is_over(server_with_tls: Server, tmp_path: Path) -> None:
    key, made = certificate(tmp_path, -1)
    settings = await _present(server_with_tls, key, made, made)
    failed = await _refused(settings, "ist abgelaufen")
    assert failed.step is Step.TLS
    assert failed.sentence == (
        f"Das Zertifikat von {settings.address} ist abgelaufen: bitte auf dem Server erneuern."
    )
    assert failed.result is Result.FAILED


async def test_a_server_whose_certificate_is_good_or_another_s(
    server_with_tls: Server, tmp_path: Path
) -> None:
    key, made = certificate(tmp_path, 3)
    settings = await _present(server_with_tls, key, made, made)
    steps = {step.step: step for step in await probe(settings)}
    assert steps[Step.TLS].result is Result.OK
    assert steps[Step.PASSWORD].result is Result.OK
    (tmp_path / "other").mkdir()
    _, other = certificate(tmp_path / "other", 3)
    failed = await _refused(replace(settings, ca_file=other), "kommt von keiner bekannten Stelle")
    assert failed.step is Step.TLS
    failed = await _refused(replace(settings, hosts=(("127.0.0.1", settings.hosts[0][1]),)), "anderen Namen")
    assert failed.step is Step.TLS
