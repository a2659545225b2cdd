"""Whoever is on the screen hears of what happens on the desk."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from textual.message import Message
from textual.message_pump import MessagePump

from dpolg_tui.desk.events import DeskEvent

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp


class Hearing(MessagePump):
    """Listens to the desk from mount to unmount; subclasses say in ``heard`` what concerns them.

    Goes before the Textual class: ``class PresenceDialog(Hearing, BaseDialog[None])``.
    """

    _unsubscribe: Callable[[], None] | None = None

    @dataclass
    class Heard(Message, bubble=False):
        """Carries an event from the desk's task into the own queue, where widgets may be touched."""

        event: DeskEvent

    # Textual calls the handlers of every class, the subclass's first.
    def on_mount(self) -> None:
        desk = cast("DeskApp", self.app).desk
        self._unsubscribe = desk.subscribe(lambda event: self.post_message(self.Heard(event)))

    def on_unmount(self) -> None:
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def on_hearing_heard(self, message: Heard) -> None:
        """Takes the event out of its envelope."""
        message.stop()
        self.heard(message.event)

    def heard(self, event: DeskEvent) -> None:
        """Something happened, here or at another desk."""
