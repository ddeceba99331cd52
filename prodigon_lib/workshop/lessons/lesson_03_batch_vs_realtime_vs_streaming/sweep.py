"""Arrival rates swept over ways to serve, and what to see in it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from prodigon_lib.model.providers.simulated.profiles import PROFILES, ProfileName
from prodigon_lib.workshop.lessons.lesson_03_batch_vs_realtime_vs_streaming.serving import (
    TOKENS,
    Run,
    Sharing,
    Way,
    measure,
    micro_batches,
    one_by_one,
    queued,
    straight,
)
from prodigon_lib.workshop.load_plots import COLOURS, DASHED
from prodigon_lib.workshop.look import BLUE, FAINT, GREEN, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table

RATES = (1, 3, 5, 10, 20, 30, 60)
SHARES = (0.1, 0.4, 0.7, 0.85, 1.0, 1.2)
WAYS: Mapping[str, Way] = {
    "one call at a time": one_by_one,
    "micro-batch, 0 ms": micro_batches(0.0),
    "micro-batch, 100 ms": micro_batches(0.1),
    "queue, 16 at once": queued(),
    "straight to the model": straight,
}


@dataclass(frozen=True)
class Sweep:
    """Runs by way.

    Args:
        runs: in order of `RATES`.
        bends: at the `SHARES` of each way's capacity.
        capacity: what each way does a second when it never lacks work.
    """

    runs: Mapping[str, Sequence[Run]]
    bends: Mapping[str, Sequence[Run]]
    capacity: Mapping[str, float]

    def at(self, way: str, rate: float) -> Run:
        """The run of a way at a rate."""
        return next(run for run in self.runs[way] if run.rate == rate)

    def p99_by_rate(self) -> Picture:
        """The axes are logarithmic."""
        plot = Plot(height=4.2)
        (axes,) = plot.axes
        for colour, (name, runs) in zip(COLOURS, self.runs.items(), strict=False):
            axes.plot(
                [run.rate for run in runs],
                [run.p99 for run in runs],
                "o-",
                color=colour,
                label=name,
                markersize=4,
            )
        axes.set(xscale="log", yscale="log", xlabel="prompts that arrive, a second", ylabel="p99, seconds")
        axes.set_xticks(RATES, [f"{rate:g}" for rate in RATES])
        axes.minorticks_off()
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.legend(loc="upper left")
        plot.title("How long the slowest hundredth waits")
        ends = "; ".join(
            f"{name}: {runs[0].p99:.2f} s to {runs[-1].p99:.1f} s" for name, runs in self.runs.items()
        )
        return plot.finish(f"p99 against arrival rate, {RATES[0]} to {RATES[-1]} a second: {ends}")

    def p99_by_utilisation(self) -> Picture:
        """Each way's p99, as a multiple of its own when hardly used, against the share of its capacity."""
        plot = Plot(height=3.6)
        (axes,) = plot.axes
        for colour, (name, runs) in zip(COLOURS, self.bends.items(), strict=False):
            times = [run.p99 / runs[0].p99 for run in runs]
            axes.plot(SHARES, times, "o-", color=colour, label=name, markersize=4)
        axes.axvline(1, color=FAINT, linewidth=1.4, linestyle=DASHED)
        axes.text(1, 1, " as much as it can do", color=FAINT, fontsize=9, va="bottom")
        axes.set(xlabel="utilisation: arrivals as a share of capacity", ylabel="p99, times its own when idle")
        axes.set(yscale="log", xlim=(0, None))
        axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        axes.legend(loc="upper left")
        plot.title("All bend towards one")
        return plot.finish(
            "p99 against utilisation: flat at first, then rising steeply towards 1, for every way"
        )

    def little(self, rates: Iterable[float]) -> Table:
        """Prompts inside, counted, beside arrival rate times time inside."""
        runs = [self.at(way, rate) for way in self.runs for rate in rates]
        return Table(
            [
                "way",
                "arrivals a second",
                "λ, answered a second",
                "W, mean s inside",
                "λ · W",
                "L, inside, counted",
            ],
            [
                (
                    run.way,
                    run.rate,
                    run.throughput,
                    run.mean_stay,
                    run.throughput * run.mean_stay,
                    run.mean_inside,
                )
                for run in runs
            ],
        )

    def costs(self, dollars_an_hour: float) -> Table:
        """What a thousand answers cost on a machine of your own, busy all the time, and by the list price."""
        price = PROFILES[ProfileName.LARGE].price.completion
        listed = 1000 * TOKENS * price / 1e6
        rows = [
            (way, rate, dollars_an_hour / 3600 / rate * 1000, listed) for way, rate in self.capacity.items()
        ]
        return Table(
            ["way", "answers a second, at most", "$ a thousand, own machine", "$ a thousand, list price"],
            rows,
        )


def sweep(rates: Sequence[float] = RATES, ways: Mapping[str, Way] = WAYS) -> Sweep:
    """Every way at every rate and at shares of its capacity, each on a virtual clock of its own."""
    runs = {name: [measure(name, way, rate) for rate in rates] for name, way in ways.items()}
    capacity = {name: measure(name, way, 0).throughput for name, way in ways.items()}
    bends = {
        name: [measure(name, way, share * capacity[name], count=200) for share in SHARES]
        for name, way in ways.items()
    }
    return Sweep(runs, bends, capacity)


def sharing_plot(shares: Sequence[Sharing], guess: float | None = None) -> Picture:
    """Tokens a second of all streams together and of each, and the time to the first token."""
    plot = Plot(height=5.2, rows=3)
    xs = [each.in_flight for each in shares]
    for axes, label, ys, colour in zip(
        plot.axes,
        ("all, tokens/s", "each, tokens/s", "first token, s"),
        ([s.tokens_per_second for s in shares], [s.each for s in shares], [s.first_token for s in shares]),
        (GREEN, BLUE, ORANGE),
        strict=True,
    ):
        axes.plot(xs, ys, "o-", color=colour, markersize=4)
        axes.set(ylabel=label, ylim=(0, max(ys) * 1.15))
    if guess is not None:
        expected, above = guess * shares[0].tokens_per_second, plot.axes[0]
        above.axhline(expected, color=FAINT, linewidth=1.4, linestyle=DASHED)
        above.text(1, expected, "your guess for 32", color=FAINT, fontsize=9, va="bottom")
        above.set(ylim=(0, 1.2 * max(expected, *(each.tokens_per_second for each in shares))))
    plot.axes[-1].set(xlabel="streams in flight", xscale="log")
    plot.axes[-1].set_xticks(xs, [f"{x}" for x in xs])
    for axes in plot.axes:
        axes.minorticks_off()
    plot.title("One model, shared")
    words = "; ".join(f"{s.in_flight} in flight: {s.tokens_per_second:.0f} tokens a second" for s in shares)
    return plot.finish(f"One model, shared. {words}")
