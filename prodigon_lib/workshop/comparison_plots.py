"""Plots that set several things beside each other, in the house look."""

from collections.abc import Mapping, Sequence

from prodigon_lib.workshop.load_plots import COLOURS, DASHED
from prodigon_lib.workshop.look import FAINT, INK
from prodigon_lib.workshop.picture import Picture, Plot


def stacked_bars(
    rows: Mapping[str, Mapping[str, float]],
    *,
    unit: str,
    title: str,
    guess: float | None = None,
) -> Picture:
    """A bar for each row, made of its parts in their order; parts have the same names in all rows.

    Args:
        guess: where a learner expected a bar to end.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not rows:
        raise ValueError("no bars to draw")
    plot = Plot(height=1.25 + 0.42 * len(rows))
    (axes,) = plot.axes
    longest = max(sum(parts.values()) for parts in rows.values())
    for place, parts in enumerate(rows.values()):
        left = 0.0
        for colour, length in zip(COLOURS, parts.values(), strict=False):
            axes.barh(place, length, left=left, height=0.62, color=colour)
            left += length
        axes.text(left + longest * 0.01, place, f"{left:.3g}", fontsize=9, color=INK, va="center")
    axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, longest * 1.12), xlabel=unit)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.grid(visible=False, axis="y")
    for colour, part in zip(COLOURS, next(iter(rows.values())), strict=False):
        axes.bar(0, 0, color=colour, label=part)
    if guess is not None:
        axes.axvline(guess, color=FAINT, linewidth=1.4, linestyle=DASHED, label="your guess")
    plot.figure.legend(loc="outside lower center", ncols=6, frameon=False)
    plot.title(title)
    words = "; ".join(f"{row} {sum(parts.values()):.3g} {unit}" for row, parts in rows.items())
    return plot.finish(f"{title}: {words}")


def paired_bars(
    rows: Mapping[str, Sequence[float]], *, names: Sequence[str], unit: str, title: str
) -> Picture:
    """For each row a bar of each name, beneath each other: what was expected, and what came.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not rows:
        raise ValueError("no bars to draw")
    plot = Plot(height=1.1 + 0.24 * len(names) * len(rows))
    (axes,) = plot.axes
    longest = max(max(values) for values in rows.values())
    height = 0.8 / len(names)
    for place, (colour, name) in enumerate(zip(COLOURS, names, strict=False)):
        middles = [row - 0.4 + height * (place + 0.5) for row in range(len(rows))]
        lengths = [values[place] for values in rows.values()]
        axes.barh(middles, lengths, height=0.9 * height, color=colour, label=name)
        for middle, length in zip(middles, lengths, strict=True):
            axes.text(length + longest * 0.01, middle, f"{length:.3g}", fontsize=8.5, color=INK, va="center")
    axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, longest * 1.12), xlabel=unit)
    axes.set_yticks(range(len(rows)), list(rows))
    axes.grid(visible=False, axis="y")
    plot.figure.legend(loc="outside lower center", ncols=6, frameon=False)
    plot.title(title)
    words = "; ".join(
        f"{row}: {', '.join(f'{name} {value:.3g}' for name, value in zip(names, values, strict=True))}"
        for row, values in rows.items()
    )
    return plot.finish(f"{title} ({unit}): {words}")


def lines(
    series: Mapping[str, Sequence[tuple[float, float]]],
    *,
    xlabel: str,
    ylabel: str,
    title: str,
    log_x: bool = False,
) -> Picture:
    """A line through the points of each series.

    Raises:
        ValueError: there is nothing to draw.
    """
    if not any(series.values()):
        raise ValueError("no points to draw")
    plot = Plot(height=3.2)
    (axes,) = plot.axes
    for colour, (name, points) in zip(COLOURS, series.items(), strict=False):
        axes.plot(
            *zip(*points, strict=True), color=colour, marker="o", markersize=4.5, linewidth=1.8, label=name
        )
    axes.set(xlabel=xlabel, ylabel=ylabel, ylim=(0, None))
    if log_x:
        ticks = sorted({x for points in series.values() for x, _ in points})
        axes.set_xscale("log")
        axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes.minorticks_off()
    axes.legend(frameon=False)
    plot.title(title)
    words = "; ".join(
        f"{name}: {', '.join(f'{y:.4g} at {x:g}' for x, y in points)}" for name, points in series.items()
    )
    return plot.finish(f"{title}: {words}")
