"""Runs what takes time: reads and writes of the desk, outside the message handlers.

A worker's error either ends the program or vanishes, so screens never start workers themselves:
here expected errors become a sentence on the screen and the others a line in the log with an id.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from textual.dom import DOMNode
from textual.worker import Worker

from dpolg_tui.domain.errors import Defect, DomainError, OutcomeUnknown, SessionEnded
from dpolg_tui.log import log_defect

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

Failed = Callable[[DomainError], bool]
"""Gets an expected error first; ``True`` if it has shown it, e.g. beside the field."""

SLOW = 0.5
"""Seconds after which the header says what is under way."""

CANCELLABLE = 2.0
"""Seconds after which it says how to cancel it."""


@dataclass(eq=False)
class Job:
    """Something under way, as the header shows it once it takes long."""

    what: str
    writes: bool
    cancellable: bool = False
    cancelled: bool = False
    worker: Worker[None] | None = None

    def cancel(self) -> None:
        """The user does not want to wait any longer."""
        self.cancelled = True
        if self.worker is not None:
            self.worker.cancel()


def read(
    node: DOMNode,
    work: Coroutine[Any, Any, None],
    what: str,
    *,
    group: str = "read",
    failed: Failed | None = None,
) -> Worker[None]:
    """Reads something for ``node``: a newer read of the same group replaces it, leaving ends it.

    ``what`` names it on the screen while it takes long ("Gäste suchen").
    """
    job = Job(what, writes=False)
    job.worker = node.run_worker(
        _guarded(cast("DeskApp", node.app), work, job, failed),
        name=what,
        description=what,
        group=group,
        exclusive=True,
        exit_on_error=False,
    )
    return job.worker


def write(
    node: DOMNode, work: Coroutine[Any, Any, None], what: str, *, failed: Failed | None = None
) -> Worker[None]:
    """Writes something: never replaced, and it goes on when the screen that asked is gone.

    Also for flows that ask on the way (``await app.push_screen_wait(...)``).
    """
    app = cast("DeskApp", node.app)
    job = Job(what, writes=True)
    job.worker = app.run_worker(
        _guarded(app, work, job, failed),
        name=what,
        description=what,
        group="write",
        exclusive=False,
        exit_on_error=False,
    )
    return job.worker


async def _guarded(app: DeskApp, work: Coroutine[Any, Any, None], job: Job, failed: Failed | None) -> None:
    slow = app.set_timer(SLOW, lambda: app.job_is_slow(job))
    very_slow = app.set_timer(CANCELLABLE, lambda: app.job_is_slow(job, cancellable=True))
    try:
        await work
    except DomainError as error:
        show_error(app, error, failed)
    except Exception as error:  # noqa: BLE001 - the last fence: logged with an id the user sees
        app.show_toast(f"Unerwarteter Fehler {log_defect(error)}", "error")
    finally:
        slow.stop()
        very_slow.stop()
        app.job_is_over(job)
        if job.cancelled:
            show_error(app, OutcomeUnknown(CANCELLED_WRITE) if job.writes else DomainError(CANCELLED), failed)


CANCELLED = "Abgebrochen."
CANCELLED_WRITE = "Abgebrochen: bitte nachsehen, ob die Änderung noch angekommen ist."


def show_error(app: DeskApp, error: DomainError, failed: Failed | None = None) -> None:
    """Puts an expected error into words: beside the field, on the lock screen, or as a toast."""
    if isinstance(error, SessionEnded) and not app.locked:
        app.lock_session(error.message)
        return
    if failed is not None and failed(error):
        return
    if isinstance(error, Defect):
        app.show_toast(f"Unerwarteter Fehler {error.error_id}", "error")
    else:
        app.show_toast(error.message, "error")
