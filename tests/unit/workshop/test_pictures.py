"""Pictures are whole SVG documents with words for those who can't see them."""

import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass

import pytest

from prodigon_lib.workshop.diagram import Arrow, Box, draw
from prodigon_lib.workshop.histogram import Histogram
from prodigon_lib.workshop.load_plots import percentile_plot
from prodigon_lib.workshop.picture import Picture
from prodigon_lib.workshop.plots import callers_first, job_progress, token_times, waterfall


@dataclass
class Span:
    name: str
    service: str
    span_id: str
    parent_id: str | None
    start_ns: int
    end_ns: int


SPANS = [
    Span("POST /inference", "model", "c", "b", 20_000_000, 90_000_000),
    Span("POST <generate>", "gateway", "a", None, 10_000_000, 100_000_000),
    Span("call model", "gateway", "b", "a", 15_000_000, 95_000_000),
]

PICTURES = [
    waterfall(SPANS),
    token_times([0.2, 0.21, 0.24]),
    job_progress([(0.0, 0), (1.0, 3)], 3, {"worker killed": 0.5}),
    draw(
        [Box("a", "A & B", ["port 1"], 0, 0), Box("c", "C", [], 1, 1)], [Arrow("a", "c", "x<y")], "A calls C"
    ),
]


@pytest.mark.parametrize("picture", PICTURES, ids=["waterfall", "tokens", "progress", "diagram"])
def test_a_picture_is_valid_svg_with_its_words_as_label(picture: Picture) -> None:
    root = ElementTree.fromstring(picture.svg)
    assert root.tag.endswith("svg")
    assert root.attrib["aria-label"] == picture.words == repr(picture)


def test_the_same_data_draws_the_same_bytes() -> None:
    assert waterfall(SPANS).svg == waterfall(SPANS).svg


def test_callers_stand_above_what_they_called() -> None:
    assert [(span.span_id, depth) for span, depth in callers_first(SPANS)] == [("a", 0), ("b", 1), ("c", 2)]


def test_a_span_whose_caller_is_missing_is_a_root() -> None:
    assert callers_first(SPANS[:1]) == [(SPANS[0], 0)]


def test_a_trace_without_spans_is_refused() -> None:
    with pytest.raises(ValueError, match="no spans"):
        waterfall([])


def test_words_say_what_was_measured() -> None:
    assert "gateway call model 80.0 ms" in PICTURES[0].words
    assert "3 tokens, the first after 0.200 s" in PICTURES[1].words
    assert "3 of 3 after 1.00 s, worker killed at 0.50 s" in PICTURES[2].words


@pytest.mark.parametrize("guess", [0.0001, 5.0])
def test_a_guess_far_from_what_was_measured_stays_in_the_picture(guess: float) -> None:
    """Left outside of a fixed axis, its label would squeeze the plot to nothing: Matplotlib warns of that."""
    picture = percentile_plot({"load": Histogram([0.010, 0.011, 0.013])}, guess=guess)
    assert "your guess of the p99" in picture.svg
