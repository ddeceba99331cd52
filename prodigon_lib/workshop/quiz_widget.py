"""A quiz as a widget. Its radio buttons are native ones, in `quiz_form.js`: a keyboard does all of it.

Those of ipywidgets lose their arrow keys to JupyterLab, which moves to another cell.
"""

from pathlib import Path
from typing import Any

import anywidget
import traitlets

from prodigon_lib.workshop.quiz_view import Quiz
from prodigon_lib.workshop.replies import Reply


class QuizWidget(anywidget.AnyWidget):
    """The form of a quiz: `given` is the last answer, as the browser sends it; `said` the replies in HTML."""

    _esm = Path(__file__).with_name("quiz_form.js")
    questions: traitlets.List[Any] = traitlets.List().tag(sync=True)
    given = traitlets.Dict().tag(sync=True)
    said: traitlets.List[str] = traitlets.List().tag(sync=True)

    def __init__(self, quiz: Quiz) -> None:
        asked = [
            {
                "text": f"{place}. {question.text}",
                "options": [
                    f"{letter}) {o.text}"
                    for letter, o in zip(question.letters, question.options, strict=True)
                ],
            }
            for place, question in enumerate(quiz.questions, 1)
        ]
        super().__init__(questions=asked, said=[""] * len(asked))
        self._quiz = quiz
        self.observe(self._reply, "given")

    def _reply(self, change: Any) -> None:
        place, option = int(change["new"]["question"]), int(change["new"]["option"])
        question = self._quiz.questions[place]
        if 0 <= option < len(question.options):
            reply: Reply = self._quiz.take(question, question.options[option])
        else:
            reply = Reply("Choose one first", [])
        self.said = [*self.said[:place], reply.html(), *self.said[place + 1 :]]
