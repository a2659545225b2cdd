"""Forms that were open and not saved when the program ended, for the next start of the same user."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from dpolg_tui import locations
from dpolg_tui.db.hosts import decode_json, encode_json
from dpolg_tui.desk.offline import NotKept
from dpolg_tui.desk.queue_file import keep

if TYPE_CHECKING:
    from pathlib import Path

    from dpolg_tui.desk.desk import Desk

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Draft:
    """What was typed into a form. ``raws``: what its editors held; ``values``: what has no editor."""

    kind: str
    record_id: int | None
    title: str
    raws: Mapping[str, Any] = field(default_factory=dict)
    values: Mapping[str, Any] = field(default_factory=dict)
    id: str = ""
    """Of the form: a queued write names it, too."""
    request: str = ""
    """The queued write that the form was opened with."""


class Drafts:
    """The drafts of the user who is signed in: a private file, gone when there are none."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._kept: str | None = None
        self._open: tuple[Draft, ...] = ()
        self._saved: set[str] = set()
        self.pending: tuple[Draft, ...] = ()
        """Of the last time, until the user has said what shall become of them."""

    @property
    def _path(self) -> Path | None:
        user = self._desk.user
        if user is None or not self._desk.outbox.usable:
            return None
        return locations.private_file("drafts", self._desk.instance, user.id)

    def load(self) -> tuple[Draft, ...]:
        """What was kept; what cannot be read is nothing worth stopping for."""
        path = self._path
        self._kept, self.pending = None, ()
        if path is None:
            return ()
        try:
            self._kept = path.read_text(encoding="utf-8")
            drafts = [Draft(**one) for one in decode_json(self._kept)]
            # The program was killed between saving and forgetting the draft: it is in the queue already.
            self.pending = tuple(one for one in drafts if not self._desk.outbox.has_form(one.id))
        except FileNotFoundError:
            return ()
        except (OSError, ValueError, TypeError) as error:
            log.warning("the drafts could not be read: %s", type(error).__name__)
        return self.pending

    def keep(self, drafts: Iterable[Draft]) -> None:
        """Replaces what is kept, besides those that wait for an answer. Raises NotKept."""
        path = self._path
        if path is None:
            return
        self._open = tuple(one for one in drafts if one.id not in self._saved)
        wanted = [*self.pending, *self._open]
        text = encode_json([asdict(one) for one in wanted]) if wanted else None
        if text != self._kept:
            keep(path, text)
            self._kept = text

    def saved(self, form: str) -> None:
        """A form is saved or queued: from now on its draft would only do the same twice."""
        if not form:
            return
        self._saved.add(form)
        try:
            self.keep(self._open)
        except NotKept as error:
            log.warning("a draft could not be removed: %s", type(error.__cause__).__name__)

    def decided(self) -> tuple[Draft, ...]:
        """The user has said what shall become of the pending ones: they are returned once."""
        pending, self.pending = self.pending, ()
        return pending
