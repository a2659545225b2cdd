"""What one setting of config.toml may be: its type and how text and TOML become its value."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal, TypeVar

from dpolg_tui import locations
from dpolg_tui.domain.errors import DomainError


class ConfigError(DomainError):
    """Die Konfiguration ist nicht verwendbar: bitte mit dpolg-tui config test prüfen."""


Host = tuple[str, int]
# A server as written: a port of None is the one of the setting ``port``.
WrittenHosts = tuple[tuple[str, int | None], ...]
Number = TypeVar("Number", int, float)
Type = Literal["hosts", "text", "secret", "path", "integer", "seconds", "switch", "names"]


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting: where it stands, what it may be, and what it is for (in German)."""

    section: str
    key: str
    type: Type
    default: object
    sentence: str
    choices: tuple[str, ...] = ()
    lowest: float | None = None
    highest: float | None = None
    alias: str | None = None
    # What the example file shows where the default would say nothing.
    example: object = None

    @property
    def name(self) -> str:
        return f"{self.section}.{self.key}"

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return f"DPOLG_TUI_{self.section}_{self.key}".upper()

    @property
    def secret(self) -> bool:
        return self.type == "secret"

    def from_toml(self, raw: object) -> object:
        """The value of a TOML key; ``ValueError`` with the rest of a German sentence if it cannot be one."""
        match self.type:
            case "hosts":
                entries = raw if isinstance(raw, list) else [raw]
                texts = [entry for entry in entries if isinstance(entry, str)]
                if not texts or len(texts) < len(entries):
                    raise ValueError(f"muss ein Text oder eine Liste von Texten sein{self._not(raw)}")
                return parse_hosts(",".join(texts))
            case "names":
                given = list(raw) if isinstance(raw, list | tuple) else [raw]
                names = [name for name in given if isinstance(name, str)]
                if len(names) < len(given):
                    raise ValueError(f"muss eine Liste von Texten sein{self._not(raw)}")
                return self.from_text(",".join(names))
            case "integer":
                if not isinstance(raw, int) or isinstance(raw, bool):
                    raise ValueError(f"muss eine ganze Zahl sein{self._not(raw)}")
                return self._in_range(raw)
            case "seconds":
                if not isinstance(raw, int | float) or isinstance(raw, bool):
                    raise ValueError(f"muss eine Zahl von Sekunden sein{self._not(raw)}")
                return self._in_range(float(raw))
            case "switch":
                if not isinstance(raw, bool):
                    raise ValueError(f"muss true oder false sein{self._not(raw)}")
                return raw
            case _:
                if not isinstance(raw, str):
                    raise ValueError(f"muss ein Text in Anführungszeichen sein{self._not(raw)}")
                return self.from_text(raw)

    def from_text(self, text: str) -> object:
        """The value of an environment variable or of a part of a DSN; ``ValueError`` as above."""
        match self.type:
            case "hosts":
                return parse_hosts(text)
            case "integer":
                try:
                    return self._in_range(int(text))
                except ValueError as error:
                    raise ValueError(f"muss eine ganze Zahl sein{self._range()}{self._not(text)}") from error
            case "seconds":
                try:
                    return self._in_range(float(text))
                except ValueError as error:
                    raise ValueError(
                        f"muss eine Zahl von Sekunden sein{self._range()}{self._not(text)}"
                    ) from error
            case "switch":
                if (word := text.strip().lower()) in _YES | _NO:
                    return word in _YES
                raise ValueError(f"muss true oder false sein{self._not(text)}")
            case "path":
                return locations.expanded(text) if text else None
            case "names":
                return tuple(self._known(name.strip()) for name in text.split(",") if name.strip())
            case "secret":
                return text
            case _:
                return self._choice(text)

    def _known(self, name: str) -> str:
        if name in self.choices:
            return name
        raise ValueError(f"nennt {name!r}, das keine Warnung ist{did_you_mean(name, self.choices)}")

    def _choice(self, text: str) -> str:
        if not self.choices or text == self.default:
            if any(ord(sign) < 32 for sign in text):
                raise ValueError("darf keine Zeilenumbrüche und Steuerzeichen enthalten")
            return text
        for choice in self.choices:
            if choice.lower() == text.lower():
                return choice
        raise ValueError(
            f"muss eines von {', '.join(self.choices)} sein{self._not(text)}"
            f"{did_you_mean(text, self.choices)}"
        )

    def _in_range(self, number: Number) -> Number:
        if (self.lowest is None or number >= self.lowest) and (
            self.highest is None or number <= self.highest
        ):
            return number
        raise ValueError(f"muss{self._range()} liegen{self._not(number)}")

    def _range(self) -> str:
        if self.lowest is None or self.highest is None:
            return ""
        return f" zwischen {self.lowest:g} und {self.highest:g}"

    def _not(self, raw: object) -> str:
        """What was found instead, unless it is a secret."""
        if self.secret:
            return ""
        shown = str(raw) if isinstance(raw, int | float) and not isinstance(raw, bool) else repr(raw)
        return f", nicht {shown[:60]}"


_YES = frozenset({"true", "1", "yes", "on", "ja", "an"})
_NO = frozenset({"false", "0", "no", "off", "nein", "aus"})


def parse_hosts(text: str) -> WrittenHosts:
    """``"a, b:5433, [::1]:5434"`` → its servers; ``ValueError`` with the rest of a German sentence."""
    return tuple(_parse_host(part.strip()) for part in text.split(","))


def _parse_host(text: str) -> tuple[str, int | None]:
    if text.startswith("/"):
        return text, None
    if "://" in text:
        raise ValueError("muss nur der Name oder die Adresse eines Servers sein, ohne postgresql://")
    name, port = text, ""
    if text.startswith("["):
        name, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") == 1:
        name, _, port = text.partition(":")
    if not name or any(sign.isspace() or sign in "@/[]\"'" for sign in name):
        raise ValueError("muss der Name oder die Adresse eines Servers sein, etwa db.example.org")
    if not port:
        return name, None
    if not port.isascii() or not port.isdigit() or not 1 <= int(port) <= 65535:
        raise ValueError("hat hinter dem Doppelpunkt keinen Port zwischen 1 und 65535")
    return name, int(port)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`` (gemeint: nearest?)`` when something known is near enough, else nothing."""
    names = {name.lower(): name for name in known}
    near = get_close_matches(word.lower(), list(names), n=1, cutoff=0.5)
    return f" (gemeint: {names[near[0]]}?)" if near else ""
