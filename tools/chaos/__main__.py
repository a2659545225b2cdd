"""``.venv/bin/python tools/chaos [--seconds N] [--desks N] [--seed N] [--json FILE] …``."""

from __future__ import annotations

import sys
from pathlib import Path

# Started as a directory, Python looks for modules in here; they are found from the checkout.
sys.path[0] = str(Path(__file__).parents[2])

from tools.chaos.run import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
