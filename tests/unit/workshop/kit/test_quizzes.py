"""Quizzes are answered in widgets or in text, explained, and counted."""

import importlib
import sys
from pathlib import Path

import pytest

from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.progress_file import ProgressFile
from prodigon_lib.workshop.quiz_view import Quiz
from prodigon_lib.workshop.quiz_widget import QuizWidget
from prodigon_lib.workshop.quizzes import Option, Question, right, wrong
from tests.demonstration.curriculum import demonstration

LESSON = demonstration().lesson(1)


@pytest.fixture
def progress(tmp_path: Path) -> ProgressFile:
    return ProgressFile(tmp_path)


@pytest.fixture
def quiz(progress: ProgressFile) -> Quiz:
    return Quiz.of(LESSON, progress)


def letter_of(question: Question, *, right: bool) -> str:
    return next(
        letter for letter, o in zip(question.letters, question.options, strict=True) if o.right is right
    )


def counted(progress: ProgressFile) -> dict[str, object]:
    return progress.read()["quizzes"].get("01_demonstration", {})


def test_a_wrong_answer_is_explained_and_counted(quiz: Quiz, progress: ProgressFile) -> None:
    wrong_letter, right_letter = (letter_of(quiz.questions[1], right=it) for it in (False, True))
    told = quiz.answer(2, wrong_letter)
    assert not told.right
    assert "it looks at each of its items" in told.text()
    assert counted(progress) == {"hash": {"right": False, "tries": 1, "first": False}}
    assert quiz.answer(2, right_letter.upper()).right
    assert counted(progress) == {"hash": {"right": True, "tries": 2, "first": False}}


def test_what_was_right_stays_right(quiz: Quiz, progress: ProgressFile) -> None:
    quiz.answer(1, letter_of(quiz.questions[0], right=True))
    quiz.answer(1, letter_of(quiz.questions[0], right=False))
    assert counted(progress) == {"bound": {"right": True, "tries": 1, "first": True}}


def test_some_questions_can_be_chosen(progress: ProgressFile) -> None:
    assert [question.key for question in Quiz.of(LESSON, progress, (2,)).questions] == ["hash"]
    for place in (0, 3):
        with pytest.raises(IndexError):
            Quiz.of(LESSON, progress, (place,))


def test_a_letter_that_is_none_is_refused(quiz: Quiz) -> None:
    for letter in ("z", "", "ab"):
        with pytest.raises(WorkshopError, match="answer with one of: a, b"):
            quiz.answer(2, letter)


def test_the_widget_asks_answers_and_counts(quiz: Quiz, progress: ProgressFile) -> None:
    widget = QuizWidget(quiz)
    assert [len(question["options"]) for question in widget.questions] == [3, 2]
    widget.given = {"question": 0, "option": -1}
    assert "Choose one first" in widget.said[0]
    assert counted(progress) == {}
    place = [option.right for option in quiz.questions[0].options].index(True)
    widget.given = {"question": 0, "option": place}
    assert "✓ right" in widget.said[0]
    assert widget.said[1] == ""
    assert counted(progress)["bound"] == {"right": True, "tries": 1, "first": True}
    widget.close()


def test_a_notebook_gets_the_widget_and_what_reads_without_it(quiz: Quiz) -> None:
    bundle = quiz._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in bundle
    assert "<details>" in bundle["text/html"]
    assert 'quiz("1").answer(1, "a")' in bundle["text/plain"]


def test_without_widgets_there_is_text(quiz: Quiz, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prodigon_lib.workshop.quiz_widget", None)
    assert set(quiz._repr_mimebundle_()) == {"text/plain", "text/html"}


GOOD, BAD = right("yes", "because"), wrong("no", "for")


@pytest.mark.parametrize(
    "options", [(GOOD,), (BAD, BAD), (GOOD, GOOD), (GOOD, Option("no", "", False))], ids=str
)
def test_a_misshapen_question_is_refused(options: tuple[Option, ...]) -> None:
    with pytest.raises(ValueError, match="question 'key'"):
        Question("key", "?", *options)


def test_the_right_answer_is_not_always_the_first() -> None:
    questions = [Question(f"key-{n}", "?", GOOD, BAD, wrong("maybe", "for")) for n in range(20)]
    places = {[option.right for option in question.options].index(True) for question in questions}
    assert places == {0, 1, 2}


def test_the_six_names_are_functions_whatever_was_imported() -> None:
    """A module of the same name would take a function's place in the package once it is imported."""
    package = importlib.import_module("prodigon_lib.workshop")
    modules = {path.stem for path in Path(package.__file__).parent.iterdir()}
    assert not modules & set(package.__all__)
    assert all(callable(getattr(package, name)) for name in package.__all__)
