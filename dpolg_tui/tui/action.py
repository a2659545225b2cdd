"""What an action is. The registry of all of them is ``actions.py``."""

from __future__ import annotations

from dataclasses import dataclass

from dpolg_tui.domain.models import Role


@dataclass(frozen=True, slots=True)
class Action:
    """Something a user can do, known once: key map, footer, palette and help derive from it.

    ``name`` is ``<scope>.<method>``: a screen of the scope has a method ``action_<method>``. ``key``
    is a Textual key, or several separated by commas of which the first is shown, or empty for an
    action that only the palette offers. ``label`` is the word of the footer, ``help`` a sentence.
    """

    name: str
    label: str
    key: str
    help: str
    scope: str
    role: Role | None = None
    """Only for this role; ``None``: for everybody."""
    footer: bool = False
    """Shown in the footer of its screen. The order in the registry is the order of the footer."""
    priority: bool = False
    """The key wins over the focused widget, and works over dialogs if the scope is ``app``."""
    palette: bool = True
    """Offered in the command palette. Movements of a cursor make no sense there."""

    @property
    def method(self) -> str:
        """Name of the action as Textual knows it: ``action_<method>`` on the screen."""
        return self.name.rpartition(".")[2]

    def allowed(self, role: Role | None) -> bool:
        """Whether somebody with ``role`` may do it; an admin may do what a user may."""
        return self.role is None or role == self.role or role == Role.ADMIN
