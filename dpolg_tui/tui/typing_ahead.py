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
        """Rises behind a key from where it was sent: whatever the key does has begun. ``number``: its own."""

        def __init__(self, number: int) -> None:
            super().__init__()
            self.number = number

    def __init__(self) -> None:
        super().__init__()
        self._typed_ahead: deque[events.InputEvent | events.Paste] = deque()
        self._under_way = False
        self._waits = 0
        """How often something was waited for: the number of what is waited for now."""
        self._guard: Timer | None = None

    async def on_event(self, event: events.Event) -> None:
        """Holds back what is typed while a key is on its way, and clicks behind it: they move the focus."""
        if not isinstance(event, events.InputEvent | events.Paste) or event.is_forwarded:
            await super().on_event(event)
            return
        self._typed_ahead.append(event)
        await self._hand_out()

    async def _hand_out(self) -> None:
        while self._typed_ahead and not self._under_way:
            event = self._typed_ahead.popleft()
            if isinstance(event, events.MouseEvent):
                await super().on_event(event)
            else:
                await self._carry_out(event)

    async def _carry_out(self, event: events.InputEvent | events.Paste) -> None:
        self._under_way = True
        number = self._wait()
        await super().on_event(event)
        done = self.Done(number)
        if not (self.focused or self.screen).post_message(done):
            self.post_message(done)

    def _wait(self) -> int:
        """Begins to wait for what has this number; not for ever: it may be lost with the focused widget."""
        self._stop_guard()
        self._waits = number = self._waits + 1
        # Behind what has come meanwhile: an action may have taken longer, and what was waited for is there.
        self._guard = self.set_timer(LONGEST, lambda: self.post_message(self.Done(number)))
        return number

    def _stop_guard(self) -> None:
        if self._guard is not None:
            self._guard.stop()
            self._guard = None

    async def on_typing_ahead_done(self, message: Done) -> None:
        """The key is carried out; a screen that it opened is still to be mounted and to get its focus."""
        message.stop()
        if message.number != self._waits or not self._under_way:
            return  # it was given up, and others are on their way
        # Back to here once it is: an action must not run inside the screen that it may close.
        if not self.screen.is_mounted and self.screen.call_later(self.post_message, self.Done(self._wait())):
            return
        self._stop_guard()
        self._under_way = False
        await self._hand_out()
