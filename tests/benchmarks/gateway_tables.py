"""The gateways' runs as tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from tests.benchmarks.figures import difference, in_turn, middle, number, numbers, ratio, scaled
from tests.benchmarks.peers import GATEWAY_NOTES
from tests.benchmarks.tables import Table, notes

IN_FLIGHT = (1, 16, 64)
BASE = "asgi-aiohttp"
DIRECT = "upstream"

Runs = Sequence[Mapping[str, Any]]


class GatewayFigures:
    """Medians over the rounds, by target and load; `None` where nothing was measured."""

    def __init__(self, runs: Runs) -> None:
        self.runs = runs
        self.targets = list(dict.fromkeys(str(run["target"]) for run in runs))

    def of(self, target: str, load: str) -> Runs:
        return [run for run in self.runs if run["target"] == target and run["load"] == load]

    def rate(self, target: str, in_flight: int) -> float | None:
        """Completions a second."""
        return middle(self.of(target, f"json-{in_flight}"), "rps")

    def share(self, target: str, in_flight: int, base: str = BASE) -> float | None:
        """Of what `base` completes."""
        load = f"json-{in_flight}"
        return in_turn(self.of(target, load), self.of(base, load), "rps")

    def per_core(self, target: str, in_flight: int) -> float | None:
        """Completions a second of processor time: what a noisy neighbour changes least."""
        runs = self.of(target, f"json-{in_flight}")
        return middle([{"per_core": ratio(run["rps"], run["gateway_cpu"])} for run in runs], "per_core")

    def first_token_added(self, target: str) -> float | None:
        """Milliseconds."""
        times = [middle(self.of(name, "first-1"), "ttft_p50_us") for name in (target, DIRECT)]
        return scaled(difference(*times), 1e-3)

    def tokens(self, target: str) -> float | None:
        return middle(self.of(target, "paced-64"), "tok_s")

    def delivered(self, target: str) -> float | None:
        """Of what the model server sends when it is asked itself."""
        return in_turn(self.of(target, "paced-64"), self.of(DIRECT, "paced-64"), "tok_s")

    def transit(self, target: str) -> float | None:
        """Milliseconds, p99, from the model server's send to the client's receipt."""
        return scaled(middle(self.of(target, "paced-64"), "tok_p99_us"), 1e-3)

    def failed(self, target: str) -> int:
        return sum(int(run["failed"]) for run in self.runs if run["target"] == target)


def gateway_tables(runs: Runs, missing: Mapping[str, str]) -> list[Table]:
    figures = GatewayFigures(runs)
    return [json_table(figures, missing), stream_table(figures, missing)]


def json_table(figures: GatewayFigures, missing: Mapping[str, str]) -> Table:
    base = figures.per_core(BASE, 64)
    rows = [
        [
            name,
            numbers(figures.rate(name, count) for count in IN_FLIGHT),
            numbers(figures.share(name, count) for count in IN_FLIGHT),
            number(ratio(figures.per_core(name, 64), base)),
            number(middle(figures.of(name, "json-64"), "gateway_cpu")),
            str(figures.failed(name)),
        ]
        for name in figures.targets
    ]
    return Table(
        "gateway-json",
        "Gateway, one worker: whole completions",
        ["gateway", "a second, 1 / 16 / 64 in flight", f"of {BASE}", "per processor second, at 64",
         "core used", "failed"],
        rows + [[name, why, "", "", "", ""] for name, why in missing.items()],
        notes(GATEWAY_NOTES, [*figures.targets, *missing]),
    )  # fmt: skip


def stream_table(figures: GatewayFigures, missing: Mapping[str, str]) -> Table:
    rows = [
        [
            name,
            number(figures.first_token_added(name)),
            number(figures.tokens(name)),
            number(figures.delivered(name)),
            number(figures.transit(name)),
            number(middle(figures.of(name, "paced-64"), "gateway_cpu")),
        ]
        for name in figures.targets
    ]
    return Table(
        "gateway-streams",
        "Gateway, one worker: streams; 64 of them, 1,000 tokens a second each",
        ["gateway", "first token later, ms", "tokens a second", "of what is offered",
         "token's transit p99, ms", "core used"],
        rows + [[name, why, "", "", "", ""] for name, why in missing.items()],
    )  # fmt: skip
