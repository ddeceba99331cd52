"""A quiz in radio buttons: native ones, so that Tab, arrows and Enter do all of it."""

from html import escape
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]

from prodigon_lib.workshop.quiz_view import Quiz
from prodigon_lib.workshop.quizzes import Question
from prodigon_lib.workshop.replies import Reply

WIDE = {"width": "100%", "max_width": "860px"}


def quiz_widget(quiz: Quiz) -> Any:
    """One form a question, below each other."""
    forms = [form(quiz, question, place) for place, question in enumerate(quiz.questions, 1)]
    return widgets.VBox(forms)


def form(quiz: Quiz, question: Question, place: int) -> Any:
    """The question, its options, a button, and room for what the answer was worth."""
    words = f'<div style="font-weight:600;line-height:1.4">{place}. {escape(question.text)}</div>'
    labels = [f"{letter}) {o.text}" for letter, o in zip(question.letters, question.options, strict=True)]
    options = widgets.RadioButtons(options=labels, value=None, layout=widgets.Layout(**WIDE))
    button = widgets.Button(description="Answer", tooltip=f"Answer question {place}")
    said = widgets.HTML()

    def answer(_: Any) -> None:
        if options.index is None:
            reply: Reply = Reply("Choose one first", [])
        else:
            reply = quiz.take(question, question.options[options.index])
        # The message is read out when it appears: its place is a live region.
        said.value = f'<div role="status" aria-live="polite">{reply.html()}</div>'

    button.on_click(answer)
    return widgets.VBox(
        [widgets.HTML(words), options, button, said], layout=widgets.Layout(margin="0 0 14px 0")
    )
