"""Notebooks are saved so that they read well where nothing answers."""

from prodigon_lib.workshop.outputs import WIDGET, without_widgets
from prodigon_lib.workshop.quiz_view import Quiz
from tests.demonstration.curriculum import demonstration


def test_a_quiz_is_saved_as_what_can_be_read_without_its_widget() -> None:
    bundle = Quiz.of(demonstration().lesson(1), None)._repr_mimebundle_()
    assert WIDGET in bundle
    (saved,) = without_widgets([{"output_type": "execute_result", "data": bundle}])
    assert set(saved["data"]) == {"text/plain", "text/html"}


def test_a_stream_is_left_alone() -> None:
    assert without_widgets([{"output_type": "stream", "text": "x"}]) == [
        {"output_type": "stream", "text": "x"}
    ]
