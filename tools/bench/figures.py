"""A figure with its baseline and its aim, and figures as a table."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """What was measured. ``limit`` is the highest value that still meets the aim."""

    group: str
    name: str
    unit: str
    value: float
    samples: int
    p99: float | None = None
    baseline: float | None = None
    beside: str = ""
    """What the baseline is."""
    aim: str = ""
    limit: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.baseline if self.baseline else None

    @property
    def judged(self) -> float:
        """The value that the aim is about."""
        return self.p99 if self.p99 is not None and "p99" in self.aim else self.value

    @property
    def met(self) -> bool | None:
        return None if self.limit is None else self.judged <= self.limit

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "ratio": self.ratio, "met": self.met}


def at_most_times(factor: float, baseline: float) -> dict[str, object]:
    """The aim: at most so many times the baseline."""
    return {"aim": f"≤ {factor:g}×", "limit": factor * baseline, "baseline": baseline}


def at_most(limit: float, unit: str, what: str = "") -> dict[str, object]:
    """The aim: at most this value."""
    return {"aim": f"{what}≤ {limit:g} {unit}".strip(), "limit": limit}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that ``share`` of all do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def median(values: Sequence[float]) -> float:
    return percentile(values, 0.5)


def table(figures: Iterable[Figure]) -> str:
    """One line per figure, grouped."""
    head = ("figure", "value", "p99", "baseline", "ratio", "aim", "")
    rows: list[tuple[str, ...]] = []
    group = ""
    for figure in figures:
        if figure.group != group:
            group = figure.group
            rows.append((group.upper(), *[""] * 6))
        baseline = "" if figure.baseline is None else f"{_number(figure.baseline)} {figure.beside}"
        rows.append(
            (
                f"  {figure.name} (n={figure.samples})",
                f"{_number(figure.value)} {figure.unit}",
                "" if figure.p99 is None else _number(figure.p99),
                baseline,
                "" if figure.ratio is None else f"{figure.ratio:.2f}",
                figure.aim,
                {None: "", True: "ok", False: "MISSED"}[figure.met],
            )
        )
    widths = [max(len(row[column]) for row in (head, *rows)) for column in range(len(head))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]
    title = "  ".join(cell.ljust(width) for cell, width in zip(head, widths, strict=True))
    return "\n".join(line.rstrip() for line in (title, "-" * len(title), *lines))


def missed(figures: Iterable[Figure]) -> list[str]:
    """A sentence per aim that was missed."""
    return [
        f"{figure.group}: {figure.name} is {_number(figure.judged)} {figure.unit}, aim {figure.aim}"
        + (f" of {_number(figure.baseline)} ({figure.beside})" if figure.baseline is not None else "")
        for figure in figures
        if figure.met is False
    ]


def _number(value: float) -> str:
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
