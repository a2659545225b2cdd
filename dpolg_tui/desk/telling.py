"""Whoever listens hears of what happens on a desk."""

from __future__ import annotations

from collections.abc import Callable

from dpolg_tui.desk.events import DeskEvent
from dpolg_tui.log import log_defect


class Teller:
    """Listeners, in the order in which they came."""

    def __init__(self) -> None:
        super().__init__()
        self._listeners: list[Callable[[DeskEvent], object]] = []

    def subscribe(self, listener: Callable[[DeskEvent], object]) -> Callable[[], None]:
        """Hear of everything that changes; returns the way to stop. Called on the event loop."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def tell(self, event: DeskEvent) -> None:
        """Tell all screens; used by the actions of this package. A screen's defect stays its own."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception as error:  # noqa: BLE001 - neither a write nor the updates may fail by it
                log_defect(error)
