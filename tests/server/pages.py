"""Commands of a page of the documentation, run as root with the paths of a test."""

from __future__ import annotations

import re
import subprocess
import textwrap
from collections.abc import Mapping
from pathlib import Path

from tests.server.house_server import ROOT


def section(page: str, title: str) -> str:
    """The text below a heading, up to the next one of its level."""
    text = (ROOT / "docs" / page).read_text("utf-8")
    _, found, rest = text.partition(f"\n## {title}\n")
    assert found, f"{page} has no section {title}"
    return rest.partition("\n## ")[0]


def fenced(text: str, language: str = "") -> list[str]:
    """Blocks of code of that language in their order."""
    blocks = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [textwrap.dedent(block) for found, block in blocks if found == language]


def put(block: str, replacements: Mapping[str, object]) -> str:
    """The block with patterns replaced, one after the other."""
    for pattern, ours in replacements.items():
        block = re.sub(pattern, str(ours), block)
    return block


def as_root(block: str, directory: Path) -> str:
    """What the commands print; one that fails is an error."""
    done = subprocess.run(
        ["bash", "-euo", "pipefail"], input=block, capture_output=True, text=True, check=False,
        cwd=directory, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, f"{block}\n{done.stdout}\n{done.stderr}"
    return done.stdout
