"""How far a learner got."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from prodigon_lib.workshop.card import GOOD, NEUTRAL, Shown, card, grid, heading, paragraph
from prodigon_lib.workshop.curriculum import Exercise, Lesson
from prodigon_lib.workshop.look import FAINT, INK
from prodigon_lib.workshop.progress_file import Document
from prodigon_lib.workshop.quizzes import questions_of
from prodigon_lib.workshop.table import Table

COLUMNS = ("", "exercise", "state", "tries", "hints")
WORDS = {"passed": "passed", "tried": "not yet", "begun": "begun", "untouched": "not begun"}


@dataclass(frozen=True, repr=False)
class ProgressView(Shown):
    """The curriculum with a learner's progress in it.

    Args:
        begun: keys of the exercises whose files are not as they were given out.
        notice: something to say, such as that a broken file was set aside.
    """

    lessons: Sequence[Lesson]
    document: Document
    begun: Collection[str]
    notice: str = ""

    def to_dict(self) -> dict[str, Any]:
        """For a program; its keys stay as they are within format 1.

        `state` is `passed`, `tried`, `begun` or `untouched`; times are ISO 8601 in UTC, or `None`.
        """
        lessons = [self._lesson(lesson) for lesson in self.lessons]
        return {
            "format": 1,
            "passed": sum(each["state"] == "passed" for lesson in lessons for each in lesson["exercises"]),
            "exercises": sum(len(lesson["exercises"]) for lesson in lessons),
            "lessons": lessons,
        }

    def _lesson(self, lesson: Lesson) -> dict[str, Any]:
        return {
            "number": lesson.number,
            "title": lesson.title,
            "exercises": [self._exercise(exercise) for exercise in lesson.exercises],
            "quiz": self._quiz(lesson),
        }

    def _exercise(self, exercise: Exercise) -> dict[str, Any]:
        entry = self.document["exercises"].get(exercise.key, {})
        state = "tried" if entry.get("tries") else "begun"
        if exercise.key not in self.begun:  # checks of an untouched file, as by "run all", are no work on it
            state = "untouched"
        state = "passed" if entry.get("passed_at") else state
        return {
            "number": exercise.number,
            "title": exercise.title,
            "file": exercise.key,
            "state": state,
            "tries": entry.get("tries", 0),
            "hints": entry.get("hints", 0),
            "passed_at": entry.get("passed_at"),
            "checked_at": entry.get("checked_at"),
        }

    def _quiz(self, lesson: Lesson) -> dict[str, int]:
        answers = self.document["quizzes"].get(lesson.folder, {})
        asked = [question.key for question in questions_of(lesson)]
        right = sum(bool(answers.get(key, {}).get("right")) for key in asked)
        return {"questions": len(asked), "answered": sum(key in answers for key in asked), "right": right}

    def rows(self) -> Iterator[tuple[str, ...]]:
        for lesson in self.to_dict()["lessons"]:
            quiz = lesson["quiz"]
            answered = f"quiz: {quiz['right']} of {quiz['questions']} right" if quiz["questions"] else ""
            yield (str(lesson["number"]), lesson["title"], answered, "", "")
            for each in lesson["exercises"]:
                counts = [str(each[name]) if each[name] else "" for name in ("tries", "hints")]
                yield (each["number"], each["title"], WORDS[each["state"]], *counts)

    @property
    def summary(self) -> str:
        figures = self.to_dict()
        return f"{figures['passed']} of {figures['exercises']} exercises passed"

    def html(self) -> str:
        rows = list(self.rows())
        inks = [GOOD if row[2] == "passed" else INK if "." in row[0] else FAINT for row in rows]
        notice = [paragraph(self.notice)] if self.notice else []
        return card(NEUTRAL, heading(self.summary), grid(COLUMNS, rows, inks=inks), *notice)

    def text(self) -> str:
        parts = [self.summary, repr(Table(COLUMNS, self.rows())) if self.lessons else "", self.notice]
        return "\n".join(part for part in parts if part)
