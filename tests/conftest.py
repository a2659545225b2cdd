"""Fixtures for everybody: a real PostgreSQL and a database of its own for each test.

A test marked ``both_versions`` runs on the embedded PostgreSQL and on the system's: there in every run or,
but for the core of them, in the long one.
"""

from __future__ import annotations

import gc
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from dpolg_tui import locations
from tests.databases import Server, Servers, TestDatabase

ON_SYSTEM_IN_EVERY_RUN = {
    *("tests.test_databases", "tests.operations.test_embedded", "tests.db.test_connection"),
    *("tests.sql.test_migrations", "tests.sql.test_privileges", "tests.sql.test_matrix"),
}
"""What would break first on another version. The others marked both_versions see it in the long run."""


# The same examples in every run, however busy the computer is.
settings.register_profile(
    "repeatable", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("repeatable")


def pytest_configure() -> None:
    """Hears SIGINT again: in a shell without job control "command &" and all its children ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_finish() -> None:
    """Looks for garbage less often, and not among all that was imported: a sixth of the processor's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of this suite."""
    parser.addoption(
        "--update-snapshots",
        action="store_true",
        help="write the pictures of tests/snapshots anew instead of comparing them",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Gives each test its servers."""
    if "server" in metafunc.fixturenames:
        kinds: list[object] = ["embedded"]
        if metafunc.definition.get_closest_marker("both_versions") is not None:
            core = metafunc.module.__name__ in ON_SYSTEM_IN_EVERY_RUN
            kinds.append("system" if core else pytest.param("system", marks=pytest.mark.long))
        metafunc.parametrize("server", kinds, indirect=True, scope="session")


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """All servers of the run; removed with everything in them at its end, also after Ctrl-C."""
    servers = Servers()
    try:
        yield servers
    finally:
        servers.close()


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, servers: Servers) -> Server:
    """The running server that this test is meant for."""
    found = servers.get(request.param)
    if found is None and request.param == "system":
        pytest.skip("no PostgreSQL >= 14 on this system: this test ran on the embedded one only")
    if found is None:
        pytest.fail("the embedded PostgreSQL is missing: pip install 'dpolg-tui[embedded]'")
    return found


@pytest.fixture
def database(server: Server) -> Iterator[TestDatabase]:
    """A database with schema and users, for this test alone."""
    clone = server.clone()
    yield clone
    server.drop(clone)


@pytest.fixture
def empty_database(server: Server) -> Iterator[TestDatabase]:
    """A database without schema, for this test alone."""
    empty = server.empty()
    yield empty
    server.drop(empty)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home and working directory, and none of the machine's own files."""
    directory = tmp_path / "home"
    directory.mkdir()
    monkeypatch.setenv("HOME", str(directory))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(directory / ".config"))
    monkeypatch.setenv("XDG_STATE_HOME", str(directory / ".state"))
    monkeypatch.setattr(locations, "system_config_file", lambda: tmp_path / "etc" / "config.toml")
    monkeypatch.chdir(directory)
    return directory
