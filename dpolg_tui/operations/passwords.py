"""Passwords that a command needs: from a file, the environment or the terminal, never from argv."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from dpolg_tui.config import ConfigError
from dpolg_tui.locations import expanded

Whose = Literal["admin", "owner", "booking_user", "backup", "user"]

_LABELS: dict[Whose, str] = {
    "admin": "Passwort für die erste Anmeldung",
    "owner": "Passwort der Rolle dpolg_owner",
    "booking_user": "Passwort der Rolle booking_user",
    "backup": "Passwort der Rolle dpolg_backup",
    "user": "Erstes Passwort",
}
_ATTEMPTS = 3


def variable(whose: Whose) -> str:
    """The environment variable that may hold a password."""
    return f"DPOLG_TUI_{whose.upper()}_PASSWORD"


@dataclass(frozen=True, slots=True)
class Passwords:
    """Asks for a password only when it is needed: a role that exists keeps its own."""

    files: Mapping[Whose, Path | None] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    ask: Callable[[str], str] = getpass.getpass

    def given(self, whose: Whose) -> bool:
        """Whether a file or the environment has it: nobody has to be asked."""
        return bool(self.files.get(whose) or self.environment.get(variable(whose)))

    def get(self, whose: Whose) -> str:
        """The password; ``ConfigError`` when there is no way to learn it."""
        if file := self.files.get(whose):
            return _from_file(file)
        if given := self.environment.get(variable(whose)):
            return given
        if not sys.stdin.isatty():
            option = f"--{whose.replace('_', '-')}-password-file"
            raise ConfigError(
                f"Es fehlt: {_LABELS[whose]}. Bitte {option} oder {variable(whose)} angeben oder den Befehl "
                "in einem Terminal ausführen."
            )
        return self._typed(_LABELS[whose])

    def existing(self, whose: Whose, label: str) -> str:
        """A password that is in use already: typed once. ``ConfigError`` when there is no way to learn it."""
        if self.given(whose) or not sys.stdin.isatty():
            return self.get(whose)
        return self.ask(f"{label}: ")

    def _typed(self, label: str) -> str:
        for _ in range(_ATTEMPTS):
            first = self.ask(f"{label}: ")
            if not first:
                continue
            if self.ask(f"{label} (noch einmal): ") == first:
                return first
            sys.stderr.write("Die beiden Eingaben sind verschieden.\n")
        raise ConfigError(f"Ohne Eingabe geht es nicht weiter: {label}.")


def _from_file(path: Path) -> str:
    try:
        lines = expanded(path).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"Die Passwortdatei {path} ist nicht lesbar.") from error
    if not lines or not lines[0] or any(lines[1:]):
        raise ConfigError(f"Die Passwortdatei {path} muss aus genau einer Zeile bestehen.")
    return lines[0]


@dataclass(frozen=True, slots=True)
class InitOptions:
    """What ``init-db`` was asked to do."""

    passwords: Passwords
    admin: str = "admin"
    admin_full_name: str = "Administrator"
    managed: bool = False
