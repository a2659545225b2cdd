"""Looking at a server as doctor does, and what must be said then."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from dpolg_tui.domain.health import judge
from dpolg_tui.domain.health_figures import Check, Figures
from dpolg_tui.domain.problems import Problem
from dpolg_tui.operations.doctor import examine
from dpolg_tui.settings import DatabaseSettings
from tests.operations.backups import settings_of

Looked = dict[str, list[Check]]


def by_key(figures: Figures) -> Looked:
    """The lines by key."""
    found: Looked = {}
    for check in judge(figures):
        found.setdefault(check.key, []).append(check)
    return found


async def look(where: str | DatabaseSettings, *login: str, **more: Any) -> Looked:
    """The lines as the role of the address, or of the settings, sees them."""
    return by_key(await examine(settings_of(where) if isinstance(where, str) else where, *login, **more))


def told(found: Looked, problem: Problem, words: str) -> Check:
    """The one line that names this problem; it says these words and what to do."""
    check = only(found.get(problem.key, ()), problem)
    assert words in check.says
    return check


def only(checks: Iterable[Check], problem: Problem) -> Check:
    """The one of these lines that names the problem."""
    [check] = [check for check in checks if check.problem is problem]
    assert check.status is problem.status
    assert check.remedy
    return check
