"""What every step of the trial knows."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tools.server_trial import network
from tools.server_trial.images import Distribution
from tools.server_trial.machine import Done, Machine, from_place
from tools.server_trial.report import Report

PROGRAM = Path(sys.executable).parent / "dpolg-tui"
SCRIPTS = Path(__file__).parents[1] / "server"
NAME, OTHER_NAME = "db1.example.org", "old.example.org"


class NoServerError(RuntimeError):
    """What all that follows stands on is missing."""


@dataclass
class Ground:
    """One distribution under trial."""

    distribution: Distribution
    machine: Machine
    folder: Path
    wheel: Path
    image: Path
    proxy: str
    report: Report
    oracle: bool = False
    """With rules of its own for iptables, as Oracle's images have them, and without ufw."""
    facts: dict[str, str] = field(default_factory=dict)

    @property
    def setup(self) -> str:
        """The call of setup.sh as docs/server.md has it."""
        return (
            f"sudo server/setup.sh --name {NAME} --name {network.MACHINE} --from {network.HOUSE}"
            f" --from {network.OTHER_HOUSE} --wheel {self.wheel.name}"
        )

    @property
    def configuration(self) -> Path:
        """The desk's config.toml, outside of the machine."""
        return self.folder / "desk" / "config.toml"

    def desk(
        self, place: str, *arguments: str, configuration: Path | None = None, **environment: str
    ) -> Done:
        """Runs dpolg-tui at a place of the network."""
        hosts = self.folder / "hosts"
        names = {"localhost": "127.0.0.1", NAME: network.MACHINE, OTHER_NAME: network.MACHINE,
                 "db2.example.org": network.SECOND_MACHINE}  # fmt: skip
        hosts.write_text("".join(f"{address} {name}\n" for name, address in names.items()))
        settings = {"HOME": str(self.folder / place), "PATH": os.environ["PATH"], "LANG": "C.UTF-8",
                    "TERM": "xterm-256color", **environment}  # fmt: skip
        words = ["env", "-i", *(f"{name}={value}" for name, value in settings.items()), str(PROGRAM),
                 "--config", str(configuration or self.configuration), *arguments]  # fmt: skip
        return from_place(place, words, hosts=hosts)

    def changed_configuration(self, name: str, **values: str) -> Path:
        """The desk's settings with other values, beside them."""
        text = self.configuration.read_text()
        for setting, value in values.items():
            text = re.sub(rf"(?m)^{setting} = .*$", f"{setting} = {value}", text)
        path = self.configuration.with_name(f"{name}.toml")
        path.write_text(text)
        path.chmod(0o600)
        return path
