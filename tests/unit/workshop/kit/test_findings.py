"""Findings end a run at the first measure that does not hold, and say what was seen."""

import asyncio
from contextlib import suppress

import pytest

from prodigon_lib.workshop.checks.findings import Findings, Unmet, in_words
from prodigon_lib.workshop.checks.verdict import Cause, Status, Verdict
from prodigon_lib.workshop.table import Table


def test_measures_that_hold_make_a_pass() -> None:
    findings = Findings()
    findings.at_most("calls", 3, 7, step="fewer")
    findings.at_least("hits", 8, 8, step="more")
    findings.equal("answer", "a", "a", step="same")
    verdict = findings.verdict()
    assert verdict.status is Status.PASSED
    assert verdict.step == ""
    assert [finding.wanted for finding in verdict.findings] == ["at most 7", "at least 8", "a"]


def test_the_first_measure_that_does_not_hold_ends_the_run() -> None:
    findings = Findings()
    with pytest.raises(Unmet):
        findings.at_most("calls", 9, 7, unit="calls", step="Collect first.", evidence=Table(["n"], [(9,)]))
    verdict = findings.verdict()
    assert verdict.status is Status.FAILED
    assert verdict.cause is Cause.MEASURED
    assert verdict.step == "Collect first."
    assert verdict.findings[0].measured == "9 calls"
    assert verdict.evidence[0].rows == (("9",),)


def test_a_swallowed_end_is_still_a_fail() -> None:
    findings = Findings()
    try:
        findings.equal("a", 1, 2, step="x")
    except Exception:
        findings.equal("b", 1, 1, step="y")
    assert findings.verdict().status is Status.FAILED


def test_measures_together_are_all_taken() -> None:
    findings = Findings()

    def measure() -> None:
        with findings.together():
            findings.equal("a", 1, 2, step="first")
            findings.equal("b", 1, 1, step="second")
            findings.equal("c", 1, 2, step="third")

    with pytest.raises(Unmet):
        measure()
    assert [finding.held for finding in findings.found] == [False, True, False]
    assert findings.verdict().step == "first"


def test_no_measure_is_no_pass() -> None:
    verdict = Findings().verdict()
    assert verdict.status is Status.FAILED
    assert verdict.cause is Cause.STUCK


@pytest.mark.parametrize("measure", ["at_most", "at_least"])
def test_what_is_no_number_does_not_hold(measure: str) -> None:
    with pytest.raises(Unmet):
        getattr(Findings(), measure)("ratio", float("nan"), 1.0, step="x")


@pytest.mark.parametrize(
    ("measured", "wanted", "words"),
    [
        (list("abcdef"), list("abcdef"), ("6 of 6", "6 of 6")),
        (list("abXdef"), list("abcdef"), ("5 of 6; item 2 is X", "6 of 6; item 2 is c")),
        (list("abcde"), list("abcdef"), ("5 items", "6 items")),
        ([1], [2], ("[1]", "[2]")),
    ],
)
def test_long_sequences_are_compared_in_words(
    measured: list[str], wanted: list[str], words: tuple[str, str]
) -> None:
    findings = Findings()
    with suppress(Unmet):
        findings.equal("items", measured, wanted, step="x")
    assert (findings.found[0].measured, findings.found[0].wanted) == words


async def test_what_finishes_in_time_gives_its_result() -> None:
    async def work() -> int:
        return 7

    assert await Findings().finishes("work", work(), within=5, step="x") == 7


async def test_what_does_not_finish_is_a_finding() -> None:
    findings = Findings()
    with pytest.raises(Unmet), findings.together():
        await findings.finishes("work", asyncio.Event().wait(), within=0.01, step="Wake it.")
    assert findings.found[0].measured == "still waiting after 0.01 s"
    assert findings.verdict().step == "Wake it."


def test_a_repr_that_raises_is_no_reason_to_stop() -> None:
    class Odd:
        def __repr__(self) -> str:
            raise RuntimeError

    assert "repr raised RuntimeError" in in_words(Odd())


def test_a_verdict_crosses_to_another_process() -> None:
    findings = Findings()
    findings.show(Table(["a"], [(1,)]))
    findings.show("a transcript")
    with pytest.raises(Unmet):
        findings.equal("a", 1, 2, step="x")
    verdict = findings.verdict()
    assert Verdict.parse(verdict.document()) == verdict
