"""Screens and widgets of which only the subclasses are whole."""

from __future__ import annotations

from abc import ABCMeta

from textual.message_pump import _MessagePumpMeta


class AbstractMeta(ABCMeta, _MessagePumpMeta):
    """Textual's metaclass and abc's in one: a class with an abstract method cannot be made."""
