"""What screens talk to: the live copy of what they show, reads, and one method per user action."""

from dpolg_tui.desk.desk import Desk

__all__ = ["Desk"]
