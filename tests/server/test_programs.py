"""PostgreSQL's own programs reach the server of the house as a desk does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from dpolg_tui import config
from dpolg_tui.operations import dumps
from tests.server.house_server import HouseServer


async def test_they_trust_what_the_desk_trusts_without_a_ca_file(
    house_server: HouseServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The certificates of the system, which here are a file of our own."""
    settings = config.load(config.Arguments(house_server.configuration), environment={}).database
    monkeypatch.setenv("SSL_CERT_FILE", str(settings.ca_file))
    psql = Path("/usr/lib/postgresql") / house_server.version / "bin" / "psql"
    settings = replace(settings, ca_file=None)
    assert await dumps.run([psql, "-XAtc", "SELECT current_user"], settings) == "booking_user\n"
