"""From runs to figures: medians over rounds, ratios within rounds, and how they are written."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from typing import Any

NOTHING = "-"


def middle(runs: Iterable[Mapping[str, Any]], field: str) -> float | None:
    """The median of one field over the runs that have it."""
    values = [run[field] for run in runs if run.get(field) is not None]
    return float(median(values)) if values else None


def ratio(part: float | None, whole: float | None) -> float | None:
    return part / whole if part is not None and whole else None


def in_turn(runs: Iterable[Mapping[str, Any]], base: Iterable[Mapping[str, Any]], field: str) -> float | None:
    """The median, over the rounds that both have, of the one's part of the other.

    A machine may be twice as fast in one round as in the next, and it is the same in one round for both.
    """
    beside = {run["round"]: run.get(field) for run in base}
    shares = [{"share": ratio(run.get(field), beside.get(run["round"]))} for run in runs]
    return middle(shares, "share")


def difference(one: float | None, other: float | None) -> float | None:
    return one - other if one is not None and other is not None else None


def scaled(value: float | None, factor: float) -> float | None:
    return value * factor if value is not None else None


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed. Raises ValueError when there is none."""
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def number(value: float | None) -> str:
    """Four digits that tell something, thousands apart."""
    if value is None:
        return NOTHING
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def numbers(values: Iterable[float | None]) -> str:
    return " / ".join(number(value) for value in values)
