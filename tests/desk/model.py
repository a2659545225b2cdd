"""Runs the state machines that compare desks with a model."""

from __future__ import annotations

from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test


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
