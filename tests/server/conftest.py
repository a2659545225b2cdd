"""One server made by setup.sh for all tests of this directory that only look at it."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.server.house_server import HouseServer, require_debian_postgresql


@pytest.fixture(scope="session")
def house_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HouseServer]:
    """Running, with database and first admin; tests leave it as they found it."""
    require_debian_postgresql()
    server = HouseServer(tmp_path_factory.mktemp("server"), f"dpolgt{os.getpid()}")
    try:
        server.create()
        server.output = server.setup().stdout
        yield server
    finally:
        server.remove()
