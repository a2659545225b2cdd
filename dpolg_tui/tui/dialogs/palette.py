"""Strg+P: every action that is possible here, to search and choose."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.dom import DOMNode
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from dpolg_tui.domain.german import search_key
from dpolg_tui.tui.actions import Action, actions_of, key_label
from dpolg_tui.tui.dialogs.base import BaseDialog

if TYPE_CHECKING:
    from dpolg_tui.tui.app import DeskApp
    from dpolg_tui.tui.screens.base import DeskScreen

Offer = tuple[Action, DOMNode]


def offers(app: DeskApp, screen: DeskScreen) -> list[Offer]:
    """Actions that the user may do and that are possible now, each with the widget that does it."""
    nodes: list[DOMNode] = list(screen.focused.ancestors_with_self) if screen.focused else [screen, app]
    found: list[Offer] = []
    for scope in app.actions_here():
        for action in actions_of(scope, app.role):
            if not action.palette:
                continue
            doers = [app] if scope == "app" else nodes
            node = next((node for node in doers if hasattr(node, f"action_{action.method}")), None)
            if node is not None and node.check_action(action.method, ()):
                found.append((action, node))
    return found


def open_palette(app: DeskApp, screen: DeskScreen) -> None:
    """Shows the palette and does what is chosen, on the screen from which it was opened."""
    possible = offers(app, screen)

    async def chosen(action: Action | None) -> None:
        for candidate, node in possible:
            if action is candidate:
                await app.run_action(action.method, node)

    app.push_screen(PaletteDialog([action for action, _ in possible]), chosen)


class PaletteDialog(BaseDialog[Action]):
    """A line to type in and the actions that match."""

    HELP = "Tippen sucht, Pfeiltasten wählen, Enter führt den Befehl aus."
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "Weiter", show=False),
        Binding("up", "move(-1)", "Zurück", show=False),
    ]

    def __init__(self, actions: list[Action]) -> None:
        super().__init__("Befehle")
        self._actions = actions
        self._shown: list[Action] = []

    def compose_body(self) -> ComposeResult:
        yield Input(placeholder="Befehl suchen …", id="palette-search")
        yield OptionList(id="palette-list", markup=False, compact=True)

    def compose_buttons(self) -> ComposeResult:
        yield from ()

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._list("")

    def _list(self, text: str) -> None:
        words = search_key(text).split()
        fitting = [
            action
            for action in self._actions
            if all(word in search_key(f"{action.label} {action.help}") for word in words)
        ]
        # Those that are called so, before those whose explanation only has the words in it.
        self._shown = sorted(fitting, key=lambda action: not _named(action, words))
        options = self.query_one(OptionList)
        options.clear_options()
        width = max((len(key_label(action.key)) for action in self._shown if action.key), default=0)
        options.add_options(
            Option(
                Content.assemble(
                    (f"{key_label(action.key) if action.key else '':<{width}}  ", "$text-accent"),
                    (action.label, "bold"),
                    "  ",
                    (action.help, "dim"),
                )
            )
            for action in self._shown
        )
        if self._shown:
            options.highlighted = 0
        else:
            options.add_option(Option("Kein Befehl passt dazu.", disabled=True))

    def on_input_changed(self, event: Input.Changed) -> None:
        self._list(event.value)

    def on_input_submitted(self) -> None:
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None and highlighted < len(self._shown):
            self.finish(self._shown[highlighted])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._shown):
            self.finish(self._shown[event.option_index])

    def action_move(self, step: int) -> None:
        """Moves the mark while the text keeps the focus."""
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()


def _named(action: Action, words: list[str]) -> bool:
    return all(word in search_key(action.label) for word in words)
