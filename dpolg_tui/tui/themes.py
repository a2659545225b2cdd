"""Colours: a dark and a light theme, and the terminal's own where it has only sixteen."""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.theme import Theme

DARK = "dpolg-dunkel"
LIGHT = "dpolg-hell"
SIXTEEN = "ansi-dark"

# Backgrounds are so close to grey that a terminal with 256 colours shows greys: more colour in them and the
# nearest of its few dark colours is a bright teal or navy.
THEMES = (
    Theme(
        name=DARK,
        primary="#3a8fd9",
        secondary="#5aa9c9",
        warning="#e0a030",
        error="#e06060",
        success="#5fb878",
        accent="#e0a030",
        foreground="#e4e7eb",
        background="#15181c",
        surface="#1d2127",
        panel="#2a3038",
        dark=True,
    ),
    Theme(
        name=LIGHT,
        primary="#1f5f9f",
        secondary="#2f7f9f",
        warning="#9a6200",
        error="#b02a2a",
        success="#2a7a3f",
        accent="#9a6200",
        foreground="#1b1f24",
        background="#f7f8fa",
        surface="#ffffff",
        panel="#e0e3e7",
        dark=False,
    ),
)

_NAMES = {"dunkel": DARK, "hell": LIGHT, "dark": DARK, "light": LIGHT, "16": SIXTEEN}


def choose_theme(setting: str, color_system: str | None, available: frozenset[str]) -> str:
    """Name of the theme for the setting ``ui.theme`` in a terminal with this colour system.

    In a terminal with sixteen colours stock themes collapse to four backgrounds: there only the
    terminal's own colours are readable, whatever the setting says.
    """
    if color_system in (None, "standard", "windows"):
        return SIXTEEN
    wanted = _NAMES.get(setting, setting)
    return wanted if wanted in available else DARK


def first_theme(app: App[Any], name: str) -> None:
    """Sets the theme before the first picture: assigned as later ones are, all CSS was parsed twice more."""
    app.set_reactive(App.theme, name)
    theme = app.current_theme
    app.add_class(f"-theme-{theme.name}", update=False)
    app.set_class(theme.dark, "-dark-mode", update=False)
    app.set_class(not theme.dark, "-light-mode", update=False)
    app._refresh_truecolor_filter(app.ansi_theme)
    app.stylesheet.set_variables(app.get_css_variables())
