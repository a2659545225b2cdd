"""``sudo .venv/bin/python -m tools.server_trial noble``: docs/server.md on a distribution, with findings."""

from __future__ import annotations

import sys

from tools.server_trial.trial import main

if __name__ == "__main__":
    sys.exit(main())
