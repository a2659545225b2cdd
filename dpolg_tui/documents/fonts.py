"""The font of all documents: Source Sans Pro, which has every European letter and the euro sign."""

from __future__ import annotations

import unicodedata
from functools import cache, lru_cache
from importlib.resources import as_file, files

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "DocumentRegular", "DocumentBold"
_FILES = {REGULAR: "SourceSansPro-Regular.ttf", BOLD: "SourceSansPro-Bold.ttf"}
_UNKNOWN = "?"
_INVISIBLE = frozenset({"Mn", "Me", "Cf", "Cc", "Cs"})


@cache
def _loaded() -> frozenset[int]:
    """Makes the fonts known; the characters that all of them have."""
    characters: list[set[int]] = []
    for name, file in _FILES.items():
        with as_file(files("font_source_sans_pro") / "files" / file) as path:
            font = TTFont(name, str(path))
        pdfmetrics.registerFont(font)
        characters.append(set(font.face.charToGlyph))
    return frozenset(set.intersection(*characters))


def printable(text: str) -> str:
    """The text in characters that the fonts have: a letter without its accent, else a question mark."""
    return "".join(map(_printable, unicodedata.normalize("NFC", text)))


@lru_cache(maxsize=4096)
def _printable(character: str) -> str:
    known = _loaded()
    if ord(character) in known:
        return character
    category = unicodedata.category(character)
    if category in _INVISIBLE:
        return ""
    if category == "Pd":
        return "-"
    plain = "".join(one for one in unicodedata.normalize("NFKD", character) if ord(one) in known)
    return plain or _UNKNOWN


def width(text: str, font: str, size: float) -> float:
    """How wide a printable text is, in points."""
    _loaded()
    return float(pdfmetrics.stringWidth(text, font, size))


def wrapped(text: str, font: str, size: float, available: float) -> list[str]:
    """A printable text in lines no wider than ``available`` points, broken between words where it can be."""
    lines: list[str] = []
    line = ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if width(longer, font, size) <= available:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while width(line, font, size) > available and len(line) > 1:
            fits = len(line) - 1
            while fits > 1 and width(line[:fits], font, size) > available:
                fits -= 1
            lines.append(line[:fits])
            line = line[fits:]
    return [*lines, line]
