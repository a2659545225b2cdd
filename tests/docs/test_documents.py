"""Links, commands and names of the database in the documents are real."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.databases import TestDatabase
from tests.docs.names import ROOT, catalogue, problem

DOCUMENTS = [
    ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "tools/server/ssh-desk.md")
] + sorted((ROOT / "docs").glob("*.md"))
_INLINE = re.compile(r"`([^`\n]+)`")
_FENCE = re.compile(r"^\s*```.*?^\s*```", re.MULTILINE | re.DOTALL)
by_name = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


@by_name
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)", document.read_text("utf-8"))
    assert [link for link in links if "://" not in link and not (document.parent / link).exists()] == []


@by_name
def test_links_to_a_heading_find_it(document: Path) -> None:
    links = re.findall(r"\]\(([^)#:]*)#([^)]+)\)", document.read_text("utf-8"))
    wrong = [
        f"{name}#{anchor}"
        for name, anchor in links
        if anchor not in _anchors(document.parent / name if name else document)
    ]
    assert wrong == []


def _anchors(document: Path) -> set[str]:
    """What a browser calls the headings of a document: small letters, blanks as hyphens, no marks."""
    headings = re.findall(r"^#+ (.*)$", _FENCE.sub("", document.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@by_name
def test_commands_exist(document: Path) -> None:
    commands = re.findall(r"\b(make [a-z][a-z-]*)(?=`|$|  )", document.read_text("utf-8"), re.MULTILINE)
    commands += re.findall(r"`(dpolg-tui [a-z][a-z-]+)\b", document.read_text("utf-8"))
    assert [command for command in commands if problem(command, set())] == []


async def test_names_of_the_database_exist(database: TestDatabase) -> None:
    known = await catalogue(database) | {"app.bulk", "app.session_token"}
    assert [(document, name) for document, name in database_names() if name not in known] == []


def database_names() -> list[tuple[str, str]]:
    """(document, name) of what begins with a schema, in backticks; test_plan.py looks at plan.md."""
    found = []
    for document in DOCUMENTS:
        text = _FENCE.sub("", document.read_text("utf-8")) if document.name != "plan.md" else ""
        for name in _INLINE.findall(text):
            if re.match(r"(app|auth)\.\w+(\.\w+)?(\(|$)", name):
                found.append((document.name, re.sub(r"\(.*\)$", "()", name)))
    return found
