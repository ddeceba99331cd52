"""A picture of each table: bars beside each other, in the house look."""

from collections.abc import Mapping, Sequence
from typing import Any

from prodigon_lib.workshop.look import BLUE, FAINT, GREEN, ORANGE, PINK, SKY
from prodigon_lib.workshop.picture import Picture, Plot
from tests.benchmarks.figures import number
from tests.benchmarks.gateway_tables import GatewayFigures
from tests.benchmarks.queue_tables import QueueFigures
from tests.benchmarks.stack_tables import StackFigures

COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY)
Runs = Sequence[Mapping[str, Any]]
Series = Mapping[str, Sequence[float | None]]


def pictures(parts: Mapping[str, Runs]) -> dict[str, Picture]:
    """By the key of the table that each belongs to."""
    drawn: dict[str, Picture] = {}
    if runs := parts.get("gateway"):
        drawn |= gateway_pictures(GatewayFigures(runs))
    if runs := parts.get("queue"):
        drawn["queue"] = queue_picture(QueueFigures(runs))
    if runs := parts.get("stack"):
        drawn |= stack_pictures(StackFigures(runs))
    return drawn


def gateway_pictures(figures: GatewayFigures) -> dict[str, Picture]:
    names = figures.targets
    rates = {f"{count} in flight": [figures.rate(name, count) for name in names] for count in (1, 16, 64)}
    streams = {"transit p99": [figures.transit(name) for name in names]}
    return {
        "gateway-json": bars("Completions a second through one gateway worker", names, rates, log=True),
        "gateway-streams": bars(
            "Transit of a token through a gateway, p99, milliseconds", names, streams, log=True
        ),
    }


def queue_picture(figures: QueueFigures) -> Picture:
    rates = {
        f"{count} worker{'s' if count > 1 else ''}": [figures.drain(name, count) for name in figures.systems]
        for count in (1, 4)
    }
    return bars("Prompts a second, draining a queue", figures.systems, rates)


def stack_pictures(figures: StackFigures) -> dict[str, Picture]:
    times = {
        "first token": figures.seconds("start", "first_token_s"),
        "healthy": figures.seconds("start", "start_s"),
        "attach": figures.seconds("attach", "start_s"),
    }
    names = figures.processes()
    weights = {
        "resident": [figures.memory(name, "rss_mb") for name in names],
        "proportional": [figures.memory(name, "pss_mb") for name in names],
    }
    return {
        "stack-times": bars("A stack's start, seconds", list(times), {"seconds": list(times.values())}),
        "stack-memory": bars("A stack's memory, megabytes", names, weights),
    }


def bars(title: str, names: Sequence[str], series: Series, *, log: bool = False) -> Picture:
    """Horizontal bars, a group for each of `names`, each with its value; what was not measured has none."""
    thick = 0.8 / len(series)
    plot = Plot(height=1.1 + len(names) * max(0.34, 0.2 * len(series)))
    (axes,) = plot.axes
    for index, (colour, (label, values)) in enumerate(zip(COLOURS, series.items(), strict=False)):
        places = [place + (index - (len(series) - 1) / 2) * thick for place in range(len(names))]
        known = [value or 0.0 for value in values]
        axes.barh(places, known, height=thick * 0.9, color=colour, label=label)
        for place, value in zip(places, values, strict=True):
            if value is not None:
                axes.annotate(
                    number(value), (value, place), xytext=(4, 0), textcoords="offset points",
                    va="center", fontsize=8, color=FAINT,
                )  # fmt: skip
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.margins(x=0.12)
    if log and any(value for values in series.values() for value in values):
        axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: number(value))
    if len(series) > 1:
        axes.legend(loc="lower right")
    plot.title(title)
    said = (
        f"{name} {', '.join(number(values[place]) for values in series.values())}"
        for place, name in enumerate(names)
    )
    return plot.finish(f"{title} ({' / '.join(series)}): {'; '.join(said)}")
