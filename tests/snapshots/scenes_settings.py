"""How to get to the settings, as seen on a computer with a file of its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from dpolg_tui.config import Arguments
from dpolg_tui.desk.settings import ProbeStep, Result, Step, Trial
from dpolg_tui.tui.screens.settings import LOOK_HERE, SettingsScreen, report
from tests.tui.desk_app import Running

_WENT_WELL = {
    Step.NAME: "db1.example.org hat die Adresse 192.0.2.10.",
    Step.PORT: "Auf db1.example.org:5432 antwortet ein Server.",
}


async def typed(here: Running) -> None:
    """A connection to two servers, as it is typed."""
    config = here.desk.latest_config
    here.desk.latest_config = replace(
        config, arguments=Arguments(), source=Path("/etc/dpolg-tui/config.toml"), values=()
    )
    here.app.action_settings()
    await here.until(lambda: isinstance(here.app.screen, SettingsScreen) and here.app.screen.is_mounted)
    screen = here.app.screen
    assert isinstance(screen, SettingsScreen)
    screen.form.put(
        {
            "host": "db1.example.org, db2.example.org",
            "port": 5432,
            "database": "dpolg_booking",
            "password": "geheim",
            "ssl_mode": "",
            "ca_file": "/etc/dpolg-tui/ca.crt",
        }
    )


async def tested(here: Running) -> None:
    """The certificate is another server's."""
    await typed(here)
    await here.pilot.pause(0.2)
    screen = here.app.screen
    assert isinstance(screen, SettingsScreen)
    sentence = (
        "Das Zertifikat von db1.example.org:5432 gilt für einen anderen Namen: "
        "bitte den Server (host) so schreiben, wie er dort steht."
    )
    steps = [ProbeStep("db1.example.org:5432", step, Result.OK, words) for step, words in _WENT_WELL.items()]
    steps.append(ProbeStep("db1.example.org:5432", Step.TLS, Result.FAILED, sentence))
    steps += [
        ProbeStep("db1.example.org:5432", step, Result.SKIPPED, "")
        for step in (Step.PASSWORD, Step.DATABASE, Step.SCHEMA)
    ]
    screen.say(report(Trial(tuple(steps), sentence, "ssl_mode")))
    screen.form.field("ssl_mode").note = LOOK_HERE
