"""Starts the desk in this terminal and leaves the terminal as it was."""

from __future__ import annotations

import asyncio
import gc
import select
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dpolg_tui.config import Config
    from dpolg_tui.tui.app import DeskApp

STARTED = 1.0
"""Seconds after which the start is surely over."""
EXIT_SIGNALS = ("SIGTERM", "SIGHUP", "SIGINT")
HANG_UP_CHECK = 1.0
"""Seconds between two looks whether the terminal is still there."""


def run_desk(config: Config) -> int:
    """Runs the desk until the user leaves; returns the exit code."""
    return asyncio.run(_run(config))


async def _run(config: Config) -> int:
    # A start makes objects that stay: looking for garbage among them only delays the first picture.
    gc.disable()
    asyncio.get_running_loop().call_later(STARTED, _collect_garbage)
    from dpolg_tui.desk import Desk
    from dpolg_tui.tui.app import DeskApp

    desk = Desk(config)
    desk.start()
    app = DeskApp(desk)
    leave_on_signals(asyncio.get_running_loop(), app)
    watch = asyncio.create_task(_leave_on_hang_up(app))
    try:
        await app.run_async()
    finally:
        watch.cancel()
        await asyncio.gather(watch, return_exceptions=True)
        await desk.close()
    return app.return_code or 0


def _collect_garbage() -> None:
    """From now on; but not among what the start has made."""
    gc.freeze()
    gc.enable()


def leave_on_signals(loop: asyncio.AbstractEventLoop, app: DeskApp) -> None:
    """Makes SIGTERM, SIGHUP and SIGINT leave through the front door, terminal restored.

    Windows has no signal handlers on its event loop and not all of these signals.
    """
    for name in EXIT_SIGNALS:
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, app.leave_at_once)
        except NotImplementedError:
            return


async def _leave_on_hang_up(app: DeskApp) -> None:
    """Leaves when the terminal window is closed.

    The kernel sends SIGHUP to the leader of the session only: started from make or a script, the desk
    would live on without a terminal.
    """
    if sys.platform != "win32" and hasattr(select, "poll"):  # Windows ends the program with its window
        terminal = select.poll()
        terminal.register(sys.stdin.fileno(), 0)
        gone = select.POLLHUP | select.POLLERR
        while not any(event & gone for _, event in terminal.poll(0)):  # noqa: ASYNC110
            await asyncio.sleep(HANG_UP_CHECK)
        app.leave_at_once()
