"""The matrix as a heat map: a row for each role, a column for each endpoint and owner."""

from collections.abc import Sequence

from prodigon_lib.workshop.lessons.lesson_09_authentication_vs_authorization.matrix import ROLES, Cell
from prodigon_lib.workshop.look import INK
from prodigon_lib.workshop.picture import Picture, Plot

COLOURS = {200: "#bfe3d6", 401: "#e5e2da", 403: "#f3d3b3", 404: "#e9cbdc"}
WRONG = "#d9412b"
MEANINGS = {200: "let in", 401: "who are you?", 403: "not your role", 404: "nothing of yours"}


def plot_matrix(found: Sequence[Cell]) -> Picture:
    """What was answered. A cell whose status is not the wanted one stands out, with both."""
    columns = list(dict.fromkeys(cell.column for cell in found))
    plot = Plot(height=3.8)
    (axes,) = plot.axes
    for cell in found:
        row, column = ROLES.index(cell.role), columns.index(cell.column)
        right = cell.status == cell.wanted
        colour = COLOURS.get(cell.status, WRONG) if right else WRONG
        axes.barh(row, 0.94, height=0.92, left=column, color=colour)
        text = str(cell.status) if right else f"{cell.status}\nnot {cell.wanted}"
        axes.text(column + 0.47, row, text, ha="center", va="center", fontsize=6.5, color=INK)
    for status, colour in COLOURS.items():
        axes.barh(0, 0, color=colour, label=f"{status}, {MEANINGS[status]}")
    axes.set_xticks(
        [place + 0.47 for place in range(len(columns))], columns, rotation=60, ha="right", fontsize=8
    )
    axes.set_yticks(range(len(ROLES)), ROLES)
    axes.set(xlim=(0, len(columns)), ylim=(len(ROLES) - 0.5, -0.5))
    axes.grid(visible=False)
    axes.legend(ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1.0))
    wrong = sum(cell.status != cell.wanted for cell in found)
    let_in = sum(cell.status == 200 for cell in found)
    return plot.finish(f"{len(found)} cells: {let_in} let in, {wrong} other than the rules have it")
