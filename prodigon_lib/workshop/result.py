"""What a learner sees of a check."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from prodigon_lib.workshop.card import (
    BAD,
    GOOD,
    NEUTRAL,
    Shown,
    block,
    card,
    folded,
    grid,
    heading,
    image,
    paragraph,
)
from prodigon_lib.workshop.checks.verdict import Evidence, Finding, Status, Verdict
from prodigon_lib.workshop.curriculum import Exercise
from prodigon_lib.workshop.look import FAINT, INK
from prodigon_lib.workshop.table import Table

MARKS = {Status.PASSED: "✓", Status.FAILED: "✗", Status.NOISY: "~"}
WORDS = {Status.PASSED: "passed", Status.FAILED: "not yet", Status.NOISY: "too noisy to tell: try again"}
COLOURS = {Status.PASSED: GOOD, Status.FAILED: BAD, Status.NOISY: NEUTRAL}
COLUMNS = ("", "what", "measured", "wanted")


@dataclass(frozen=True, repr=False)
class Result(Shown):
    """The outcome of one check.

    Args:
        output: what the exercise printed while it was checked.
        seconds: how long the check took.
        seed: gives the same inputs again: `check("3.1", seed=…)`.
        notice: something else to say, such as that progress could not be saved.
    """

    exercise: Exercise
    verdict: Verdict
    output: str = ""
    seconds: float = 0.0
    seed: int = 0
    notice: str = ""

    @property
    def status(self) -> Status:
        return self.verdict.status

    @property
    def passed(self) -> bool:
        return self.status is Status.PASSED

    @property
    def title(self) -> str:
        return f"{MARKS[self.status]} {self.exercise.number} {self.exercise.title}: {WORDS[self.status]}"

    def footer(self, hint: str, seed: str) -> str:
        """How long it took and, as the notebook or the terminal writes it, what may help."""
        took = f"{self.seconds:.1f} s"
        return took if self.passed else f"{took}; a hint: {hint}; the same inputs again: {seed}"

    def html(self) -> str:
        rows = [row(finding) for finding in self.verdict.findings]
        inks = [INK if finding.held else COLOURS[self.status] for finding in self.verdict.findings]
        parts = [heading(self.title, COLOURS[self.status]), grid(COLUMNS, rows, inks=inks)]
        parts += [evidence_html(each) for each in self.verdict.evidence]
        if self.verdict.step:
            parts.append(paragraph(f"Next: {self.verdict.step}"))
        if self.output:
            parts.append(folded("what your code printed", block(self.output)))
        if self.notice:
            parts.append(paragraph(self.notice))
        footer = self.footer(f'hint("{self.exercise.number}")', f"seed={self.seed}")
        return card(COLOURS[self.status], *parts, paragraph(footer, FAINT))

    def text(self) -> str:
        lines = [self.title]
        for finding in self.verdict.findings:
            mark = "✓" if finding.held else MARKS[self.status]
            lines.append(f"  {mark} {finding.what}: measured {finding.measured}; wanted {finding.wanted}")
        for each in self.verdict.evidence:
            lines += ["", indented(evidence_text(each))]
        if self.output and not self.passed:
            lines += ["", "  what your code printed:", indented(last_lines(self.output, 12), "    ")]
        if self.verdict.step:
            lines += ["", f"  Next: {self.verdict.step}"]
        if self.notice:
            lines.append(f"  {self.notice}")
        footer = self.footer(f"prodigon hint {self.exercise.number}", f"--seed {self.seed}")
        return "\n".join([*lines, f"  ({footer})"])


@dataclass(frozen=True, repr=False)
class Results(Shown):
    """The outcomes of several checks, in order."""

    results: Sequence[Result]

    def __iter__(self) -> Iterator[Result]:
        return iter(self.results)

    def __len__(self) -> int:
        return len(self.results)

    @property
    def passed(self) -> bool:
        """All of them."""
        return all(result.passed for result in self.results)

    @property
    def summary(self) -> str:
        return f"{sum(result.passed for result in self.results)} of {len(self.results)} passed"

    def html(self) -> str:
        return "".join(result.html() for result in self.results) + card(NEUTRAL, heading(self.summary))

    def text(self) -> str:
        return "\n\n".join([*(result.text() for result in self.results), self.summary])


def row(finding: Finding) -> tuple[str, ...]:
    return ("✓" if finding.held else "✗", finding.what, finding.measured, finding.wanted)


def evidence_html(evidence: Evidence) -> str:
    if evidence.kind == "table":
        return grid(evidence.columns, evidence.rows)
    if evidence.kind == "picture":
        return image(evidence.svg, evidence.text)
    return block(evidence.text)


def evidence_text(evidence: Evidence) -> str:
    """As a terminal shows it: a picture is its words."""
    return repr(Table(evidence.columns, evidence.rows)) if evidence.kind == "table" else evidence.text


def indented(text: str, by: str = "  ") -> str:
    return "\n".join(by + line for line in text.splitlines())


def last_lines(text: str, count: int) -> str:
    lines = text.splitlines()
    return "\n".join(["…", *lines[-count:]] if len(lines) > count else lines)
