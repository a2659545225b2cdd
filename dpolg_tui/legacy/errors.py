"""Why a migration stops: one German sentence each, nothing written."""

from __future__ import annotations

import errno

from dpolg_tui.domain.errors import DomainError


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


_REASONS = {
    errno.ENOSPC: "kein Platz mehr",
    errno.EDQUOT: "kein Platz mehr",
    errno.EACCES: "keine Berechtigung",
    errno.EPERM: "keine Berechtigung",
    errno.EROFS: "nur lesbar",
    errno.EISDIR: "das ist ein Ordner",
    errno.ENOTDIR: "auf dem Weg dorthin liegt eine Datei",
    errno.EEXIST: "dort liegt eine Datei",
    errno.ENAMETOOLONG: "der Name ist zu lang",
}


def reason(error: OSError) -> str:
    """Why a file could not be written, in German words where we have them."""
    return _REASONS.get(error.errno or 0) or error.strerror or type(error).__name__
