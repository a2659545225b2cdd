"""Runs the state machines that compare desks with a model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test

from dpolg_tui.desk import Desk
from tests.databases import TestDatabase
from tests.tui.forms_house import signed_in


@dataclass
class Ground:
    """The desks that all examples share, and the database's owner; ``run`` runs a coroutine to its end."""

    run: Callable[[Awaitable[Any]], Any]
    desks: list[Desk]
    owner: asyncpg.Connection


@contextmanager
def ground(database: TestDatabase, *users: str) -> Iterator[Ground]:
    """Desks with somebody signed in at each, on a loop of their own: hypothesis is not asynchronous."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def run(work: Awaitable[Any]) -> Any:
            return await work

        async def begin() -> Ground:
            owner = await asyncpg.connect(database.superuser_dsn)
            stack.callback(owner.terminate)
            desks = [await stack.enter_async_context(signed_in(database, user)) for user in users]
            return Ground(lambda work: runner.run(run(work)), desks, owner)

        try:
            yield runner.run(begin())
        finally:
            runner.run(stack.aclose())


def play(machine: type[RuleBasedStateMachine], on: object, *, examples: int, steps: int) -> None:
    """Plays the same ``examples`` every time, each at most ``steps`` long; ``on``: what they share."""
    run_state_machine_as_test(
        type(machine.__name__, (machine,), {"on": on}),
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            suppress_health_check=list(HealthCheck),
        ),
    )
