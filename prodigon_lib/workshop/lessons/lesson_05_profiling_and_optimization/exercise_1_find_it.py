"""Find what is slow."""

from collections.abc import Callable

from prodigon_lib.workshop.checks import Attempt, Check, Findings, Noisy
from prodigon_lib.workshop.checks.timing import ATTEMPTS
from prodigon_lib.workshop.lessons.lesson_05_profiling_and_optimization.builds import (
    KINDS,
    Costs,
    Program,
    draw,
)

HINTS = (
    "The handler gets the frame that was running. Its f_code.co_name is the function's name; f_back is the"
    " caller, which you must not count: that would be time with what was called. One signal, one look, one"
    " count.",
    "signal.signal(signal.SIGALRM, look) names the handler. signal.setitimer(signal.ITIMER_REAL, …), with the"
    " seconds to the first signal and between signals, starts them; a zero stops them. Stop in a finally"
    " clause, so that a run that fails stops them too.",
    "Afterwards seen.most_common(1) holds one pair: the name and how often it was looked at. Divide that by"
    " seen.total(). With ITIMER_PROF the clock would stand still while the program waits, and a wait would"
    " never be seen.",
)
NEAR = 0.15
STILL_SLOWEST = 0.4
"""Four others share the rest of a run, so that with this part of it a place is the slowest by far."""

STEPS = {
    "computes": "Count the innermost frame alone, and divide by all looks.",
    "waits": "It waits, and the processor does not: take a clock that goes on meanwhile.",
    "is called seldom": "Something is called thousands of times here. Whoever stops at each call charges that"
    " cost to it: look at even intervals of time.",
}


class FindItCheck(Check):
    seconds = 20

    def run(self, attempt: Attempt, findings: Findings) -> None:
        slowest = attempt.get("slowest")
        costs = Costs.measured()
        kinds = list(KINDS)
        attempt.random.shuffle(kinds)
        for kind in kinds:
            judge(findings, slowest, draw(attempt.random, kind, costs))


def judge(findings: Findings, slowest: object, program: Program) -> None:
    assert callable(slowest)
    answer = told(slowest, program)
    where = f"the build in which the slow place {program.kind}"
    name, share = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, None)
    step = STEPS[program.kind]
    findings.equal(f"{where}: its name", name, program.slow, step=step)
    findings.expect(
        f"{where}: its share", measured=share, wanted=f"{program.share:.2f}, within {NEAR}",
        holds=isinstance(share, int | float) and abs(share - program.share) <= NEAR, step=step,
    )  # fmt: skip


def told(slowest: Callable[[Callable[[], object]], object], program: Program) -> object:
    """The answer for a run in which the slow place was the slowest.

    On a busy machine all else takes longer than a wait. A profiler can do that too: that is its own fault,
    and shows when the program runs without it.

    Raises:
        Noisy: so it is without a profiler.
    """
    for _ in range(ATTEMPTS):
        answer = slowest(program.run)
        if program.share >= STILL_SLOWEST:
            return answer
    program.run()
    if program.share < STILL_SLOWEST:
        raise Noisy(1 - program.share, "what does not wait took of the run", most=1 - STILL_SLOWEST)
    return answer
