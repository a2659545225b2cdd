"""What admins do with the personal data of a guest: export and anonymise, each after two questions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from dpolg_tui.domain.german import clean_line, format_date
from dpolg_tui.domain.models import GuestSummary, Outcome
from dpolg_tui.tui.dialogs.confirm import ConfirmDialog
from dpolg_tui.tui.dialogs.type_to_confirm import TypeToConfirmDialog

if TYPE_CHECKING:
    from dpolg_tui.desk import Desk
    from dpolg_tui.tui.app import DeskApp

LONG = 12.0
"""Seconds that a toast stays whose path somebody may want to copy."""


def kept_until(desk: Desk) -> str:
    """The last day of files with personal data that are written today."""
    return format_date(desk.today() + timedelta(desk.config.desk.export_days))


def say_where(app: DeskApp, what: str, *paths: Path) -> None:
    """A toast that names the files, and until when they are kept."""
    names = " und ".join(path.name for path in paths)
    folder, home = str(paths[0].parent), str(Path.home())
    if folder.startswith(f"{home}/"):
        folder = f"~{folder.removeprefix(home)}"
    until = f"Aufbewahrt bis {kept_until(app.desk)}, dann gelöscht."
    app.notify(f"{what}: {names} im Ordner {folder}. {until}", timeout=LONG)


async def export_guest(app: DeskApp, guest: GuestSummary) -> None:
    """Writes all that is held on a guest into two files. Only inside a worker."""
    name = clean_line(guest.name)
    first = ConfirmDialog(
        "Daten exportieren?",
        [
            name,
            " ",
            "Geschrieben wird alles, was über diesen Gast gespeichert ist: Angaben, Begleitpersonen, "
            "Buchungen, Zahlungen, E-Mails, Verlauf. Einmal lesbar (Text), einmal für Programme (JSON).",
        ],
        "Weiter",
        danger=True,
    )
    second = ConfirmDialog(
        "Wirklich exportieren?",
        [
            name,
            " ",
            "Die Dateien sind nicht verschlüsselt. Bitte nur der Person selbst geben.",
            f"Sie werden bis {kept_until(app.desk)} aufbewahrt, dann löscht sie das Programm.",
            "Der Export steht mit Ihrem Namen im Protokoll.",
        ],
        "Exportieren",
        danger=True,
    )
    for question in (first, second):
        if not await app.push_screen_wait(question):
            return
    say_where(app, "Exportiert", *await app.desk.personal_data.export(guest.id))


async def anonymise_guest(app: DeskApp, guest: GuestSummary) -> None:
    """Takes all personal data from a guest. Only inside a worker."""
    name = clean_line(guest.name)
    agreed = await app.push_screen_wait(
        ConfirmDialog(
            "Gast anonymisieren?",
            [
                name,
                " ",
                "Name, Anschrift, Kontakte, Notizen und Begleitpersonen dieses Gastes werden gelöscht, "
                "auch im Protokoll. Alte Buchungen zählen in den Statistiken weiter. "
                "Ausgestellte Rechnungen bleiben bis zum Ende ihrer Frist.",
                " ",
                "Das lässt sich nicht zurücknehmen.",
            ],
            "Weiter",
            danger=True,
        )
    )
    typed = agreed and await app.push_screen_wait(
        TypeToConfirmDialog(
            "Wirklich anonymisieren?",
            [f"{name}: alle persönlichen Angaben gehen verloren.", " "],
            "den Nachnamen",
            clean_line(guest.last_name),
            "Anonymisieren",
        )
    )
    if not typed:
        return
    result = await app.desk.personal_data.anonymise(guest.id)
    if result.outcome is Outcome.DONE:
        app.show_toast("Der Gast ist anonymisiert.")
    else:
        app.show_toast("Diesen Gast gibt es nicht mehr: er wurde inzwischen gelöscht.", "warning")
