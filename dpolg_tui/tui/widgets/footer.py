"""The line at the bottom: the keys that work right now."""

from __future__ import annotations

from dataclasses import dataclass

from textual import events
from textual.binding import Binding
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import Screen
from textual.widget import Widget

from dpolg_tui.tui.actions import ACTIONS, actions_of, key_label

_ORDER = {action.name: position for position, action in enumerate(ACTIONS)}
HELP = "app.help"


@dataclass(frozen=True)
class Item:
    """A key with its word, and whom to ask when it is clicked."""

    key: str
    label: str
    node: DOMNode
    binding: Binding

    @property
    def width(self) -> int:
        return Content(f"{self.key} {self.label}").cell_length


def _words_now(node: DOMNode) -> dict[str, str]:
    """Words of a widget whose keys mean different things at different times, by action."""
    footer_words = getattr(node, "footer_words", None)
    return dict(footer_words()) if footer_words is not None else {}


class DeskFooter(Widget):
    """Keys and words from the registry, those left out for which there is no room; F1 always stays."""

    ALLOW_SELECT = False
    GAP = 2

    def __init__(self) -> None:
        super().__init__()
        self._spans: list[tuple[int, int, Item]] = []

    def on_mount(self) -> None:
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)

    def on_resize(self) -> None:
        self.refresh()

    def on_unmount(self) -> None:
        self.screen.bindings_updated_signal.unsubscribe(self)

    def _bindings_changed(self, _screen: Screen[object]) -> None:
        self.refresh()

    def items(self) -> list[Item]:
        """Keys that work now and have a word: those outside the registry first, then in its order."""
        found: dict[str, Item] = {}
        for node, binding, enabled, _tooltip in self.screen.active_bindings.values():
            if binding.show and enabled and binding.description:
                name = binding.id or f"{binding.action}"
                label = _words_now(node).get(binding.action, binding.description)
                found.setdefault(
                    name, Item(binding.key_display or key_label(binding.key), label, node, binding)
                )
        # A dialog hides the app's keys from the list above, but those with priority work over it.
        for action in actions_of("app", everyone=True):
            if action.footer and action.priority and self.app.check_action(action.method, ()):
                binding = Binding(action.key, action.method, action.label, id=action.name)
                found.setdefault(action.name, Item(key_label(action.key), action.label, self.app, binding))
        return [found[name] for name in sorted(found, key=lambda name: _ORDER.get(name, -1))]

    def render(self) -> Content:
        width = self.size.width - 1
        items = self.items()
        kept = [item for item in items if item.binding.id == HELP]
        room = width - sum(item.width + self.GAP for item in kept)
        shown: list[Item] = []
        for item in items:
            if item in kept:
                continue
            if item.width + self.GAP > room:
                continue
            room -= item.width + self.GAP
            shown.append(item)
        shown += kept
        parts: list[Content | str | tuple[str, str]] = [" "]
        position = 1
        self._spans.clear()
        for item in shown:
            self._spans.append((position, position + item.width, item))
            parts += [(item.key, "bold $text-accent"), f" {item.label}", " " * self.GAP]
            position += item.width + self.GAP
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        event.stop()
        for start, end, item in self._spans:
            if start <= event.x < end:
                await self.app.run_action(item.binding.action, item.node)
                return
