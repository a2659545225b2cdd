"""What the constraints on users, sessions and their sign-in mean to the person who typed."""

from __future__ import annotations

from dpolg_tui.db.constraints_around import Meaning
from dpolg_tui.domain.people import NO_EMAIL

_MALFORMED = (
    "Das Passwort kam in einer unzulässigen Form an: bitte die neue Version dieses Programms installieren."
)


def people(defect: str, signed_work: str) -> dict[str, Meaning]:
    """By name of the constraint; ``signed_work`` is said of users whom records name."""
    return {
        # users and their sign-in
        "users_username_key": ("username", "Diesen Benutzernamen gibt es schon: bitte einen anderen wählen."),
        "users_email_length": (
            "email",
            "E-Mail hat 3 bis 100 Zeichen: bitte ergänzen, kürzen oder leer lassen.",
        ),
        "users_email_at": ("email", NO_EMAIL),
        "users_role": ("role", "Diese Rolle gibt es nicht: bitte Admin oder Benutzer wählen."),
        "users_memory": ("password", _MALFORMED),
        "users_iterations": ("password", _MALFORMED),
        "users_parallelism": ("password", _MALFORMED),
        "users_salt_length": ("password", _MALFORMED),
        "users_verifier_length": ("password", _MALFORMED),
        "sessions_token_length": (None, defect),
        "sessions_token_key": (None, "Diese Anmeldung gibt es schon: bitte noch einmal anmelden."),
        "sessions_user_id_fkey": (None, signed_work),
        "sessions_client_length": (
            None,
            "Der Name dieses Arbeitsplatzes ist zu lang: bitte unter [desk] name kürzen.",
        ),
        "attempts_client_length": (
            None,
            "Der Name dieses Arbeitsplatzes ist zu lang: bitte unter [desk] name kürzen.",
        ),
        "requests_user_id_fkey": (None, signed_work),
        "users_username_letters": (
            "username",
            "Name oder E-Mail enthalten ein Zeichen, das nicht zu sehen ist: bitte neu eingeben.",
        ),
        "users_last_admin": ("role", "Mindestens ein aktiver Benutzer muss die Rolle Admin behalten."),
        "users_own_role": (
            "role",
            "Die eigene Rolle und den eigenen Zugang ändert nur ein anderer Admin: bitte einen fragen.",
        ),
        "users_own_password": (
            "password",
            "Das eigene Passwort wird nicht zurückgesetzt: bitte „Passwort ändern“ benutzen.",
        ),
        "users_with_history": (None, signed_work),
        "sessions_current": (None, "Diese Sitzung ist die eigene: bitte „Abmelden“ benutzen."),
        "sessions_screen_length": (None, defect),
        "secrets_memory": (
            "memory_kib",
            "Der Speicher für die Anmeldung liegt zwischen 19456 und 262144 KiB.",
        ),
        "secrets_iterations": ("iterations", "Die Anmeldung braucht 2 bis 10 Durchläufe."),
        "secrets_parallelism": ("parallelism", "Die Anmeldung benutzt 1 bis 8 Fäden."),
        "house_settings_audit_retention_range": (
            "audit_retention_months",
            "Das Protokoll wird 12 bis 600 Monate aufbewahrt.",
        ),
    }
