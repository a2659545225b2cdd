"""``sudo .venv/bin/python tools/ssh_desks [--sessions 5] [--tmux] [--json]``."""

from __future__ import annotations

import sys
from pathlib import Path

# Started as a directory, Python looks for modules in here; they are found from the checkout.
sys.path[0] = str(Path(__file__).parents[2])

from tools.ssh_desks.measure import main  # noqa: E402

if __name__ == "__main__":
    sys.exit(main())
