"""Runs what takes time: reads and writes of the desk, outside the message handlers.

A worker's error either ends the program or vanishes, so screens never start workers themselves:
here expected errors become a sentence on the screen and the others a line in the log with an id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Coroutine
from typing import TYPE_CHECKING, Any, cast

from textual.dom import DOMNode
from textual.screen import Screen
from textual.worker import Worker, get_current_worker

from dpolg_tui.domain.errors import Defect, DomainError, OutcomeUnknown, SessionEnded
from dpolg_tui.log import log_defect

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp

Failed = Callable[[DomainError], bool]
"""Gets an expected error first; ``True`` if it has shown it, e.g. beside the field."""

SLOW = 0.5
"""Seconds after which the header says what is under way."""

DEFECT_SHOWN = 20.0
"""Seconds."""
CANCELLABLE = 2.0
"""Seconds after which it says how to cancel it."""


CANCELLED = "Abgebrochen."
CANCELLED_WRITE = "Abgebrochen: bitte nachsehen, ob die Änderung noch angekommen ist."


class Job:
    """Something under way, as the header shows it once it takes long."""

    def __init__(
        self,
        node: DOMNode,
        work: Coroutine[Any, Any, None],
        what: str,
        failed: Failed | None,
        *,
        writes: bool,
    ) -> None:
        self.what = what
        self.writes = writes
        self.cancellable = False
        self._app = cast("DeskApp", node.app)
        self._screen = None if node is self._app else node.screen
        self._work = work
        self._failed = failed
        self.worker: Worker[None] | None = None
        self._cancelled = False

    def close_unless_begun(self) -> bool:
        """Ends work whose worker was cancelled before it began; Python would warn about it later."""
        if self.worker is None or not self.worker.is_cancelled:
            return False
        self._work.close()
        return True

    def began_on(self, screens: Collection[Screen[Any]] | None) -> bool:
        """Whether one of these screens asked for it; None: any."""
        return screens is None or self._screen in screens

    def cancel(self, *, quietly: bool = False) -> None:
        """The user does not want to wait any longer; or, ``quietly``, what it waits for disappears."""
        self._cancelled = not quietly
        if self.worker is not None:
            self.worker.cancel()

    async def run(self) -> None:
        """Does the work and puts into words how it failed."""
        app = self._app
        app.jobs.begins(self)
        slow = app.set_timer(SLOW, lambda: app.jobs.is_slow(self))
        very_slow = app.set_timer(CANCELLABLE, lambda: app.jobs.is_slow(self, cancellable=True))
        try:
            await self._work
        except DomainError as error:
            show_error(app, error, self._failed)
        except Exception as error:  # noqa: BLE001 - the last fence: logged with an id the user sees
            _show_defect(app, log_defect(error))
        finally:
            slow.stop()
            very_slow.stop()
            app.jobs.is_over(self)
            if self._cancelled:
                told = OutcomeUnknown(CANCELLED_WRITE) if self.writes else DomainError(CANCELLED)
                show_error(app, told, self._failed)


class Jobs:
    """Everything that was asked for and is not over. ``changed``: what takes long is another."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.waiting: set[Job] = set()
        """Asked for, not begun."""
        self._running: set[Job] = set()
        self._slow: list[Job] = []
        self._changed = changed

    @property
    def slow(self) -> Job | None:
        """The latest of those that take long."""
        return self._slow[-1] if self._slow else None

    def begins(self, job: Job) -> None:
        """A job has begun."""
        self.waiting.discard(job)
        self._running.add(job)

    def is_slow(self, job: Job, *, cancellable: bool = False) -> None:
        """A job takes long; after a while it can be cancelled."""
        if job not in self._running:
            return  # the clock rang while it ended
        job.cancellable = cancellable
        if job not in self._slow:
            self._slow.append(job)
        self._changed()

    def is_over(self, job: Job) -> None:
        """A job has ended."""
        self._running.discard(job)
        if job in self._slow:
            self._slow.remove(job)
            self._changed()

    def close_cancelled(self) -> None:
        """Forgets reads that were replaced, or whose screen went, before they began."""
        self.waiting -= {job for job in self.waiting if job.close_unless_begun()}

    def end_writes(self, screens: Collection[Screen[Any]] | None = None) -> None:
        """Ends writes that wait for the answer of a dialog which is about to disappear.

        ``screens``: only those that began there. Not the one in which this is called.
        """
        current = get_current_worker()
        for job in self._running | self.waiting:
            if job.writes and job.worker is not current and job.began_on(screens):
                job.cancel(quietly=True)


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
    app = cast("DeskApp", node.app)
    job = Job(node, work, what, failed, writes=False)
    job.worker = node.run_worker(
        job.run, name=what, description=what, group=group, exclusive=True, exit_on_error=False
    )
    app.jobs.close_cancelled()
    app.jobs.waiting.add(job)
    return job.worker


def write(
    node: DOMNode, work: Coroutine[Any, Any, None], what: str, *, failed: Failed | None = None
) -> Worker[None]:
    """Writes something: never replaced, and it goes on when the screen that asked is gone.

    Also for flows that ask on the way (``await app.push_screen_wait(...)``).
    """
    app = cast("DeskApp", node.app)
    job = Job(node, work, what, failed, writes=True)
    job.worker = app.run_worker(
        job.run, name=what, description=what, group="write", exclusive=False, exit_on_error=False
    )
    app.jobs.waiting.add(job)
    return job.worker


def show_error(app: DeskApp, error: DomainError, failed: Failed | None = None) -> None:
    """Puts an expected error into words: beside the field, on the lock screen, or as a toast."""
    if isinstance(error, SessionEnded) and not app.locked:
        app.lock_session(error.message)
        return
    if failed is not None and failed(error):
        return
    if isinstance(error, Defect):
        _show_defect(app, error.error_id)
    else:
        app.show_toast(error.message, "error")


def _show_defect(app: DeskApp, error_id: str) -> None:
    """The number under which the log file has it, long enough to be written down."""
    sentence = (
        f"Unerwarteter Fehler {error_id}: bitte die Nummer einer Person mit der Rolle Admin weitergeben."
    )
    app.notify(sentence, severity="error", timeout=DEFECT_SHOWN)
