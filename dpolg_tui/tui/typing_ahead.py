"""Keys one after the other, however fast they come.

Textual carries out a letter in its field at once, but a key with a binding (Backspace, Strg+U, ``/``)
only when its event has risen to the app, and sends the next key meanwhile. Over a slow line several arrive at
once: letters would be typed before what is to be deleted goes, or into a screen that is about to be covered.
"""

from __future__ import annotations

from collections import deque

from textual import events
from textual.app import App
from textual.message import Message
from textual.timer import Timer

LONGEST = 0.5
"""Seconds after which the next key is handed out although nothing was heard of the last one."""


class TypingAhead(App[None], inherit_bindings=False):
    """An app that hands out a key when the one before has been carried out, new screen and all."""

    class Done(Message):
        """Rises behind a key from where it was sent: whatever the key does has begun."""

    def __init__(self) -> None:
        super().__init__()
        self._typed_ahead: deque[events.Key | events.Paste] = deque()
        self._key_under_way = False
        self._guard: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Holds back what is typed while a key is on its way."""
        if not isinstance(event, events.Key | events.Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._key_under_way:
            self._typed_ahead.append(event)
        else:
            await self._carry_out(event)

    async def _carry_out(self, event: events.Key | events.Paste) -> None:
        self._key_under_way = True
        # What is on its way may be lost with the widget that had the focus.
        self._guard = self.set_timer(LONGEST, self._hand_out)
        await super().on_event(event)
        if not (self.focused or self.screen).post_message(self.Done()):
            await self._hand_out()

    async def on_typing_ahead_done(self, message: Done) -> None:
        """The key is carried out; a screen that it opened is still to be mounted and to get its focus."""
        message.stop()
        if self.screen.is_mounted or not self.screen.call_later(self._hand_out):
            await self._hand_out()

    async def _hand_out(self) -> None:
        if self._guard is not None:
            self._guard.stop()
            self._guard = None
        self._key_under_way = False
        if self._typed_ahead:
            await self._carry_out(self._typed_ahead.popleft())
