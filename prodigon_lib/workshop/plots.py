"""The plots that several lessons share. Each takes what was measured and gives a `Picture`."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Protocol

from prodigon_lib.workshop.look import BLUE, FAINT, GREEN, INK, ORANGE, service_colour
from prodigon_lib.workshop.picture import Picture, Plot


class SpanLike(Protocol):
    """A finished span: times in nanoseconds since 1970."""

    @property
    def name(self) -> str: ...
    @property
    def service(self) -> str: ...
    @property
    def span_id(self) -> str: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def start_ns(self) -> int: ...
    @property
    def end_ns(self) -> int: ...


def waterfall(spans: Sequence[SpanLike], title: str = "The way of one request") -> Picture:
    """Each span as a bar from its start to its end, callers above what they called.

    Raises:
        ValueError: there is no span to draw.
    """
    ordered = callers_first(spans)
    if not ordered:
        raise ValueError("no spans to draw")
    origin = min(span.start_ns for span, _ in ordered)
    plot = Plot(height=0.9 + 0.44 * len(ordered))
    (axes,) = plot.axes
    longest = max(span.end_ns for span, _ in ordered) - origin
    for row, (span, depth) in enumerate(ordered):
        start, length = (span.start_ns - origin) / 1e6, (span.end_ns - span.start_ns) / 1e6
        axes.barh(row, length, left=start, height=0.4, color=service_colour(span.service))
        label = f"{'  ' * depth}{span.service}: {span.name}"
        late = start > longest / 1e6 * 0.55
        axes.text(
            start + (length if late else 0), row - 0.26, label, fontsize=8, color=INK, va="bottom",
            ha="right" if late else "left",
        )  # fmt: skip
    axes.set(yticks=[], xlabel="milliseconds since the request came in", ylim=(len(ordered) - 0.6, -0.85))
    axes.grid(visible=False, axis="y")
    plot.title(title)
    words = "; ".join(
        f"{span.service} {span.name} {(span.end_ns - span.start_ns) / 1e6:.1f} ms" for span, _ in ordered
    )
    return plot.finish(f"{title}: {words}")


def callers_first(spans: Sequence[SpanLike]) -> list[tuple[SpanLike, int]]:
    """The spans as they are drawn, each with its depth; one whose caller is missing is a root."""
    known = {span.span_id for span in spans}
    children: dict[str | None, list[SpanLike]] = {}
    for span in sorted(spans, key=lambda each: each.start_ns):
        children.setdefault(span.parent_id if span.parent_id in known else None, []).append(span)

    def walk(parent: str | None, depth: int) -> list[tuple[SpanLike, int]]:
        found = []
        for span in children.get(parent, []):
            found += [(span, depth), *walk(span.span_id, depth + 1)]
        return found

    return walk(None, 0)


def token_times(
    seconds: Sequence[float], *, guess: float | None = None, title: str = "When each token came"
) -> Picture:
    """Tokens received against time, and the gaps between them.

    Args:
        seconds: for each token, the time since the request was sent.
        guess: where a learner expected the first token.
    """
    plot = Plot(height=4.2, rows=2)
    above, below = plot.axes
    above.step(seconds, range(1, len(seconds) + 1), where="post", color=BLUE, linewidth=1.8)
    above.axvspan(0, seconds[0], color=ORANGE, alpha=0.18, linewidth=0)
    above.text(seconds[0], len(seconds) * 0.92, " first token", color=ORANGE, fontsize=9, va="top")
    above.set(ylabel="tokens so far")
    if guess is not None:
        above.axvline(guess, color=FAINT, linewidth=1.4, linestyle=(0, (4, 3)))
        above.text(guess, len(seconds) * 0.06, " your guess", color=FAINT, fontsize=9)
    plot.title(title)
    gaps = [(later - sooner) * 1000 for sooner, later in pairwise(seconds)]
    below.vlines(seconds[1:], 0, gaps, color=FAINT, linewidth=0.9)
    below.axhline(median(gaps), color=GREEN, linewidth=1.4)
    below.text(seconds[-1], median(gaps), "median", color=GREEN, fontsize=9, va="bottom", ha="right")
    below.set(xlabel="seconds since the request was sent", ylabel="gap, ms")
    words = f"{len(seconds)} tokens, the first after {seconds[0]:.3f} s, the last after {seconds[-1]:.3f} s"
    return plot.finish(f"{title}: {words}, median gap {median(gaps):.1f} ms")


def job_progress(
    samples: Sequence[tuple[float, int]],
    total: int,
    marks: Mapping[str, float] | None = None,
    title: str = "Prompts done",
) -> Picture:
    """A job's finished prompts over time.

    Args:
        samples: seconds since the job was sent, prompts done by then.
        marks: a word for a moment, such as when a worker was killed, and its second.
    """
    plot = Plot(height=2.8)
    (axes,) = plot.axes
    axes.step(*zip(*samples, strict=True), where="post", color=GREEN, linewidth=2)
    axes.axhline(total, color=FAINT, linewidth=1, linestyle=(0, (4, 3)))
    for word, second in (marks or {}).items():
        axes.axvline(second, color=ORANGE, linewidth=1.6)
        axes.text(second, total * 0.06, f" {word}", color=ORANGE, fontsize=9)
    axes.set(
        xlabel="seconds since the job was sent", ylabel="prompts", ylim=(0, total * 1.08), xlim=(0, None)
    )
    plot.title(title)
    marked = "".join(f", {word} at {second:.2f} s" for word, second in (marks or {}).items())
    return plot.finish(f"{title}: {samples[-1][1]} of {total} after {samples[-1][0]:.2f} s{marked}")
