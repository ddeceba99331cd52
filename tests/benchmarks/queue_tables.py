"""The queues' runs as a table."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.figures import in_turn, middle, numbers
from tests.benchmarks.peers import QUEUE_NOTES
from tests.benchmarks.tables import Table, notes

WORKERS = (1, 4)
BASE = "asyncpg"

Runs = Sequence[Mapping[str, Any]]


class QueueFigures:
    """Medians over the rounds, by system; `None` where nothing was measured."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.systems = list(dict.fromkeys(str(run["system"]) for run in runs))

    def of(self, system: str, kind: str, workers: int | None = None) -> Runs:
        return [
            run
            for run in self.runs
            if (run["system"], run["kind"], run.get("workers")) == (system, kind, workers)
        ]

    def enqueue(self, system: str, way: str) -> float | None:
        """Args: `way` is `alone`, `together` or `bulk`. Jobs a second; of prompts where a job has many."""
        return middle(self.of(system, "enqueue"), way)

    def drain(self, system: str, workers: int) -> float | None:
        return middle(self.of(system, "drain", workers), "rate")

    def share(self, system: str, workers: int, base: str = BASE) -> float | None:
        """Of what `base` drains."""
        return in_turn(self.of(system, "drain", workers), self.of(base, "drain", workers), "rate")

    def pick_up(self, system: str, field: str) -> float | None:
        return middle(self.of(system, "pick-up"), field)

    def missed(self, system: str) -> int:
        """Prompts that were enqueued and not run in time."""
        return sum(int(run.get("missed", 0)) for run in self.runs if run["system"] == system)


def queue_tables(runs: Runs, missing: Mapping[str, str]) -> list[Table]:
    figures = QueueFigures(runs)
    rows = [
        [
            name,
            numbers(figures.enqueue(name, way) for way in ("alone", "together", "bulk")),
            numbers(figures.drain(name, count) for count in WORKERS),
            numbers(figures.share(name, count) for count in WORKERS),
            numbers(figures.pick_up(name, field) for field in ("p50_ms", "p99_ms")),
            str(figures.missed(name)),
        ]
        for name in figures.systems
    ]
    return [
        Table(
            "queue",
            "Queue on one Postgres, fsync on: prompts a second",
            ["queue", "enqueue: alone / 16 at once / 1,000 a call", "drain: 1 / 4 workers",
             f"drain, of {BASE}", "idle pick-up p50 / p99, ms", "missed"],
            rows + [[name, why, "", "", "", ""] for name, why in missing.items()],
            notes(QUEUE_NOTES, [*figures.systems, *missing]),
        )
    ]  # fmt: skip
