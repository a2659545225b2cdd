"""What can go wrong, in the words of the house.

Each class is one kind of failure that a screen can react to. Its docstring is the German
sentence shown by default; ``message`` is the sentence to show.
"""

# ruff: noqa: N818 -- the names say what happened; an Error suffix on each would add nothing

from __future__ import annotations


class DomainError(Exception):
    """Das hat nicht geklappt: bitte noch einmal versuchen."""

    def __init__(self, message: str | None = None) -> None:
        self.message = message or (type(self).__doc__ or type(self).__name__)
        super().__init__(self.message)


class InvalidInput(DomainError):
    """Die Eingabe passt nicht: bitte prüfen und berichtigen."""

    def __init__(self, message: str | None = None, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class RuleViolated(DomainError):
    """Die Datenbank lässt diese Angaben nicht zu: bitte prüfen und berichtigen."""

    def __init__(
        self,
        message: str | None = None,
        field: str | None = None,
        constraint: str | None = None,
        referred: str = "",
    ) -> None:
        super().__init__(message)
        self.field = field
        self.constraint = constraint
        self.referred = referred
        """What refers to a record that was to be deleted, as a clause; empty if nothing does."""


class NotAllowed(DomainError):
    """Dafür fehlt Ihnen die Berechtigung: bitte einen Admin fragen."""


class SessionEnded(DomainError):
    """Ihre Anmeldung ist abgelaufen: bitte neu anmelden, Ihre Eingaben bleiben erhalten."""


class LoginFailed(DomainError):
    """Anmeldung fehlgeschlagen: bitte Benutzername und Passwort prüfen."""


class Deactivated(DomainError):
    """Benutzer deaktiviert: bitte einen Admin fragen."""


class MustChangePassword(DomainError):
    """Bitte zuerst ein eigenes Passwort festlegen."""


class Unreachable(DomainError):
    """Die Datenbank ist nicht erreichbar: bitte Netzwerk und Einstellungen prüfen."""


class OutcomeUnknown(DomainError):
    """Die Verbindung brach beim Speichern ab: bitte nachsehen, ob die Änderung angekommen ist."""


class Busy(DomainError):
    """Die Datenbank ist gerade ausgelastet: bitte gleich noch einmal versuchen."""


class ServerFull(DomainError):
    """Auf dem Datenbankserver ist kein Platz mehr: bitte sofort einen Admin verständigen."""


class RecordMissing(DomainError):
    """Den Eintrag gibt es nicht mehr: er wurde inzwischen gelöscht."""


class ClientTooOld(DomainError):
    """Dieses Programm ist zu alt für die Datenbank: bitte die neue Version installieren."""


class NoSchema(DomainError):
    """In dieser Datenbank ist noch kein Buchungssystem eingerichtet: bitte dpolg-tui init-db ausführen."""


class Defect(DomainError):
    """Ein unerwarteter Fehler ist aufgetreten."""

    def __init__(self, error_id: str, message: str | None = None) -> None:
        super().__init__(
            message
            or f"{Defect.__doc__} Bitte die Fehlernummer {error_id} weitergeben:"
            " Einzelheiten stehen in der Protokolldatei."
        )
        self.error_id = error_id
