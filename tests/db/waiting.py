"""Waiting for what happens on its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], limit: float = 5.0) -> None:
    """Returns when ``condition`` holds; fails after ``limit`` seconds."""
    async with asyncio.timeout(limit):
        while not condition():  # noqa: ASYNC110 - conditions of many kinds, none has an event
            await asyncio.sleep(0.005)
