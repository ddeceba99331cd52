"""What must hold for every exercise of a curriculum; `test_answers.py` runs it.

Untouched, an exercise fails. Its solution passes, and so does each other right answer that is kept in
`right_answers/NN_topic/name__why.py`. Each plausible wrong answer in `wrong_answers/NN_topic/name__why.py`
fails, and for the reason in its first line: `# fails: calls in flight` is to be found in what failed.
"""

import os
import re
import secrets
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from prodigon_lib.workshop.checks.supervision import Order, Run, run_check
from prodigon_lib.workshop.checks.verdict import Cause, Finding, Status
from prodigon_lib.workshop.curriculum import Curriculum, Exercise
from prodigon_lib.workshop.gaps import BadGap, take_apart

LEAST_WRONG = 2
LEAST_RIGHT = 1
HINT_WORDS = range(25, 61)
NOISY_RUNS = 5
REASON = re.compile(r"(?:#|//|--) fails: (.+)")


@dataclass(frozen=True)
class Kept:
    """The answers that are kept for a curriculum."""

    curriculum: Curriculum
    wrong: Path
    right: Path

    def answers(self, folder: Path, exercise: Exercise) -> list[Path]:
        stem, suffix = Path(exercise.file).stem, Path(exercise.file).suffix
        return sorted((folder / exercise.folder).glob(f"{stem}__*{suffix}"))


@dataclass(frozen=True)
class Case:
    """One answer and what its check must say. `reason` is a part of what a wrong one must fail at."""

    kind: str
    exercise: Exercise
    curriculum: Curriculum
    answer: Path
    reason: str = ""

    def __str__(self) -> str:
        name = self.answer.stem.partition("__")[2] or Path(self.exercise.file).stem
        return f"{self.exercise.number}-{self.kind}-{name}"


def cases(kept: Kept) -> list[Case]:
    """Every answer that is kept, beside the untouched exercise and the solution."""
    curriculum, found = kept.curriculum, []
    for exercise in curriculum.select():
        found.append(Case("untouched", exercise, curriculum, curriculum.answer(exercise)))
        found.append(Case("solution", exercise, curriculum, curriculum.solution(exercise)))
        found += [Case("right", exercise, curriculum, path) for path in kept.answers(kept.right, exercise)]
        found += [
            Case("wrong", exercise, curriculum, path, reason_of(path))
            for path in kept.answers(kept.wrong, exercise)
        ]
    return found


def reason_of(path: Path) -> str:
    match = REASON.match(path.read_text(encoding="utf-8"))
    assert match, f"{path}: the first line says why it fails: # fails: calls in flight"
    return match[1].strip()


def assert_holds(case: Case) -> None:
    """Run the check on the answer; a machine too noisy to measure on gets some more tries."""
    run = checked(case)
    for _ in range(NOISY_RUNS):
        if run.verdict.status is Status.NOISY:
            run = checked(case)
    if run.verdict.cause is Cause.LACKING:
        missing = run.verdict.findings[-1].what
        pytest.fail(f"no {missing}") if os.environ.get("CI") else pytest.skip(f"no {missing}")
    said = f"{case}\n" + "\n".join(str(finding) for finding in run.verdict.findings) + f"\n{run.output}"
    if case.kind in ("solution", "right"):
        assert run.verdict.status is Status.PASSED, f"does not pass: {said}"
        return
    assert run.verdict.status is Status.FAILED, f"does not fail: {said}"
    assert run.verdict.cause not in (Cause.STUCK, Cause.MISSING), f"the check could not judge it: {said}"
    assert run.verdict.step, f"says no next step: {said}"
    failed = [finding for finding in run.verdict.findings if not finding.held]
    assert any(case.reason in text_of(finding) for finding in failed), f"fails for another reason: {said}"


def text_of(finding: Finding) -> str:
    return f"{finding.what}: {finding.measured}"


def checked(case: Case) -> Run:
    """With another seed each time, as for a learner: a check that holds for some inputs only is found out."""
    root, seed = case.curriculum.import_root, secrets.randbelow(1_000_000)
    return run_check(Order(case.exercise.module, root, case.answer, case.exercise.file, seed))


def faults(kept: Kept) -> list[str]:
    """What is missing or misshapen, without running anything; each with the exercise's number."""
    found = []
    known: set[Path] = set()
    for exercise in kept.curriculum.select():
        wrong, right = kept.answers(kept.wrong, exercise), kept.answers(kept.right, exercise)
        known.update(wrong, right)
        if len(wrong) < LEAST_WRONG:
            found.append(f"{exercise.number}: {len(wrong)} wrong answers kept, not {LEAST_WRONG} or more")
        if len(right) < LEAST_RIGHT:
            found.append(f"{exercise.number}: no other right answer kept")
        found += [f"{exercise.number}: {fault}" for fault in shape_faults(kept.curriculum, exercise)]
    kept_files = [path for folder in (kept.wrong, kept.right) for path in folder.rglob("*__*.*")]
    found += [f"{path}: of no exercise" for path in kept_files if path not in known and path.suffix != ".pyc"]
    return found


def shape_faults(curriculum: Curriculum, exercise: Exercise) -> list[str]:
    found = []
    for step, hint in enumerate(exercise.hints, 1):
        if len(hint.split()) not in HINT_WORDS:
            found.append(f"hint {step} has {len(hint.split())} words, not about 40")
    if Path(exercise.file).stem in sys.stdlib_module_names:
        found.append(f"{exercise.file} has the name of a module of the standard library")
    path = curriculum.solution(exercise)
    if not path.is_file():
        return [*found, f"there is no solution {exercise.key}"]
    try:
        marked = take_apart(path.read_text(encoding="utf-8"), exercise.file)
    except BadGap as fault:
        return [*found, fault.message]
    todos = marked.exercise.count("TODO")
    if todos != len(marked.tasks):
        found.append(f"{todos} TODO for {len(marked.tasks)} gaps")
    if "TODO" in marked.reference:
        found.append("the solution has a TODO in it")
    return found
