"""Questions at the end of a lesson, kept in its `quiz.py`.

from prodigon_lib.workshop.quizzes import Question, right, wrong

QUESTIONS = (
    Question(
        "accepted",
        "The gateway answered a job with 202 and died a second later. Is the job lost?",
        right("No", "It was in Postgres before the answer was sent: 202 means kept, not done."),
        wrong("Yes", "The gateway held nothing of it: it was written to Postgres first."),
    ),
)
"""

import importlib.util
import random
import string
from collections.abc import Sequence
from dataclasses import dataclass

from prodigon_lib.workshop.curriculum import Lesson
from prodigon_lib.workshop.faults import WorkshopError
from prodigon_lib.workshop.progress_file import ProgressFile


@dataclass(frozen=True)
class Option:
    """One answer to choose; `why` says why it is right, or what it overlooks."""

    text: str
    why: str
    right: bool


def right(text: str, why: str) -> Option:
    return Option(text, why, True)


def wrong(text: str, why: str) -> Option:
    return Option(text, why, False)


class Question:
    """A question with one right option.

    Args:
        key: what progress is kept under; stays the same when the words change.

    Raises:
        ValueError: fewer than two options, not exactly one right, or one without its why.
    """

    def __init__(self, key: str, text: str, *options: Option) -> None:
        if len(options) < 2 or sum(option.right for option in options) != 1:
            raise ValueError(f"question {key!r} needs two options or more, one of them right")
        if not all(option.why for option in options):
            raise ValueError(f"question {key!r}: each option says why")
        self.key, self.text = key, text
        # In an order of its own, the same each time: no author need think where the right one stands.
        self.options = tuple(random.Random(key).sample(options, len(options)))

    @property
    def letters(self) -> str:
        return string.ascii_lowercase[: len(self.options)]

    def option(self, letter: str) -> Option:
        """The option that a letter stands for.

        Raises:
            WorkshopError: no option has this letter.
        """
        by_letter = dict(zip(self.letters, self.options, strict=True))
        try:
            return by_letter[letter.strip().lower()]
        except KeyError:
            raise WorkshopError(f"answer with one of: {', '.join(by_letter)}") from None


def questions_of(lesson: Lesson) -> tuple[Question, ...]:
    """The questions in the lesson's `quiz.py`, as it is now; none where there is no such file."""
    path = lesson.path / "quiz.py"
    spec = importlib.util.spec_from_file_location(f"{lesson.module}.quiz", path)
    if not path.is_file() or spec is None or spec.loader is None:
        return ()
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    questions: Sequence[Question] = module.QUESTIONS
    if len({question.key for question in questions}) != len(questions):
        raise WorkshopError(f"{path}: two questions have the same key")
    return tuple(questions)


def record(progress: ProgressFile, lesson: Lesson, question: Question, option: Option) -> None:
    """Count an answer. What was right once stays right, and `first` keeps whether it was so at once."""
    with progress.change() as document:
        answers = document["quizzes"].setdefault(lesson.folder, {})
        entry = answers.setdefault(question.key, {"right": False, "tries": 0, "first": option.right})
        entry["tries"] += 0 if entry["right"] else 1
        entry["right"] = entry["right"] or option.right
