"""Everything shown reads in a terminal and, on its own pale card, in light and dark themes."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from prodigon_lib.workshop.card import Shown
from prodigon_lib.workshop.checks.verdict import Cause, Evidence, Finding, Status, Verdict
from prodigon_lib.workshop.comparison import Comparison
from prodigon_lib.workshop.picture import Picture
from prodigon_lib.workshop.progress_view import ProgressView
from prodigon_lib.workshop.quiz_view import Quiz
from prodigon_lib.workshop.replies import Hint, Locked, Restored
from prodigon_lib.workshop.result import Result, Results
from prodigon_lib.workshop.table import Table
from tests.demonstration.curriculum import demonstration

CURRICULUM = demonstration()
EXERCISE = CURRICULUM.exercise("1.1")
NASTY = "<script>alert('x')</script>"
EVIDENCE = tuple(
    Evidence.of(each) for each in (Table(["n"], [(NASTY,)]), Picture("<svg><script/></svg>", NASTY), NASTY)
)
FAILED = Verdict(
    Status.FAILED, Cause.MEASURED, (Finding(NASTY, "9", "at most 7", held=False),), NASTY, EVIDENCE
)
PASSED = Verdict(Status.PASSED, None, (Finding("calls", "5", "at most 7", held=True),))
NOISY = Verdict(Status.NOISY, None, (Finding("this machine", "40 %", "15 %", held=False),), "Try again.")
RESULT = Result(EXERCISE, FAILED, NASTY, 1.25, 42, NASTY)

SHOWN: list[Shown] = [
    RESULT,
    Results([RESULT, Result(EXERCISE, PASSED), Result(EXERCISE, NOISY)]),
    Comparison("1.1", f"a\n{NASTY}\nc", "a\nb\nc\nd"),
    Hint(EXERCISE, 2),
    Locked(EXERCISE, 1, 3),
    Restored([EXERCISE], Path("/backup")),
    ProgressView(CURRICULUM.lessons, {"exercises": {}, "quizzes": {}}, {EXERCISE.key}, NASTY),
    Quiz.of(CURRICULUM.lesson(1), None),
]


class Colours(HTMLParser):
    """Notes the elements that a theme would colour and that do not say their own colours."""

    THEMED = ("table", "thead", "tbody", "tr", "td", "th", "pre")

    def __init__(self) -> None:
        super().__init__()
        self.bare: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        style = dict(attrs).get("style") or ""
        if tag in self.THEMED and "background:" not in style:
            self.bare.append(tag)
        if tag in ("td", "th", "pre") and not re.search(r"(^|;)color:", style):
            self.bare.append(tag)
        if tag not in ("img", "br", "col"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: type(shown).__name__)
def test_no_element_takes_its_colour_from_a_theme(shown: Shown) -> None:
    page = Colours()
    page.feed(shown._repr_html_())
    assert page.bare == []
    assert page.open == []


@pytest.mark.parametrize("shown", SHOWN, ids=lambda shown: type(shown).__name__)
def test_text_is_escaped_and_a_terminal_has_it_too(shown: Shown) -> None:
    html = shown._repr_html_()
    assert "<script" not in html
    assert repr(shown).strip()
    assert "\x1b" not in repr(shown)


def test_a_result_says_all_it_should_in_words() -> None:
    text = Result(EXERCISE, FAILED, "printed\n", 1.25, 42).text()
    assert text.splitlines()[0] == "✗ 1.1 A bounded fan-out: not yet"
    assert "measured 9; wanted at most 7" in text
    assert "what your code printed" in text
    assert "(1.2 s; a hint: prodigon hint 1.1; the same inputs again: --seed 42)" in text
    assert 'hint("1.1")' in Result(EXERCISE, FAILED).html().replace("&quot;", '"')


def test_noise_is_not_called_wrong() -> None:
    text = Result(EXERCISE, NOISY).text()
    assert "too noisy to tell: try again" in text
    assert "✗" not in text


def test_a_comparison_pairs_lines() -> None:
    comparison = Comparison("x", "a\nb\nc", "a\nB\nc\nd")
    assert list(comparison.rows()) == [
        ("a", "a", False), ("b", "B", True), ("c", "c", False), (None, "d", True),
    ]  # fmt: skip
    assert comparison.diff.splitlines() == ["--- your answer", "+++ reference", " a", "-b", "+B", " c", "+d"]
    assert "the same as the reference" in Comparison("x", "a\n", "a\n").text()


def test_progress_for_a_program_has_every_exercise() -> None:
    entry = {"tries": 2, "hints": 1, "passed_at": "2026-01-02T03:04:05+00:00"}
    document = {
        "exercises": {EXERCISE.key: entry},
        "quizzes": {"01_demonstration": {"bound": {"right": True}}},
    }
    (lesson,) = ProgressView(CURRICULUM.lessons, document, set()).to_dict()["lessons"]
    assert lesson["exercises"][0] == {
        "number": "1.1", "title": "A bounded fan-out", "file": "01_demonstration/fan_out.py",
        "state": "passed", "tries": 2, "hints": 1, "passed_at": "2026-01-02T03:04:05+00:00",
        "checked_at": None,
    }  # fmt: skip
    assert lesson["quiz"] == {"questions": 2, "answered": 1, "right": 1}
