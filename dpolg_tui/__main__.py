"""``dpolg-tui`` and ``python -m dpolg_tui``."""

from __future__ import annotations

import sys


def main() -> int:
    """Run the command line; the exit code."""
    from dpolg_tui.cli import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
