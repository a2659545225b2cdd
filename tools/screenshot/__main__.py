"""``.venv/bin/python tools/screenshot FILE [--screen NAME] [--size 120x36] [--png]``."""

from __future__ import annotations

import sys
from pathlib import Path

# Started as a directory, Python looks for modules in here; they are found from the checkout.
sys.path[0] = str(Path(__file__).parents[2])

from tools.screenshot.take import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
