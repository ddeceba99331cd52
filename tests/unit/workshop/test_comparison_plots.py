"""Bars and lines: what they say in words is what was given."""

import pytest

from prodigon_lib.workshop.comparison_plots import lines, paired_bars, stacked_bars

ROWS = {"kept <open>": {"connect": 0.0, "wire": 1.25}, "per call": {"connect": 18.0, "wire": 2.0}}


def test_bars_say_each_row_and_draw_each_part() -> None:
    picture = stacked_bars(ROWS, unit="ms", title="One call", guess=5)
    assert picture.words == "One call: kept <open> 1.25 ms; per call 20 ms"
    assert "aria-label" in picture.svg
    for text in ("connect", "wire", "your guess", "kept &lt;open&gt;"):
        assert text in picture.svg


def test_paired_bars_say_both_of_each_row() -> None:
    rows = {"titles": (1.4, 1.25), "<mark>": (1.02, 1)}
    picture = paired_bars(rows, names=("predicted", "measured"), unit="times", title="Gains")
    assert picture.words == (
        "Gains (times): titles: predicted 1.4, measured 1.25; <mark>: predicted 1.02, measured 1"
    )
    for text in ("predicted", "measured", "&lt;mark&gt;"):
        assert text in picture.svg


def test_lines_say_each_point() -> None:
    picture = lines({"a": [(1, 10), (64, 250.5)]}, xlabel="in flight", ylabel="calls", title="T", log_x=True)
    assert picture.words == "T: a: 10 at 1, 250.5 at 64"


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="no bars"):
        stacked_bars({}, unit="ms", title="T")
    with pytest.raises(ValueError, match="no bars"):
        paired_bars({}, names=("a", "b"), unit="ms", title="T")
    with pytest.raises(ValueError, match="no points"):
        lines({"a": []}, xlabel="x", ylabel="y", title="T")
