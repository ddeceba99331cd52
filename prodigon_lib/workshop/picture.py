"""A picture in a notebook: an SVG, with words for a screen reader and for a terminal."""

from dataclasses import dataclass
from html import escape
from io import StringIO

from matplotlib import rc_context
from matplotlib.figure import Figure

from prodigon_lib.workshop.look import MATPLOTLIB

MOST_POINTS = 500
"""Drawn one by one; a larger cloud becomes an image within the SVG, a tenth of the size."""

DOTS = 200
"""Per inch, of such an image."""


@dataclass(frozen=True)
class Picture:
    """An SVG document and `words` that say what it shows."""

    svg: str
    words: str

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return self.words


class Plot:
    """A Matplotlib figure in the house look; no global state, so a lesson can draw from any thread.

    Args:
        height: in inches; the width is always 8.
        rows: plots above each other that share an x axis.
    """

    def __init__(self, *, height: float = 3.2, rows: int = 1) -> None:
        with rc_context(MATPLOTLIB):
            self.figure = Figure(figsize=(8, height))
            self.axes = self.figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0]

    def title(self, text: str) -> None:
        self.axes[0].set_title(text, loc="left", fontsize=11.5, fontweight="bold")

    def finish(self, words: str) -> Picture:
        """Render it. `words` become the picture's text alternative."""
        out = StringIO()
        with rc_context(MATPLOTLIB):
            for axes in self.axes:
                for cloud in axes.collections:
                    cloud.set_rasterized(len(cloud.get_offsets()) > MOST_POINTS)
            self.figure.savefig(out, format="svg", dpi=DOTS, metadata={"Date": None, "Creator": None})
        svg = out.getvalue()
        start = svg.index("<svg")
        label = f'<svg role="img" aria-label="{escape(words, quote=True)}"'
        return Picture(label + svg[start + len("<svg") :], words)
