"""The stacks' runs as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.figures import difference, middle, number, ratio
from tests.benchmarks.tables import Table

SERVICES = ("gateway", "model", "worker")

Runs = Sequence[Mapping[str, Any]]


class StackFigures:
    """Medians over the starts."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs

    def of(self, kind: str) -> Runs:
        return [run for run in self.runs if run["kind"] == kind]

    def seconds(self, kind: str, field: str) -> float | None:
        return middle(self.of(kind), field)

    def memory(self, name: str, field: str) -> float | None:
        """Megabytes of one process, idle."""
        return middle([run[field] for run in self.of("memory")], name)

    def processes(self) -> list[str]:
        return list(dict.fromkeys(name for run in self.of("memory") for name in run["rss_mb"]))

    def growth(self, service: str) -> float | None:
        """Over the last half of the streams, as a share."""
        ends = [run[f"{service}_mb"] for run in self.of("streams")]
        return ratio(difference(ends[0][1], ends[0][0]), ends[0][0]) if ends else None

    def streams(self) -> int:
        return sum(int(run["streams"]) for run in self.of("streams"))


def stack_tables(runs: Runs) -> list[Table]:
    figures = StackFigures(runs)
    starts = len(figures.of("start"))
    times = [
        ["Stack.start() to healthy", number(figures.seconds("start", "start_s"))],
        ["Stack.start() to a first token", number(figures.seconds("start", "first_token_s"))],
        ["attach to a running stack", number(figures.seconds("attach", "start_s"))],
        ["import prodigon_lib, before either", number(figures.seconds("start", "import_s"))],
    ]
    weights = [
        [
            name,
            number(figures.memory(name, "rss_mb")),
            number(figures.memory(name, "pss_mb")),
            percent(figures.growth(name)) if name in SERVICES else "",
        ]
        for name in figures.processes()
    ]
    return [
        Table("stack-times", f"A stack's start, median of {starts}", ["", "seconds"], times),
        Table(
            "stack-memory",
            f"A stack's memory, median of {starts}, and its growth through {figures.streams():,} streams",
            ["process", "resident, MB", "proportional, MB", "growth over the last half"],
            weights,
        ),
    ]


def percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"
