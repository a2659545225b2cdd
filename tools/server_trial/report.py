"""What was found, a line each; the whole of what machines said goes to a file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


class Report:
    """Tells while it goes on, and counts."""

    def __init__(self, title: str, log: Path) -> None:
        self.title = title
        self.log = log
        self.good = 0
        self.failed = 0

    def heading(self, step: Callable[..., Any]) -> None:
        """The next part, by its docstring."""
        self._tell(f"\n== {self.title}: {(step.__doc__ or step.__name__).splitlines()[0]}")

    def check(self, what: str, right: bool, said: str = "") -> bool:
        """One finding; ``said`` is shown where it is not right, and in the log."""
        if right:
            self.good += 1
            self._tell(f"   ok      {what}", said)
        else:
            self.failed += 1
            self._tell(
                f"   WRONG   {what}\n" + "\n".join(f"           | {line}" for line in said.splitlines()[-25:])
            )
            self._write(said)
        return right

    def note(self, what: str) -> None:
        """A fact that is neither right nor wrong."""
        self._tell(f"   –       {what}")

    def keep(self, what: str, said: str) -> None:
        """For the log alone."""
        self._write(f"--- {what}\n{said}")

    def end(self, log: Path) -> None:
        """The sum."""
        print(f"\n{self.title}: {self.good} ok, {self.failed} wrong; all that was said: {log}", flush=True)

    def _tell(self, line: str, detail: str = "") -> None:
        print(line, flush=True)
        self._write(f"{line}\n{detail}" if detail else line)

    def _write(self, text: str) -> None:
        with self.log.open("a") as file:
            file.write(text.rstrip() + "\n")
