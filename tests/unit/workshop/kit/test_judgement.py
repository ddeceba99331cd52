"""Whatever an answer raises becomes a verdict that names the place."""

import asyncio
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from prodigon_lib.workshop.checks import Attempt, Check, Findings, Lacking, Noisy
from prodigon_lib.workshop.checks.judgement import judge
from prodigon_lib.workshop.checks.verdict import Cause, Status, Verdict


def verdict_on(folder: Path, code: str, check: type[Check], name: str = "an_answer.py") -> Verdict:
    path = folder / name
    path.write_text(code)
    return judge(check(), Attempt(path, 1, folder), 5.0)


class CallsIt(Check):
    def run(self, attempt: Attempt, findings: Findings) -> None:
        findings.equal("before", 1, 1, step="x")
        findings.equal("the answer", attempt.fresh().answer(), 42, step="Say 42.")


class Finds(Check):
    def run(self, attempt: Attempt, findings: Findings) -> None:
        attempt.fresh()
        findings.equal("the number", attempt.fresh().number, 42, step="Say 42.")


@pytest.mark.parametrize(
    ("code", "cause", "measured"),
    [
        ("def answer():\n    raise NotImplementedError", Cause.UNFINISHED, "line 2 is not written yet"),
        (
            "def answer():\n    return {}['x']",
            Cause.RAISED,
            "KeyError: 'x' (an_answer.py, line 2, in answer)",
        ),
        ("import sys\ndef answer():\n    sys.exit(3)", Cause.ENDED, "it called sys.exit(3)"),
        ("def answer():\n    raise MemoryError", Cause.RESOURCES, "it ran out of memory"),
        ("def answer(x):\n    return 42", Cause.STUCK, "it could not go on: TypeError: answer() missing"),
        ("def answer():\n    raise ExceptionGroup('g', [ValueError('v')])", Cause.STUCK, "ValueError: v"),
        ("x = (", Cause.RAISED, "SyntaxError"),
    ],
)
def test_each_end_has_its_cause(tmp_path: Path, code: str, cause: Cause, measured: str) -> None:
    verdict = verdict_on(tmp_path, code, CallsIt)
    assert verdict.status is Status.FAILED
    assert verdict.cause is cause
    assert measured in verdict.findings[-1].measured
    assert verdict.step


def test_what_was_measured_before_stays_in_the_report(tmp_path: Path) -> None:
    verdict = verdict_on(tmp_path, "def answer():\n    1 / 0", CallsIt)
    assert [finding.what for finding in verdict.findings] == ["before", "the exercise"]
    assert verdict.evidence[0].text == "line 2, in answer: 1 / 0"


def test_the_step_of_a_gap_is_its_task(tmp_path: Path) -> None:
    code = "def answer():\n    # TODO Say 42.\n    raise NotImplementedError\n# TODO Another.\n"
    assert verdict_on(tmp_path, code, CallsIt).step == "Line 2: Say 42."


def test_a_missing_name_is_named(tmp_path: Path) -> None:
    class Asks(Check):
        def run(self, attempt: Attempt, findings: Findings) -> None:
            attempt.get("Batcher")

    verdict = verdict_on(tmp_path, "x = 1", Asks, "asked.py")
    assert verdict.cause is Cause.MISSING
    assert "Define Batcher in asked.py" in verdict.step


def test_noise_is_never_a_fail(tmp_path: Path) -> None:
    class IsNoisy(Check):
        def run(self, attempt: Attempt, findings: Findings) -> None:
            findings.equal("before", 1, 1, step="x")
            raise Noisy(0.4)

    verdict = verdict_on(tmp_path, "x = 1", IsNoisy)
    assert verdict.status is Status.NOISY
    assert verdict.cause is None
    assert "differed by 40%" in verdict.findings[-1].measured


def test_what_the_machine_lacks_is_said_and_is_no_try(tmp_path: Path) -> None:
    class NeedsIt(Check):
        def run(self, attempt: Attempt, findings: Findings) -> None:
            raise Lacking("Redis", "install one")

    verdict = verdict_on(tmp_path, "x = 1", NeedsIt)
    assert (verdict.cause, verdict.judged) == (Cause.LACKING, False)
    assert (verdict.findings[-1].what, verdict.findings[-1].measured) == ("Redis on this machine", "none")
    assert verdict.evidence[-1].text == "install one"
    assert verdict_on(tmp_path, "def answer():\n    return 41", CallsIt).judged


@pytest.fixture
def loop(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tidies up the loop that a judgement leaves as it is, since its process ends with it."""
    made = asyncio.new_event_loop()
    monkeypatch.setattr(asyncio, "new_event_loop", lambda: made)
    yield
    tasks = asyncio.all_tasks(made)
    for task in tasks:
        task.cancel()
    if tasks:  # nothing holds a task that waits for what nobody else knows: it may be gone already
        made.run_until_complete(asyncio.wait(tasks))
    made.close()


@pytest.mark.usefixtures("loop")
def test_an_asynchronous_check_is_ended_where_it_waits(tmp_path: Path) -> None:
    class Waits(Check):
        async def run(self, attempt: Attempt, findings: Findings) -> None:
            await attempt.get("wait")()

    path = tmp_path / "waiting_answer.py"
    path.write_text("import asyncio\nasync def wait():\n    await asyncio.Event().wait()\n")
    verdict = judge(Waits(), Attempt(path, 1, tmp_path), 0.05)
    assert verdict.cause is Cause.HUNG
    assert verdict.evidence[0].text == "waiting_answer.py, line 3, in wait"


def test_each_fresh_module_has_a_state_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "stateful_answer.py"
    path.write_text("seen = []\n")
    attempt = Attempt(path, 1, tmp_path)
    attempt.module.seen.append(1)
    assert attempt.fresh().seen == []
    assert attempt.module.seen == [1]


def test_an_edit_is_loaded_whatever_is_cached(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.pyc` is trusted when the second and the size of its source are the same."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert verdict_on(tmp_path, "number = 41", Finds).status is Status.FAILED
    assert verdict_on(tmp_path, "number = 42", Finds).status is Status.PASSED


def test_a_name_of_the_standard_library_is_refused(tmp_path: Path) -> None:
    verdict = verdict_on(tmp_path, "number = 42", Finds, "queue.py")
    assert "queue is another module's name" in verdict.findings[-1].measured


def test_the_same_seed_draws_the_same_tokens(tmp_path: Path) -> None:
    one, other, third = (Attempt(tmp_path / "x.py", seed, tmp_path).token() for seed in (1, 1, 2))
    assert one == other != third
