"""What makes a password good enough. Checked where it is typed: the server sees only a verifier."""

from __future__ import annotations

import re
import secrets

from dpolg_tui.domain.errors import InvalidInput

SHORTEST = 12
WORDS = 3
LONGEST = 200
LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters that nobody confuses when reading them to a colleague."""
_GROUPS, _GROUP = 4, 4
RULE = "Mindestens 12 Zeichen oder drei Wörter, ohne den Benutzernamen."


def check_password(password: str, username: str, field: str = "new") -> None:
    """Raises InvalidInput with a sentence that names the remedy."""
    words = [word for word in re.split(r"[\W\d_]+", password) if len(word) >= 3]
    if len(password) < SHORTEST and len(words) < WORDS:
        raise InvalidInput(
            "Das Passwort ist zu kurz: bitte mindestens 12 Zeichen oder drei Wörter eingeben.", field
        )
    if len(password) > LONGEST:
        raise InvalidInput("Das Passwort ist zu lang: bitte höchstens 200 Zeichen eingeben.", field)
    if username and username.casefold() in password.casefold():
        raise InvalidInput("Das Passwort enthält den Benutzernamen: bitte eines ohne ihn wählen.", field)
    if len(set(password)) < 5:
        raise InvalidInput(
            "Das Passwort wiederholt nur wenige Zeichen: bitte abwechslungsreicher wählen.", field
        )


def generate_password() -> str:
    """A first password: four groups of four letters, 79 bits, easy to dictate."""
    return "-".join("".join(secrets.choice(LEGIBLE) for _ in range(_GROUP)) for _ in range(_GROUPS))
