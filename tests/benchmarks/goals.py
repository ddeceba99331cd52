"""The figures this project wants to reach, beside those it reached in a run."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.benchmarks.figures import number, ratio
from tests.benchmarks.gateway_tables import GatewayFigures
from tests.benchmarks.queue_tables import QueueFigures
from tests.benchmarks.stack_tables import SERVICES, StackFigures
from tests.benchmarks.tables import Table


@dataclass(frozen=True, slots=True)
class Goal:
    """`wanted` is the least, or with `most` the most, that `reached` may be; `None` was not measured."""

    what: str
    reached: float | None
    wanted: float
    most: bool = False

    @property
    def met(self) -> bool | None:
        if self.reached is None:
            return None
        return self.reached <= self.wanted if self.most else self.reached >= self.wanted

    def row(self) -> list[str]:
        bound = f"{'at most' if self.most else 'at least'} {self.wanted:g}"
        return [self.what, number(self.reached), bound, {True: "yes", False: "no", None: "-"}[self.met]]


def goals_table(parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> Table:
    """Args: `parts` has the runs of each part that was measured: `gateway`, `queue`, `stack`."""
    goals: list[Goal] = []
    if runs := parts.get("gateway"):
        goals += gateway_goals(GatewayFigures(runs))
    if runs := parts.get("queue"):
        goals += queue_goals(QueueFigures(runs))
    if runs := parts.get("stack"):
        goals += stack_goals(StackFigures(runs))
    return Table("goals", "Figures to reach", ["what", "reached", "wanted", "met"], [g.row() for g in goals])


def gateway_goals(figures: GatewayFigures) -> list[Goal]:
    ours = "prodigon"
    bare = [
        Goal(f"gateway, JSON, {count} in flight, of asgi-aiohttp", figures.share(ours, count), 0.75)
        for count in (1, 16, 64)
    ]
    peer = [
        Goal(f"gateway, JSON, {count} in flight, times LiteLLM", figures.share(ours, count, "LiteLLM"), least)
        for count, least in ((1, 15), (16, 40), (64, 40))
    ]
    return [
        *bare,
        *peer,
        Goal("gateway, 64 paced streams, of what is offered", figures.delivered(ours), 0.95),
        Goal("gateway, a token's transit p99, ms", figures.transit(ours), 5, most=True),
        Goal("gateway, first token later by, ms", figures.first_token_added(ours), 0.7, most=True),
    ]


def queue_goals(figures: QueueFigures) -> list[Goal]:
    ours, goals = "prodigon", []
    for workers in (1, 4):
        named = f"queue, drain with {workers} worker{'s' if workers > 1 else ''}"
        goals.append(Goal(f"{named}, of asyncpg", figures.share(ours, workers), 0.5))
        goals.append(Goal(f"{named}, of pgqueuer", figures.share(ours, workers, "pgqueuer"), 1))
    bulk = ratio(figures.enqueue(ours, "bulk"), figures.enqueue("pgqueuer", "bulk"))
    return [
        *goals,
        Goal(
            "queue, drain with 1M prompts done, of without", figures.share(f"{ours}, 1M done", 1, ours), 0.85
        ),
        Goal("queue, bulk enqueue, of pgqueuer", bulk, 1),
        Goal("queue, idle pick-up p50, ms", figures.pick_up(ours, "p50_ms"), 4, most=True),
    ]


def stack_goals(figures: StackFigures) -> list[Goal]:
    return [
        Goal("cold start to a first token, s", figures.seconds("start", "first_token_s"), 3, most=True),
        Goal("attach, s", figures.seconds("attach", "start_s"), 0.3, most=True),
        *(
            Goal(f"{name}, idle, resident MB", figures.memory(name, "rss_mb"), 110, most=True)
            for name in SERVICES
        ),
        *(
            Goal(f"{name}, growth through streams", figures.growth(name), 0.02, most=True)
            for name in SERVICES
        ),
    ]
