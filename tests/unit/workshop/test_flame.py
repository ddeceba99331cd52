"""Flame graphs: a box for each call, as wide as its share, on what called it."""

import xml.etree.ElementTree as ElementTree

import pytest

from prodigon_lib.workshop.flame import LEAST_SHARE, flame_graph, laid_out
from prodigon_lib.workshop.profile import Profile

PROFILE = Profile.parse(
    "serve (prodigon_lib/a.py:1);same <x> (prodigon_lib/b.py:1) 600\n"
    "serve (prodigon_lib/a.py:1);execute (site-packages/sql.py:1);send (socket.py:1) 300\n"
    "serve (prodigon_lib/a.py:1);rare (socket.py:1) 1\n"
    "idle (socket.py:1) 99"
)


def test_boxes_are_as_wide_as_their_shares_and_stand_on_their_callers() -> None:
    places = {place.frame.function: place for place in laid_out(PROFILE)}
    assert places["serve"].share == pytest.approx(0.901)
    assert places["same <x>"].share == pytest.approx(0.6)
    assert places["send"].depth == places["execute"].depth + 1 == places["serve"].depth + 2
    inside = [places[name] for name in ("same <x>", "execute")]
    assert inside[0].start == places["serve"].start
    assert inside[1].start == pytest.approx(inside[0].start + inside[0].share)


def test_what_could_not_be_seen_is_not_drawn() -> None:
    assert "rare" not in {place.frame.function for place in laid_out(PROFILE)}
    assert min(place.share for place in laid_out(PROFILE)) >= LEAST_SHARE


def test_it_is_valid_svg_with_words_and_the_same_each_time() -> None:
    picture = flame_graph(PROFILE, "A & B", mark=["same <x>"])
    root = ElementTree.fromstring(picture.svg)
    assert root.attrib["aria-label"] == picture.words == "A & B. same <x> 60%"
    assert "same &lt;x&gt; 60%" in picture.svg
    assert picture.svg == flame_graph(PROFILE, "A & B", mark=["same <x>"]).svg


def test_nothing_to_draw_is_refused() -> None:
    with pytest.raises(ValueError, match="no stacks"):
        flame_graph(Profile({}), "T")
