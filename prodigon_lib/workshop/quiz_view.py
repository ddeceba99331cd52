"""A quiz as a learner sees it: radio buttons, or where there are no widgets, text and `.answer(1, "b")`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prodigon_lib.workshop.card import BAD, GOOD, NEUTRAL, Shown, card, folded, heading, paragraph, prose
from prodigon_lib.workshop.curriculum import Lesson
from prodigon_lib.workshop.progress_file import ProgressFile
from prodigon_lib.workshop.quizzes import Option, Question, questions_of, record
from prodigon_lib.workshop.replies import Reply


@dataclass(frozen=True, repr=False)
class Answered(Reply):
    """What an answer was worth, and why."""

    right: bool = False

    def html(self) -> str:
        colour = GOOD if self.right else BAD
        return card(colour, heading(self.title, colour), *(paragraph(line) for line in self.lines))


def explained(option: Option) -> Answered:
    return Answered("✓ right" if option.right else "✗ not so", [option.why], option.right)


class Quiz(Shown):
    """Some questions of a lesson; answers are counted in `progress`, if there is one.

    In a notebook it is a widget; where the notebook is only looked at, the questions with folded answers.
    """

    def __init__(self, lesson: Lesson, questions: Sequence[Question], progress: ProgressFile | None) -> None:
        self.lesson, self.questions = lesson, tuple(questions)
        self._progress = progress

    @classmethod
    def of(cls, lesson: Lesson, progress: ProgressFile | None, places: Sequence[int] = ()) -> "Quiz":
        """All questions of a lesson, or those at `places`, counted from 1.

        Raises:
            IndexError: there is none at one of the places.
        """
        questions = questions_of(lesson)
        if any(place < 1 for place in places):
            raise IndexError(places)
        return cls(lesson, [questions[place - 1] for place in places] if places else questions, progress)

    def answer(self, place: int, letter: str) -> Answered:
        """Answer a question of this quiz, counted from 1, with a letter.

        Raises:
            WorkshopError: there is no such letter.
            IndexError: there is no such question.
        """
        if not 1 <= place <= len(self.questions):
            raise IndexError(place)
        return self.take(self.questions[place - 1], self.questions[place - 1].option(letter))

    def take(self, question: Question, option: Option) -> Answered:
        """Count one answer, and say what it was worth."""
        if self._progress is not None:
            record(self._progress, self.lesson, question, option)
        return explained(option)

    def text(self) -> str:
        parts = []
        for place, question in enumerate(self.questions, 1):
            lines = [f"{place}. {question.text}"]
            lines += [
                f"   {letter}) {o.text}" for letter, o in zip(question.letters, question.options, strict=True)
            ]
            parts.append("\n".join(lines))
        parts.append(f'Answer with quiz("{self.lesson.number}").answer(1, "a")')
        return "\n\n".join(parts)

    def html(self) -> str:
        """For where nothing answers: the questions, and the answers folded away."""
        parts = []
        for place, question in enumerate(self.questions, 1):
            options = "".join(f"<li>{prose(option.text)}</li>" for option in question.options)
            answer = next(option for option in question.options if option.right)
            told = paragraph(f"{answer.text}. {answer.why}")
            parts.append(
                heading(f"{place}. {question.text}")
                + f'<ol type="a" style="margin:4px 0">{options}</ol>'
                + folded("the answer", told)
            )
        return card(NEUTRAL, '<div style="height:10px"></div>'.join(parts))

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        bundle: dict[str, Any] = {"text/plain": self.text(), "text/html": self.html()}
        try:
            from prodigon_lib.workshop.quiz_widget import QuizWidget
        except ImportError:  # without the lab's packages
            return bundle
        shown = QuizWidget(self)._repr_mimebundle_()
        return {**(shown[0] if isinstance(shown, tuple) else shown or {}), **bundle}
