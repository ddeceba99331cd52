"""Find what is slow."""

from prodigon_lib.workshop.checks import Attempt, Check, Findings
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
    answer = slowest(program.run)
    where = f"the build in which the slow place {program.kind}"
    name, share = answer if isinstance(answer, tuple) and len(answer) == 2 else (answer, None)
    step = STEPS[program.kind]
    findings.equal(f"{where}: its name", name, program.slow, step=step)
    findings.expect(
        f"{where}: its share", measured=share, wanted=f"{program.share:.2f}, within {NEAR}",
        holds=isinstance(share, int | float) and abs(share - program.share) <= NEAR, step=step,
    )  # fmt: skip
