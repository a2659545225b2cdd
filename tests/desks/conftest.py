"""A state directory of its own for each test: drafts and queues of one are not another's."""

from __future__ import annotations

from tests.tui.conftest import own_state

__all__ = ["own_state"]
