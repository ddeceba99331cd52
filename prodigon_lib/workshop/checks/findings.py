"""What a check writes down while it measures."""

import asyncio
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from prodigon_lib.workshop.checks.timing import Ratio
from prodigon_lib.workshop.checks.verdict import Cause, Evidence, EvidenceLike, Finding, Status, Verdict
from prodigon_lib.workshop.checks.waiting import where_it_waits

T = TypeVar("T")
LONGEST_VALUE = 160
SHORT_SEQUENCE = 4


class Unmet(Exception):
    """A measure was not met: ends the run of the check. All it says is in the findings."""


class Findings:
    """The measures of one run. Each measure that does not hold ends the run, unless inside `together()`.

    A run that wrote nothing down has measured nothing, and fails.

    Each `step` is the one next thing to do, shown when this is the first measure that does not hold.
    """

    def __init__(self) -> None:
        self.found: list[Finding] = []
        self.step = ""
        self.evidence: list[Evidence] = []
        self._together = False

    def expect(
        self,
        what: str,
        *,
        measured: object,
        wanted: object,
        holds: bool,
        step: str,
        evidence: EvidenceLike | None = None,
    ) -> None:
        """Write down one measure; `evidence` is shown when it does not hold.

        Raises:
            Unmet: it does not hold.
        """
        holds = bool(holds)
        self.found.append(Finding(what, in_words(measured), in_words(wanted), holds))
        if holds:
            return
        self.step = self.step or step
        if evidence is not None:
            self.show(evidence)
        if not self._together:
            raise Unmet(what)

    def equal(
        self, what: str, measured: object, wanted: object, *, step: str, evidence: EvidenceLike | None = None
    ) -> None:
        """Two values are equal; of two long sequences the report has the counts and the first difference."""
        seen, right = compared(measured, wanted)
        holds = wanted == measured
        self.expect(what, measured=seen, wanted=right, holds=holds, step=step, evidence=evidence)

    def at_most(
        self, what: str, measured: float, limit: float, *, unit: str = "", step: str,
        evidence: EvidenceLike | None = None,
    ) -> None:  # fmt: skip
        self.expect(
            what,
            measured=with_unit(measured, unit),
            wanted=f"at most {with_unit(limit, unit)}",
            holds=measured <= limit,
            step=step,
            evidence=evidence,
        )

    def at_least(
        self, what: str, measured: float, limit: float, *, unit: str = "", step: str,
        evidence: EvidenceLike | None = None,
    ) -> None:  # fmt: skip
        self.expect(
            what,
            measured=with_unit(measured, unit),
            wanted=f"at least {with_unit(limit, unit)}",
            holds=measured >= limit,
            step=step,
            evidence=evidence,
        )

    def faster(
        self, what: str, ratio: Ratio, at_least: float, *, step: str, evidence: EvidenceLike | None = None
    ) -> None:
        """A speed-up from `interleaved_ratio`."""
        self.expect(
            what,
            measured=f"{ratio.value:.2f} times as fast (median of {ratio.rounds} rounds, this machine steady "
            f"to {ratio.noise:.0%})",
            wanted=f"at least {at_least:g} times",
            holds=ratio.value >= at_least,
            step=step,
            evidence=evidence,
        )

    async def finishes(
        self,
        what: str,
        awaitable: Awaitable[T],
        *,
        within: float,
        step: str,
        evidence: EvidenceLike | None = None,
    ) -> T:
        """The result of `awaitable`, given `within` seconds, with the place where it still waits as evidence.

        Raises:
            Unmet: it did not finish; it was cancelled then.
        """
        task = asyncio.ensure_future(awaitable)
        done, _ = await asyncio.wait({task}, timeout=within)
        if done:
            return task.result()
        places = "\n".join(where_it_waits())
        task.cancel()
        # Not expect(): this ends the run inside together() too, since there is no result to go on with.
        self.found.append(
            Finding(what, f"still waiting after {within:g} s", f"done within {within:g} s", False)
        )
        self.step = self.step or step
        self.show(evidence if evidence is not None else places or "nothing was waiting in your file")
        raise Unmet(what)

    def show(self, evidence: EvidenceLike) -> None:
        """Evidence that stands in the report whatever the outcome."""
        self.evidence.append(Evidence.of(evidence))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Measures that are all taken before the first unmet one ends the run."""
        before, self._together = len(self.found), True
        try:
            yield
        finally:
            self._together = False
        if not all(finding.held for finding in self.found[before:]):
            raise Unmet("one of several")

    def verdict(self) -> Verdict:
        """Passed when something was measured and all of it held."""
        held = bool(self.found) and all(finding.held for finding in self.found)
        status = Status.PASSED if held else Status.FAILED
        if not self.found:
            nothing = Finding("the check", "nothing was measured", "at least one measure", held=False)
            step = "This is a fault of the check, not of your answer: please report it."
            return Verdict(status, Cause.STUCK, (nothing,), step, tuple(self.evidence))
        cause = None if held else Cause.MEASURED
        return Verdict(status, cause, tuple(self.found), self.step, tuple(self.evidence))


def compared(measured: object, wanted: object) -> tuple[object, object]:
    """What to say of two values that should be equal."""
    if not (isinstance(measured, list | tuple) and isinstance(wanted, list | tuple)):
        return measured, wanted
    if max(len(measured), len(wanted)) <= SHORT_SEQUENCE:
        return measured, wanted
    if len(measured) != len(wanted):
        return f"{len(measured)} items", f"{len(wanted)} items"
    differs = [place for place, (m, w) in enumerate(zip(measured, wanted, strict=True)) if m != w]
    count = f"{len(wanted) - len(differs)} of {len(wanted)}"
    if not differs:
        return count, f"{len(wanted)} of {len(wanted)}"
    first = differs[0]
    seen, right = in_words(measured[first])[:40], in_words(wanted[first])[:40]
    return f"{count}; item {first} is {seen}", f"{len(wanted)} of {len(wanted)}; item {first} is {right}"


def with_unit(value: float, unit: str) -> str:
    return f"{in_words(value)} {unit}".strip()


def in_words(value: object) -> str:
    """A value on one line, shortened; text stays as it is."""
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    try:
        text = value if isinstance(value, str) else repr(value)
    except Exception as error:  # a learner's own __repr__ may raise
        text = f"<{type(value).__name__}, whose repr raised {type(error).__name__}>"
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_VALUE else text[: LONGEST_VALUE - 1] + "…"
