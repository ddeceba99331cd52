"""Runs a check on an attempt and turns whatever happens into a verdict."""

import asyncio
import inspect
import traceback
from collections.abc import Awaitable
from pathlib import Path

from prodigon_lib.workshop.checks.check import Attempt, Check, Lacking, Missing
from prodigon_lib.workshop.checks.findings import Findings, Unmet
from prodigon_lib.workshop.checks.timing import Noisy
from prodigon_lib.workshop.checks.verdict import Cause, Finding, Status, Verdict, fallen
from prodigon_lib.workshop.checks.waiting import where_it_waits

MOST_FRAMES = 8
THE_EXERCISE = "the exercise"
TO_ITS_END = "it runs to its end"


class StillWaiting(Exception):
    """Asynchronous code that never came to its end; the text is where it waits."""


def judge(check: Check, attempt: Attempt, seconds: float) -> Verdict:
    """What the check finds. Nothing that the attempt raises gets out, exits and interrupts included.

    Args:
        seconds: after which an asynchronous check is ended, in time to say where it waits.
    """
    findings = Findings()
    try:
        outcome = check.run(attempt, findings)
        if inspect.isawaitable(outcome):
            # Neither closed nor tidied up: a task that refuses to be cancelled would never let it.
            asyncio.new_event_loop().run_until_complete(bounded(outcome, seconds))
    except BaseException as error:
        return explained(leaf(error), attempt, findings, seconds)
    return findings.verdict()


async def bounded(outcome: Awaitable[None], seconds: float) -> None:
    task = asyncio.ensure_future(outcome)
    done, _ = await asyncio.wait({task}, timeout=seconds)
    if not done:
        raise StillWaiting("\n".join(where_it_waits()))
    task.result()


def leaf(error: BaseException) -> BaseException:
    """The first error inside groups of errors."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def explained(error: BaseException, attempt: Attempt, findings: Findings, seconds: float) -> Verdict:
    """The verdict of a run that `error` ended, with the measures that were taken before it."""
    if isinstance(error, Unmet) or not all(finding.held for finding in findings.found):
        return findings.verdict()
    verdict = cut_short(error, attempt, seconds)
    evidence = (*findings.evidence, *verdict.evidence)
    measured = (*findings.found, *verdict.findings)
    return Verdict(verdict.status, verdict.cause, measured, verdict.step, evidence)


def cut_short(error: BaseException, attempt: Attempt, seconds: float) -> Verdict:
    file = attempt.path.name
    if isinstance(error, Noisy):
        finding = Finding("this machine", str(error), f"at most {100 * error.most:.0f} %", held=False)
        step = "That is not your answer's fault. Let other programs come to rest, then check again."
        return Verdict(Status.NOISY, None, (finding,), step)
    if isinstance(error, Missing):
        step = f"Define {error.name} in {file}; if you renamed it, give it its name back."
        return fallen(Cause.MISSING, file, f"{error.name} is {error.found}", f"{error.name} is there", step)
    if isinstance(error, Lacking):
        step = "That is not your answer's fault. Install it, as the line above says; `prodigon doctor` looks."
        return fallen(Cause.LACKING, f"{error.what} on this machine", "none", "one", step, error.how)
    if isinstance(error, StillWaiting):
        step = "Look at what it waits for, and at who should have woken it."
        waits = f"still waiting after {seconds:g} s"
        return fallen(Cause.HUNG, THE_EXERCISE, waits, TO_ITS_END, step, str(error))
    places = frames_in(error, attempt.path)
    if isinstance(error, NotImplementedError) and places:
        line = places[-1].lineno or 0
        return fallen(
            Cause.UNFINISHED, file, f"line {line} is not written yet", "every gap is filled",
            next_gap(attempt.text, line),
        )  # fmt: skip
    if isinstance(error, MemoryError):
        step = "Look for what grows without a bound, or is read whole where a piece at a time would do."
        return fallen(
            Cause.RESOURCES, THE_EXERCISE, "it ran out of memory", TO_ITS_END, step, transcript(places)
        )
    if isinstance(error, SystemExit):
        step = "Return or raise instead: code that others call must not end their process."
        ends = f"it called sys.exit({error.code!r})"
        return fallen(Cause.ENDED, THE_EXERCISE, ends, TO_ITS_END, step, transcript(places))
    return raised(error, places, file)


def raised(error: BaseException, places: list[traceback.FrameSummary], file: str) -> Verdict:
    said = " ".join(f"{type(error).__name__}: {text_of(error)}".split())[:300]
    if isinstance(error, SyntaxError) and Path(error.filename or "").name == file:
        said, where = f"{type(error).__name__}: {error.msg}", f"{file}, line {error.lineno}"
        step = f"Mend line {error.lineno} of {file}, then check again."
        return fallen(
            Cause.RAISED, THE_EXERCISE, f"{said} ({where})", "it is valid Python", step, error.text or ""
        )
    if not places:
        step = (
            "If you changed a name, an argument or what is returned, put it back; if not, report this check."
        )
        calls = "\n".join(traceback.format_exception(error)[-3:])
        return fallen(Cause.STUCK, "the check", f"it could not go on: {said}", TO_ITS_END, step, calls)
    last = places[-1]
    where = f"{file}, line {last.lineno}, in {last.name}"
    step = f"Start at line {last.lineno} of {file}, then check again."
    return fallen(Cause.RAISED, THE_EXERCISE, f"{said} ({where})", TO_ITS_END, step, transcript(places))


def text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # a learner's own __str__ may raise
        return "…"


def frames_in(error: BaseException, path: Path) -> list[traceback.FrameSummary]:
    """The lines of `path` that the error passed through, outermost first."""
    walked = traceback.walk_tb(error.__traceback__)
    frames = traceback.StackSummary.extract(walked, lookup_lines=False)
    return [frame for frame in frames if frame.filename == str(path)]


def transcript(places: list[traceback.FrameSummary]) -> str:
    """The last frames, as lines of `place: code`."""
    lines = [f"line {place.lineno}, in {place.name}: {place.line}" for place in places[-MOST_FRAMES:]]
    return "\n".join(["…", *lines] if len(places) > MOST_FRAMES else lines)


def next_gap(text: str, line: int) -> str:
    """The task of the gap at `line`: the nearest TODO above it."""
    above = text.splitlines()[:line]
    for number, each in reversed(list(enumerate(above, 1))):
        _, found, task = each.partition("TODO")
        if found:
            return f"Line {number}: {task.strip(' :')}"
    return f"Write what is missing at line {line}."
