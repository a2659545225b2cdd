"""Arguments, the groups in their order, table or JSON."""

from __future__ import annotations

import argparse
import json
import logging
import os
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module

from tools.bench.figures import Figure, missed, table

GROUPS = {
    "start": "start to usable login and memory, beside a bare Textual app",
    "keys": "key press → painted, beside a bare Line API widget",
    "propagation": "commit on one desk → painted on another, beside a raw LISTEN callback",
    "window": "a window of six weeks at 10,000 and 100,000 bookings",
    "round_trips": "round trips per action, counted on the wire",
    "criterion": "every query and action with 100,000 bookings and five desks at work",
    "migration": "migrate-data of 1,000,000 old rows, beside pgloader and raw COPY",
}


def main(argv: list[str] | None = None) -> int:
    """Measure the groups that were named, or all. 0 also when aims are missed, 1 when a group failed."""
    listing = "\n".join(f"  {name:<12} {text}" for name, text in GROUPS.items())
    parser = argparse.ArgumentParser(
        prog="tools/bench",
        description="Measures the desk on real PostgreSQL.",
        epilog=f"groups:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("names", nargs="*", metavar="name", help="groups to measure; default: all")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout instead of a table")
    parser.add_argument("--quick", action="store_true", help="few samples and small houses: does it work?")
    options = parser.parse_args(argv)
    if unknown := sorted(set(options.names) - GROUPS.keys()):
        parser.error(f"no such group: {', '.join(unknown)}; there are {', '.join(GROUPS)}")
    # Slow actions are in the figures: no need for warnings on the terminal.
    logging.getLogger().addHandler(logging.NullHandler())
    figures: list[Figure] = []
    failed: list[str] = []
    with _state_of_its_own():
        for name in options.names or GROUPS:
            started = time.monotonic()
            try:
                figures += import_module(f"tools.bench.{name}").measure(quick=options.quick)
            except Exception:  # noqa: BLE001 - the figures of the other groups are not lost
                traceback.print_exc()
                failed.append(name)
            sys.stderr.write(f"{name}: {time.monotonic() - started:.0f} s\n")
    short = missed(figures)
    if options.json:
        print(json.dumps({"figures": [figure.as_json() for figure in figures], "missed": short}, indent=1))
        return 1 if failed else 0
    print(table(figures))
    print()
    print(f"Load of this machine now: {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors.")
    print("All aims are met." if not short else f"{len(short)} aims are MISSED:")
    for sentence in short:
        print(f"  {sentence}")
    if failed:
        print(f"FAILED to measure: {', '.join(failed)}")
    return 1 if failed else 0


@contextmanager
def _state_of_its_own() -> Iterator[None]:
    """What the program remembers goes to a directory of this run."""
    before = {name: os.environ.get(name) for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME")}
    with tempfile.TemporaryDirectory(prefix="dpolg-bench-") as directory:
        os.environ.update(dict.fromkeys(before, directory))
        # Textual reads it when imported; the program sets it at its start.
        os.environ.setdefault("TEXTUAL_DISABLE_KITTY_KEY", "1")
        # Colours and animations as in a terminal, wherever this runs.
        os.environ.setdefault("TERM", "xterm-256color")
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value
