"""Plots of what a load measured, in the house look."""

from collections.abc import Iterable, Mapping

from matplotlib.ticker import LogLocator

from prodigon_lib.workshop.histogram import Histogram
from prodigon_lib.workshop.load_result import LoadResult
from prodigon_lib.workshop.look import BLUE, FAINT, GREEN, ORANGE, PINK, SKY, YELLOW
from prodigon_lib.workshop.picture import Picture, Plot

COLOURS = (BLUE, ORANGE, GREEN, PINK, SKY, YELLOW)
TICKS = (0.0, 50.0, 90.0, 99.0, 99.9, 99.99)
LEAST_SHARE_ABOVE = 1e-5
DASHED = (0, (4, 3))
LEAST_SPREAD = 20.0
"""From here on a log axis tells more; below it, it would have hardly a number on it."""


def percentile_plot(
    histograms: Mapping[str, Histogram], *, guess: float | None = None, title: str = "Latency by percentile"
) -> Picture:
    """Latency against percentile, the axis stretched towards the slowest: a step is ten times fewer requests.

    Args:
        guess: the p99 that a learner expected, in seconds.

    Raises:
        ValueError: there is nothing to draw.
    """
    drawn = {name: histogram for name, histogram in histograms.items() if histogram.count}
    if not drawn:
        raise ValueError("no latencies to draw")
    plot = Plot(height=3.6)
    (axes,) = plot.axes
    for colour, (name, histogram) in zip(COLOURS, drawn.items(), strict=False):
        # The share that is slower; of the slowest itself none is, so half of one stands in on a log axis.
        steps = [(1000 * time, max(1 - share, 0.5 / histogram.count)) for time, share in histogram.steps()]
        xs = [1.0, *(above for _, above in steps)]
        ys = [steps[0][0], *(time for time, _ in steps)]
        axes.step(xs, ys, where="pre", color=colour, linewidth=1.8, label=name)
    fewest = max(0.5 / max(h.count for h in drawn.values()), LEAST_SHARE_ABOVE)
    ticks = [tick for tick in TICKS if 1 - tick / 100 >= fewest]
    axes.set(xscale="log", xlabel="percentile", ylabel="milliseconds", xlim=(1.0, fewest))
    wide = spread(drawn.values()) > LEAST_SPREAD
    if wide:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.set_xticks([1 - tick / 100 for tick in ticks], [f"{tick:g} %" for tick in ticks])
    axes.minorticks_off()
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
    if guess is not None:
        axes.axhline(1000 * guess, color=FAINT, linewidth=1.4, linestyle=DASHED)
        axes.text(0.9, 1000 * guess, "your guess of the p99", color=FAINT, fontsize=9, va="bottom")
    if not wide:
        axes.set_ylim(0, None)  # it fixes the range: only now, with the guess in it
    if len(drawn) > 1:
        axes.legend(frameon=False)
    plot.title(title)
    return plot.finish(f"{title}: {'; '.join(in_words(name, h) for name, h in drawn.items())}")


def spread(histograms: Iterable[Histogram]) -> float:
    """The slowest over the quickest of them all."""
    times = [time for histogram in histograms for time, _ in histogram.steps()]
    return max(times) / max(min(times), 1e-9)


def in_words(name: str, histogram: Histogram) -> str:
    times = (histogram.percentile(50), histogram.percentile(99), histogram.most)
    median, high, most = (f"{1000 * time:.3g} ms" for time in times)
    return f"{name}: median {median}, p99 {high}, most {most}"


def latency_over_time(
    results: Mapping[str, LoadResult], *, from_meant: bool = True, title: str = "Latency over time"
) -> Picture:
    """Each request as a dot, at the moment it was meant to be sent; failed ones as crosses.

    Args:
        from_meant: count each from when it was meant to be sent, else from when it was.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not any(result.samples for result in results.values()):
        raise ValueError("no requests to draw")
    plot = Plot(height=3.4)
    (axes,) = plot.axes
    words = []
    for colour, (name, result) in zip(COLOURS, results.items(), strict=False):
        points = [
            (s.meant, 1000 * (s.response_time if from_meant else s.service_time), s.ok)
            for s in result.samples
        ]
        good, bad = [(x, y) for x, y, ok in points if ok], [(x, y) for x, y, ok in points if not ok]
        if good:
            axes.scatter(*zip(*good, strict=True), s=9, color=colour, alpha=0.55, linewidths=0, label=name)
        if bad:
            axes.scatter(
                *zip(*bad, strict=True), s=22, color=colour, marker="x", linewidths=1, label=f"{name}, failed"
            )
        slowest = max((y for _, y in good), default=0.0)
        words.append(f"{name}: {len(good)} answered, the slowest in {slowest:.3g} ms, {len(bad)} failed")
    since = "it was meant to be sent" if from_meant else "it was sent"
    axes.set(
        xlabel="seconds since the load began", ylabel=f"ms since {since}", ylim=(0, None), xlim=(0, None)
    )
    if len(results) > 1 or any(result.errors for result in results.values()):
        # Beside the dots, which may be anywhere; marks as large as can be seen.
        plot.figure.legend(loc="outside lower center", ncols=4, frameon=False, markerscale=1.6)
    plot.title(title)
    return plot.finish(f"{title}: {'; '.join(words)}")
