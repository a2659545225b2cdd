"""Stops a shared server once nobody is left who uses it, even if all of them were killed.

Started by ``shared.py`` beside the server, in a session of its own, so that closing the
terminal does not end it: ``python -m dpolg_tui.operations.watchdog DIRECTORY``.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from dpolg_tui.operations import processes
from dpolg_tui.operations.shared import Folder

_INTERVAL = 1.0 if sys.platform == "linux" else 3.0  # elsewhere each look starts a program


def watch(folder: Folder) -> None:
    """Returns when the server is stopped, or the folder gone."""
    while folder.path.is_dir():
        if not folder.holders():
            try:
                folder.lock.acquire()
            except FileNotFoundError:
                return
            try:
                if not folder.holders():
                    folder.stop()
                    return
            finally:
                folder.lock.release()
        time.sleep(_INTERVAL)


def main() -> None:
    """Leaves the starter's process behind, notes which process watches, and watches."""
    folder = Folder(Path(sys.argv[1]))
    if sys.platform != "win32":
        child = os.fork()
        if child:
            # The starter waits for this process, so it finds the note when it goes on.
            watcher = processes.find(child)
            if watcher is not None:
                folder.note_watchdog(watcher)
            os._exit(0)
        os.setsid()
    else:
        folder.note_watchdog(processes.current())
    watch(folder)


if __name__ == "__main__":
    main()
