"""Forms that were open and not saved when the program ended, for the next start of the same user."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from dpolg_tui import locations
from dpolg_tui.db.hosts import decode_json, encode_json
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


class Drafts:
    """The drafts of the user who is signed in: a private file, gone when there are none."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._kept: str | None = None
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
            self.pending = tuple(Draft(**one) for one in decode_json(self._kept))
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
        wanted = [*self.pending, *drafts]
        text = encode_json([asdict(one) for one in wanted]) if wanted else None
        if text != self._kept:
            keep(path, text)
            self._kept = text

    def decided(self) -> tuple[Draft, ...]:
        """The user has said what shall become of the pending ones: they are returned once."""
        pending, self.pending = self.pending, ()
        return pending
