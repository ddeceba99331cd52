"""The plots of this lesson."""

from collections.abc import Mapping, Sequence

from prodigon_lib.workshop.lessons.lesson_02_microservices_vs_monolith.chain import Load
from prodigon_lib.workshop.lessons.lesson_02_microservices_vs_monolith.fan_out import FanOut, expected
from prodigon_lib.workshop.lessons.lesson_02_microservices_vs_monolith.outages import Outage
from prodigon_lib.workshop.look import BLUE, FAINT, GREEN, INK, ORANGE, PINK
from prodigon_lib.workshop.picture import Picture, Plot

DASHED = (0, (4, 3))
COLOURS = (ORANGE, BLUE, GREEN, PINK)


def answered_over_time(
    outages: Mapping[str, Outage], happened: str, title: str = "Who was answered"
) -> Picture:
    """A lane for each endpoint of each deployment; a tick is an answered request, a cross a failed one."""
    lanes = [(name, kind, outage) for name, outage in outages.items() for kind in outage.results]
    plot = Plot(height=1.0 + 0.36 * len(lanes))
    (axes,) = plot.axes
    words = []
    for row, (name, kind, outage) in enumerate(lanes):
        samples = outage.results[kind].samples
        good = [sample.meant for sample in samples if sample.ok]
        bad = [sample.meant for sample in samples if not sample.ok]
        axes.scatter(good, [row] * len(good), marker="|", s=60, color=GREEN, linewidths=1.4)
        axes.scatter(bad, [row] * len(bad), marker="x", s=26, color=ORANGE, linewidths=1.4)
        words.append(f"{name}, {kind}: {outage.answered(kind):.0f} % answered after it")
    at = lanes[0][2].at
    axes.axvline(at, color=INK, linewidth=1.2, linestyle=DASHED)
    axes.text(at, -0.5, f" {happened}", fontsize=9, color=INK, va="bottom")
    axes.set_yticks(range(len(lanes)), [f"{name}: {kind}" for name, kind, _ in lanes])
    axes.set(xlabel="seconds", ylim=(len(lanes) - 0.4, -1.3), xlim=(0, None))
    axes.grid(visible=False, axis="y")
    plot.title(title)
    return plot.finish(f"{title}: {'; '.join(words)}")


def fan_out_plot(
    found: Sequence[FanOut],
    *,
    slow: float,
    limit: float,
    down: float,
    guess: float | None = None,
    title: str = "Pages that wait for all their calls",
) -> Picture:
    """Shares of pages that were slow, and that failed, against how many calls a page makes.

    Args:
        slow: the share of calls that are slow; pages over `limit` seconds met one.
        down: the share of calls that fail.
        guess: the share of slow pages that a learner expected at the largest size.
    """
    sizes = [each.size for each in found]
    plot = Plot(height=3.4)
    (axes,) = plot.axes
    drawn = {
        "slow": (ORANGE, [each.slow(limit) for each in found], expected(slow, sizes)),
        "failed": (PINK, [each.failed for each in found], expected(down, sizes)),
    }
    for name, (colour, seen, wanted) in drawn.items():
        axes.plot(sizes, [100 * share for share in seen], "o-", color=colour, label=f"{name}, measured")
        line = [100 * share for share in wanted.values()]
        axes.plot(sizes, line, color=colour, linestyle=DASHED, linewidth=1.2, label=f"{name}, by arithmetic")
    if guess is not None:
        axes.plot([sizes[-1]], [100 * guess], "D", color=FAINT, label="slow, your guess")
    axes.set(xlabel="calls that a page makes", ylabel="per cent of the pages", ylim=(0, None))
    axes.set_xticks(list(sizes))
    axes.legend(loc="upper left", frameon=False)
    plot.title(title)
    words = ", ".join(
        f"{e.size} calls {100 * e.slow(limit):.0f} % slow {100 * e.failed:.0f} % failed" for e in found
    )
    return plot.finish(f"{title}: {words}")


def amplification_plot(
    found: Mapping[str, Mapping[float, Load]],
    *,
    guess: float | None = None,
    title: str = "What one request costs the last service",
) -> Picture:
    """Calls at the last service for each request, against the share of them that fail; a line a policy."""
    plot = Plot(height=3.4)
    (axes,) = plot.axes
    words = []
    for colour, (name, loads) in zip(COLOURS, found.items(), strict=False):
        shares = [100 * share for share in loads]
        axes.plot(shares, [load.amplification for load in loads.values()], "o-", color=colour, label=name)
        words += [f"{name} at {100 * s:.0f} % {load.amplification:.1f}" for s, load in loads.items()]
    axes.axhline(1, color=FAINT, linewidth=1, linestyle=DASHED)
    if guess is not None:
        axes.plot([100], [guess], "D", color=FAINT, label="your guess")
    axes.set(
        yscale="log",
        xlabel="per cent of its calls that fail",
        ylabel="calls for each request",
        ylim=(0.8, 40),
    )
    axes.set_yticks([1, 3, 9, 27], ["1", "3", "9", "27"])
    axes.minorticks_off()
    axes.legend(loc="upper left", frameon=False)
    plot.title(title)
    return plot.finish(f"{title}: {', '.join(words)}")
