"""Makes files of the predecessor for tests and benches, in every schema stage, sound or spoiled.

    python tools/make_legacy_sqlite.py alt.sqlite --stage 21 --defect overlap=0.02 --defect bad_date=0.01

In Python: ``from tools.make_legacy_sqlite import DEFECTS, build``. Everything in such a file is invented.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

if __package__ in (None, ""):
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tools.legacy_files.build import DEFECTS, Built, applicable, build, build_newer, build_rows
from tools.legacy_files.schema import EARLY, LAST, LATE, MIDDLE, STAGES
from tools.legacy_files.workshop import Defect

__all__ = [
    "DEFECTS",
    "EARLY",
    "LAST",
    "LATE",
    "MIDDLE",
    "STAGES",
    "Built",
    "Defect",
    "applicable",
    "build",
    "build_newer",
    "build_rows",
]


def _defect(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    try:
        return name, float(rate or 0.02)
    except ValueError as error:
        raise argparse.ArgumentTypeError(f"{text!r}: gemeint ist name=anteil, etwa overlap=0.02") from error


def _parser() -> argparse.ArgumentParser:
    width = max(map(len, DEFECTS))
    known = "\n".join(f"  {defect.name:{width}}  {defect.sentence}" for defect in DEFECTS.values())
    parser = argparse.ArgumentParser(
        prog="make_legacy_sqlite.py",
        description="Erzeugt eine Datei des Vorgängerprogramms. / Makes a file of the predecessor.",
        epilog=f"Schäden / defects (--defect name=rate):\n{known}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", type=Path, help="neue Datei / new file")
    parser.add_argument(
        "--stage",
        type=int,
        choices=STAGES,
        default=LATE,
        metavar=f"{STAGES.start}-{STAGES.stop - 1}",
        help="Ausbaustufe, 6 bis 30 Tabellen / schema stage, 6 to 30 tables (%(default)s)",
    )
    parser.add_argument("--guests", type=int, default=300, help="Gäste / guests (%(default)s)")
    parser.add_argument("--bookings", type=int, default=200, help="Buchungen / bookings (%(default)s)")
    parser.add_argument("--log-rows", type=int, help="Protokollzeilen / rows of the logs (3 × bookings)")
    parser.add_argument(
        "--rows", type=int, help="genau so viele Zeilen insgesamt / exactly so many rows in all"
    )
    parser.add_argument(
        "--seed", type=int, default=0, help="gleicher Wert, gleiche Datei / same seed, same file"
    )
    parser.add_argument(
        "--defect",
        type=_defect,
        action="append",
        default=[],
        metavar="NAME=RATE",
        help="Schaden mit Anteil, mehrfach möglich / defect and its rate, repeatable",
    )
    parser.add_argument(
        "--wal", action="store_true", help="letzte Änderung nur im -wal / last change in the -wal"
    )
    parser.add_argument(
        "--newer-than",
        type=Path,
        metavar="FILE",
        help="dasselbe Haus einige Tage nach FILE / the same house some days after FILE",
    )
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Makes the file and says what is in it."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.file.exists():
        parser.error(f"{options.file} gibt es schon / exists already")
    try:
        if options.newer_than:
            built = build_newer(options.file, options.newer_than, seed=options.seed)
        elif options.rows:
            built = build_rows(
                options.file, options.rows, options.stage, seed=options.seed, defects=dict(options.defect)
            )
        else:
            built = build(
                options.file,
                options.stage,
                guests=options.guests,
                bookings=options.bookings,
                log_rows=options.log_rows,
                seed=options.seed,
                defects=dict(options.defect),
                wal=options.wal,
            )
    except (ValueError, OSError) as error:
        parser.error(str(error))
    for table, count in built.counts.items():
        print(f"{count:>9,}  {table}")
    for name, hits in built.hits.items():
        print(f"{len(hits):>9,}  × {name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
