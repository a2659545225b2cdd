"""The manual shows the pictures that its command takes, and no others."""

from __future__ import annotations

import re
from pathlib import Path

from tools.screenshot.manual import PICTURES

DOCS = Path(__file__).parents[2] / "docs"


def test_the_manual_shows_what_is_taken() -> None:
    shown = re.findall(r"!\[[^]]+\]\(pictures/([a-z-]+)\.svg\)", (DOCS / "handbuch.md").read_text("utf-8"))
    assert sorted(shown) == sorted(PICTURES)
    assert sorted(path.stem for path in (DOCS / "pictures").iterdir()) == sorted(PICTURES), "make pictures"


def test_pictures_ask_no_other_computer_for_anything() -> None:
    for path in (DOCS / "pictures").iterdir():
        addresses = set(re.findall(r"https?://[^\s\"<)]+", path.read_text("utf-8")))
        assert addresses <= {
            "http://www.w3.org/2000/svg",
            "https://textualize.io",
            "https://www.textualize.io",
        }, path
