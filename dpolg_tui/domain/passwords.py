"""What makes a password good enough. Checked where it is typed: the server sees only a verifier."""

from __future__ import annotations

import re
import secrets

from dpolg_tui.domain.errors import InvalidInput

SHORTEST = 12
WORDS = 3
LONGEST = 200
WEAKEST = 3
"""Of the checker's scores 0 to 4 the least that is enough."""
_SHORT_NAME = 4
_LONGEST_GUESS = 72
"""What zxcvbn looks at: it gets slow beyond."""
# Its dictionaries are English; these are what people here think of first.
_COMMON = """
dpolg polizei polizist polizistin gewerkschaft stiftung gästehaus gaestehaus ferienhaus buchung buchungssystem
reservierung zimmer urlaub brannenburg lenggries bayern münchen berlin deutschland zugspitze wendelstein
passwort kennwort geheim willkommen hallo schatz schatzi liebe fussball fußball familie sommer winter frühling
herbst januar februar märz april mai juni juli august september oktober november dezember montag dienstag
mittwoch donnerstag freitag samstag sonntag computer internet büro rezeption empfang
"""
LEGIBLE = "abcdefghjkmnpqrstuvwxyz23456789"
"""Letters that nobody confuses when reading them to a colleague."""
_GROUPS, _GROUP = 4, 4
RULE = "Mindestens 12 Zeichen oder drei Wörter, ohne den Benutzernamen."


def check_password(password: str, username: str, field: str = "new", *, full_name: str | None = None) -> None:
    """Raises InvalidInput with a sentence that names the remedy. Takes some 50 ms the first time."""
    words = [word for word in re.split(r"[\W\d_]+", password) if len(word) >= 3]
    if len(password) < SHORTEST and len(words) < WORDS:
        raise InvalidInput(
            "Das Passwort ist zu kurz: bitte mindestens 12 Zeichen oder drei Wörter eingeben.", field
        )
    if len(password) > LONGEST:
        raise InvalidInput("Das Passwort ist zu lang: bitte höchstens 200 Zeichen eingeben.", field)
    if _contains(password.casefold(), username.casefold()):
        raise InvalidInput("Das Passwort enthält den Benutzernamen: bitte eines ohne ihn wählen.", field)
    if len(set(password)) < 5:
        raise InvalidInput(
            "Das Passwort wiederholt nur wenige Zeichen: bitte abwechslungsreicher wählen.", field
        )
    if _score(password, username, full_name or "") < WEAKEST:
        raise InvalidInput(
            "Das Passwort ist leicht zu erraten: bitte drei Wörter wählen, die nicht zusammengehören.",
            field,
        )


def _contains(password: str, username: str) -> bool:
    """Whether the name stands in the password; a short one as a word: "ben" is also in "sieben"."""
    if len(username) < _SHORT_NAME:
        return username in re.split(r"[\W\d_]+", password) if username else False
    return username in password


def _score(password: str, *known: str) -> int:
    """0 to 4, as zxcvbn guesses: with the dictionaries of attackers and what is known of the person."""
    # Imported here: 40 ms that only a new password needs.
    from zxcvbn import zxcvbn

    names = [word for text in known for word in re.split(r"\W+", text) if len(word) >= 3]
    found = zxcvbn(password[:_LONGEST_GUESS], user_inputs=[*names, *_COMMON.split()])
    return int(found["score"])


def generate_password() -> str:
    """A first password: four groups of four letters, 79 bits, easy to dictate."""
    return "-".join("".join(secrets.choice(LEGIBLE) for _ in range(_GROUP)) for _ in range(_GROUPS))
