"""Actions of the forms and lists: booking, guests, rooms."""

from __future__ import annotations

from dpolg_tui.tui.action import Action

FORM_ACTIONS: tuple[Action, ...] = ()
