"""Reading and saving config.toml: every complaint names file, line and nearest key."""

from __future__ import annotations

import io
import os
import re
import stat
import sys
import tempfile
import textwrap
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dpolg_tui import locations
from dpolg_tui.setting_types import ConfigError, Setting, did_you_mean
from dpolg_tui.settings import BY_NAME, SECTIONS, SETTINGS

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

# A dotted key or a table header at the start of a line, as far as line numbers need it.
_HEADER = re.compile(r"\s*\[\s*([\w.\"' -]+?)\s*\]")
_KEY = re.compile(r"\s*([\w.\"' -]+?)\s*=")


def read(path: Path) -> dict[str, object]:
    """The settings that stand in the file, checked, as ``{"section.key": value}``."""
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_message(path, text, error)) from error
    return _checked(path, text, document)


def permission_warnings(path: Path, values: Mapping[str, object]) -> list[str]:
    """What is wrong with the rights on a file that the program trusts."""
    if sys.platform == "win32":
        return []
    state = path.stat()
    warnings = []
    # A group of the system-wide file is chosen by whoever installed it: it reads, but does not write.
    shared = path == locations.system_config_file()
    protect = f"bitte mit chmod {'g-w,o-rwx' if shared else '600'} {path} schützen."
    if state.st_mode & 0o022:
        warnings.append(
            f"{path} ist für andere schreibbar; wer einen anderen Server hineinschreibt, erfährt "
            f"Passwort und Anmeldung: {protect}"
        )
    elif values.get("database.password") and state.st_mode & (0o004 if shared else 0o044):
        warnings.append(f"{path} enthält ein Passwort und ist für andere lesbar: {protect}")
    if state.st_uid not in (0, os.getuid()):
        warnings.append(
            f"{path} gehört einem anderen Benutzer: bitte prüfen, ob der Server darin der richtige ist."
        )
    return warnings


def save(path: Path, changes: Mapping[str, Mapping[str, object]]) -> None:
    """Write ``{section: {key: value}}`` (None: back to the default) and keep everything else.

    Comments and order stay, the old file stays as ``.bak``, and nobody sees half a file.
    """
    target = Path(os.path.realpath(path))
    try:
        old = target.read_bytes() if target.exists() else None
        document = _changed(path, "" if old is None else _decoded(path, old), changes)
        new = document.as_string()
        _checked(path, new, tomllib.loads(new))
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if old is not None:
            _replace(target.with_name(target.name + ".bak"), old, target)
        _replace(target, new.encode(), target)
    except OSError as error:
        raise ConfigError(
            f"{path} lässt sich nicht speichern ({reason(error)}): bitte Rechte und Platz dort prüfen."
        ) from error


def example() -> str:
    """The text of config.toml.example: every setting with its sentence and default."""
    out = io.StringIO()
    out.write(
        "# Einstellungen von dpolg-tui. Diese Datei als config.toml ablegen (Orte: dpolg-tui config path)\n"
        "# und das Nötige ändern; was mit # beginnt, gilt auch so. Wirksames zeigt dpolg-tui config show.\n"
        "# Vorrang: Kommandozeile, Umgebung (DPOLG_TUI_DATABASE_HOST …, PGHOST …), Datei, Vorgabe.\n"
    )
    for section, sentence in SECTIONS.items():
        out.write(f"\n# {sentence}\n[{section}]\n")
        for setting in SETTINGS:
            if setting.section != section:
                continue
            off = "" if setting.example is not None else "# "
            value = setting.default if setting.example is None else setting.example
            for line in textwrap.wrap(setting.sentence, 98, break_on_hyphens=False):
                out.write(f"# {line}\n")
            out.write(f"{off}{setting.key} = {toml_literal(value)}\n")
    return out.getvalue()


def toml_literal(value: object) -> str:
    """``value`` as TOML writes it."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value)
        case float():
            return f"{value:g}"
        case tuple():
            return f"[{', '.join(toml_literal(one) for one in value)}]"
        case _:
            text = str(value).replace("\\", "\\\\").replace('"', '\\"')
            return f'"{text}"'


def _text(path: Path) -> str:
    try:
        return _decoded(path, path.read_bytes())
    except OSError as error:
        raise ConfigError(f"{path} ist nicht lesbar ({reason(error)}).") from error


def _decoded(path: Path, raw: bytes) -> str:
    try:
        # Windows' editor puts a byte order mark in front.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise ConfigError(
            f"{path}, Zeile {line}: kein UTF-8; bitte die Datei als UTF-8 speichern."
        ) from error


def reason(error: OSError) -> str:
    """Why a file could not be read or written, in German words where we have them."""
    match error:
        case FileNotFoundError():
            return "es gibt sie nicht"
        case PermissionError():
            return "die Rechte fehlen"
        case IsADirectoryError():
            return "es ist ein Verzeichnis"
        case NotADirectoryError():
            return "darüber liegt eine Datei statt eines Verzeichnisses"
        case _:
            return error.strerror or type(error).__name__


def _syntax_message(path: Path, text: str, error: tomllib.TOMLDecodeError) -> str:
    found = re.search(r"at line (\d+), column (\d+)", str(error))
    line = int(found[1]) if found else len(text.splitlines())
    lines = text.splitlines()
    written = lines[line - 1] if 0 < line <= len(lines) else ""
    if "\\" in written:
        hint = "ein Pfad mit \\ gehört in einfache Anführungszeichen"
    elif "Cannot overwrite" in str(error) or "Cannot declare" in str(error):
        hint = "der Schlüssel oder Abschnitt steht schon weiter oben"
    else:
        hint = 'Texte stehen in Anführungszeichen, etwa host = "db.example.org"'
    return f"{path}, Zeile {line}: kein gültiges TOML; {hint}."


def _checked(path: Path, text: str, document: Mapping[str, Any]) -> dict[str, object]:
    values: dict[str, object] = {}
    for section, content in document.items():
        if section not in SECTIONS:
            line = _line_of(text, section, None)
            raise ConfigError(
                f"{path}, Zeile {line}: der Abschnitt [{section}] ist unbekannt{_section_hint(section)}."
            )
        if not isinstance(content, dict):
            line = _line_of(text, section, None)
            raise ConfigError(
                f"{path}, Zeile {line}: {section} muss als Abschnitt [{section}] auf eigener Zeile stehen."
            )
        for key, raw in content.items():
            setting = _setting(section, key)
            where = f"{path}, Zeile {_line_of(text, section, key)}"
            if setting is None:
                raise ConfigError(f"{where}: {section}.{key} ist unbekannt{_key_hint(section, key)}.")
            if setting.name in values:
                raise ConfigError(f"{where}: {key} ist dasselbe wie {setting.key}: bitte nur eines angeben.")
            try:
                values[setting.name] = setting.from_toml(raw)
            except ValueError as error:
                raise ConfigError(f"{where}: {section}.{key} {error}.") from error
    return values


def _setting(section: str, key: str) -> Setting | None:
    for setting in SETTINGS:
        if setting.section == section and key in (setting.key, setting.alias):
            return setting
    return None


def _section_hint(section: str) -> str:
    owners = sorted({setting.section for setting in SETTINGS if setting.key == section})
    if owners:
        return f" (gemeint: {section} im Abschnitt [{owners[0]}]?)"
    return did_you_mean(section, SECTIONS)


def _key_hint(section: str, key: str) -> str:
    own = [name for s in SETTINGS if s.section == section for name in (s.key, s.alias) if name]
    if hint := did_you_mean(key, own):
        return hint
    elsewhere = [setting.section for setting in SETTINGS if setting.key == key]
    return f" (gehört in den Abschnitt [{elsewhere[0]}])" if elsewhere else ""


def _line_of(text: str, section: str, key: str | None) -> int:
    """The line where a section, or a key in it, stands; 1 when it is written in an unusual way."""
    table = ""
    for number, line in enumerate(text.splitlines(), start=1):
        if header := _HEADER.match(line):
            table = _plain(header[1])
            if table == section and key is None:
                return number
        elif found := _KEY.match(line):
            name = _plain(found[1])
            full = f"{table}.{name}" if table else name
            wanted = section if key is None else f"{section}.{key}"
            if full == wanted or full.startswith(wanted + "."):
                return number
            # database = { host = "…" } on one line
            if key is not None and full == section and re.search(rf"\b{re.escape(key)}\b", line):
                return number
    return 1


def _plain(name: str) -> str:
    return ".".join(part.strip().strip("\"'") for part in name.split("."))


def _changed(path: Path, text: str, changes: Mapping[str, Mapping[str, object]]) -> TOMLDocument:
    # Only saving needs it, and it costs start-up time.
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
    except TOMLKitError as error:
        raise ConfigError(
            f"{path} ist kein gültiges TOML und bleibt unverändert: bitte zuerst von Hand berichtigen."
        ) from error
    for section, keys in changes.items():
        if section not in document:
            document[section] = tomlkit.table()
        table: Any = document[section]
        for key, value in keys.items():
            setting = BY_NAME[f"{section}.{key}"]
            written = setting.alias if setting.alias and setting.alias in table else key
            if value is None:
                table.pop(written, None)
            else:
                table[written] = os.fspath(value) if isinstance(value, Path) else value
    return document


def _replace(target: Path, content: bytes, model: Path) -> None:
    """Put ``content`` in the place of ``target`` in one step, readable by its owner only."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        if sys.platform != "win32" and model == locations.system_config_file() and model.exists():
            # Whoever could read the system-wide file still must.
            state = model.stat()
            os.chown(name, state.st_uid, state.st_gid)
            Path(name).chmod(stat.S_IMODE(state.st_mode))
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
