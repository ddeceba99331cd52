"""Your answer beside the reference."""

import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from prodigon_lib.workshop.card import ADDED, MONO, NEUTRAL, PAPER, REMOVED, Shown, card, heading, paragraph
from prodigon_lib.workshop.look import FAINT, GRID, INK

TITLES = ("your answer", "the reference")
CELL = (
    f"color:{INK};border:0;padding:0 10px;text-align:left;vertical-align:top;white-space:pre-wrap;"
    "overflow-wrap:anywhere;background:transparent;height:1.4em"
)
PLAIN = 'style="background:transparent"'


@dataclass(frozen=True, repr=False)
class Comparison(Shown):
    """Two texts, side by side in a notebook, as a unified diff in a terminal."""

    title: str
    yours: str
    reference: str

    @property
    def same(self) -> bool:
        return self.yours == self.reference

    @property
    def diff(self) -> str:
        """A unified diff with all lines around the changes."""
        mine, theirs = self.yours.splitlines(), self.reference.splitlines()
        most = max(len(mine), len(theirs))
        lines = difflib.unified_diff(mine, theirs, "your answer", "reference", n=most, lineterm="")
        return "\n".join(line for line in lines if not line.startswith("@@"))

    def text(self) -> str:
        return f"{self.title}: the same as the reference" if self.same else f"{self.title}\n{self.diff}"

    def html(self) -> str:
        if self.same:
            return card(NEUTRAL, heading(self.title), paragraph("The same as the reference."))
        names = "".join(f'<th scope="col" colspan="2" style="{CELL};color:{FAINT}">{n}</th>' for n in TITLES)
        widths = '<colgroup><col style="width:1.6em"><col><col style="width:1.6em"><col></colgroup>'
        rows = [
            side(left, "-", REMOVED, changed) + side(right, "+", ADDED, changed)
            for left, right, changed in self.rows()
        ]
        body = "".join(f"<tr {PLAIN}>{row}</tr>" for row in rows)
        style = (
            "border-collapse:collapse;table-layout:fixed;width:100%;font-size:12px;margin-top:8px;"
            f"font-family:{MONO};border:1px solid {GRID};background:{PAPER}"
        )
        head = f"<thead {PLAIN}><tr {PLAIN}>{names}</tr></thead>"
        return card(
            NEUTRAL,
            heading(self.title),
            f'<table style="{style}">{widths}{head}<tbody {PLAIN}>{body}</tbody></table>',
        )

    def rows(self) -> Iterator[tuple[str | None, str | None, bool]]:
        """Left, right, and whether they differ; `None` where a line has no partner."""
        mine, theirs = self.yours.splitlines(), self.reference.splitlines()
        for kind, a, b, c, d in difflib.SequenceMatcher(None, mine, theirs, autojunk=False).get_opcodes():
            for place in range(max(b - a, d - c)):
                left = mine[a + place] if a + place < b else None
                right = theirs[c + place] if c + place < d else None
                yield left, right, kind != "equal"


def side(line: str | None, sign: str, colour: str, changed: bool) -> str:
    """One half of a row. A changed line has a mark too: colour alone tells nothing to many."""
    there = changed and line is not None
    style = f"{CELL};background:{colour if there else 'transparent'}"
    mark = f'<td style="{style};padding:0 0 0 6px">{sign if there else ""}</td>'
    return f'{mark}<td style="{style}">{escape(line or "")}</td>'
