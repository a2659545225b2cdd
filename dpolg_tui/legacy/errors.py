"""Why a migration stops: one German sentence each, nothing written."""

from __future__ import annotations

from dpolg_tui.domain.errors import DomainError
from dpolg_tui.operations.files import reason

__all__ = [
    "Declined",
    "DifferencesFound",
    "NoBackup",
    "OtherHouse",
    "UnsuitableTarget",
    "reason",
]


class Declined(DomainError):  # noqa: N818 - named like the domain's errors
    """Nichts wurde verändert."""


class UnsuitableTarget(DomainError):  # noqa: N818 - named like the domain's errors
    """In diese Datenbank kann nichts übernommen werden."""


class OtherHouse(DomainError):  # noqa: N818 - named like the domain's errors
    """Die Datei gehört zu einem anderen Haus als die schon übernommene."""


class NoBackup(DomainError):  # noqa: N818 - named like the domain's errors
    """Das Ziel lässt sich nicht sichern."""


class DifferencesFound(DomainError):  # noqa: N818 - named like the domain's errors
    """Die Prüfung hat Unterschiede gefunden; nichts wurde verändert."""
