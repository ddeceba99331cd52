"""What got through: a grid of attacks and stacks, and a table."""

from collections.abc import Mapping, Sequence

from prodigon_lib.workshop.attacks.attack import Outcome
from prodigon_lib.workshop.look import FAINT, GREEN, ORANGE
from prodigon_lib.workshop.picture import Picture, Plot
from prodigon_lib.workshop.table import Table

COLOURS = {True: ORANGE, False: GREEN, None: FAINT}
MARKS = {True: "through", False: "held off", None: "not tried"}


class Scoreboard:
    """The outcomes of the same attacks on one stack or several, by the stack's name.

    Two of them add up to one with the stacks of both.
    """

    def __init__(self, stacks: Mapping[str, Sequence[Outcome]]) -> None:
        self.stacks = dict(stacks)

    def __add__(self, other: "Scoreboard") -> "Scoreboard":
        return Scoreboard({**self.stacks, **other.stacks})

    @property
    def outcomes(self) -> list[Outcome]:
        """Of all stacks, in their order."""
        return [outcome for outcomes in self.stacks.values() for outcome in outcomes]

    @property
    def through(self) -> list[Outcome]:
        """Those that got through."""
        return [outcome for outcome in self.outcomes if outcome.through]

    @property
    def untried(self) -> list[Outcome]:
        return [outcome for outcome in self.outcomes if outcome.through is None]

    def transcript(self, name: str, stack: str | None = None) -> str:
        """How the attack of this name went, on the last stack if none is named.

        Raises:
            StopIteration: there is no such attack.
        """
        outcomes = self.stacks[stack or list(self.stacks)[-1]]
        return next(each for each in outcomes if each.attack.name == name).transcript

    def table(self) -> Table:
        """A row for each attack, a column for each stack."""
        columns = ["risk", "attack", *self.stacks]
        rows = zip(*self.stacks.values(), strict=True)
        return Table(
            columns,
            [
                (row[0].attack.risk, row[0].attack.name, *(MARKS[each.through] for each in row))
                for row in rows
            ],
        )

    def grid(self, title: str = "What got through") -> Picture:
        """A square for each attack on each stack; the attacks in their order, a line between risks."""
        names = list(self.stacks)
        rows = list(zip(*self.stacks.values(), strict=True))
        plot = Plot(height=1.2 + 0.24 * len(rows))
        (axes,) = plot.axes
        for place, row in enumerate(rows):
            for column, outcome in enumerate(row):
                axes.barh(place, 0.94, left=column, height=0.84, color=COLOURS[outcome.through])
        for through, mark in MARKS.items():
            axes.barh(-9, 0, color=COLOURS[through], label=mark)
        labels = [f"{row[0].attack.risk.partition(' ')[0]} · {row[0].attack.name}" for row in rows]
        axes.set_yticks(range(len(rows)), labels)
        axes.set_xticks([column + 0.47 for column in range(len(names))], names)
        axes.tick_params(axis="x", top=True, labeltop=True, bottom=False, labelbottom=False)
        axes.set(ylim=(len(rows) - 0.4, -0.6), xlim=(0, len(names)))
        axes.grid(visible=False)
        plot.figure.legend(loc="outside lower center", ncols=3, frameon=False)
        plot.title(title)
        counts = [f"{name}: {self.count(name)} of {len(rows)}" for name in names]
        return plot.finish(f"{title}: {'; '.join(counts)}")

    def count(self, stack: str) -> int:
        """How many got through there."""
        return sum(outcome.through is True for outcome in self.stacks[stack])
