"""Editing keys take effect in the order in which they were typed.

Textual hands letters to the editor at once, but keys with an action by way of the application: of what
arrives in one burst (a slow line, a busy computer) the Backspace would delete a letter typed after it.
"""

from __future__ import annotations

from textual import events
from textual.widget import Widget
from textual.widgets import Input, TextArea

_EDITING = ("cursor_", "delete_", "select_", "home", "end", "cut", "paste", "undo", "redo")


class EditInput(Input):
    """Textual's input, in turn."""

    async def on_key(self, event: events.Key) -> None:
        await _edit(self, event)


class EditArea(TextArea):
    """Textual's text of several lines, in turn."""

    async def on_key(self, event: events.Key) -> None:
        await _edit(self, event)


async def _edit(editor: Widget, event: events.Key) -> None:
    """Does here and now what only concerns the text; all else goes its usual way."""
    for binding in editor._bindings.key_to_bindings.get(event.key, ()):
        if binding.action.startswith(_EDITING) and await editor.app.run_action(binding.action, editor):
            event.stop()
            event.prevent_default()
            return
