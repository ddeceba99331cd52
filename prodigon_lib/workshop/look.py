"""One look for every plot and diagram.

Each picture stands on a pale card of its own, so that it reads the same in a light and in a dark theme. The
colours are after Okabe and Ito, which people with any common colour blindness can tell apart, darkened where
text is set in them.
"""

from typing import Any

CARD = "#fbfaf7"
INK = "#1f2328"
FAINT = "#6b7078"
GRID = "#dcdad3"

BLUE, ORANGE, GREEN, PINK = "#0072b2", "#b85c00", "#00795a", "#a8467b"
SKY, YELLOW = "#56b4e9", "#e69f00"

SERVICE_COLOURS = {
    "gateway": BLUE,
    "model": ORANGE,
    "worker": GREEN,
    "postgres": PINK,
    "redis": YELLOW,
    "monolith": SKY,
}

FONT = "system-ui, -apple-system, 'Segoe UI', 'DejaVu Sans', sans-serif"

MATPLOTLIB: Any = {
    "figure.facecolor": CARD,
    "figure.constrained_layout.use": True,
    "axes.facecolor": CARD,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": GRID,
    "grid.linewidth": 0.8,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "font.family": "sans-serif",
    "svg.fonttype": "none",
    "svg.hashsalt": "prodigon",
}


def service_colour(name: str) -> str:
    """A service's colour, the same in every picture; replicas (`worker-2`) share their service's."""
    return SERVICE_COLOURS.get(name.split("-")[0], FAINT)
