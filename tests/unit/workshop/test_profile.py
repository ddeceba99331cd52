"""Profiles: what is added up, cut off, and said of a function."""

import pytest

from prodigon_lib.workshop.profile import Frame, Profile

FOLDED = """
run (loop.py:1);serve (app.py:5);answer (app.py:10);same (steps.py:3) 60
run (loop.py:1);serve (app.py:5);answer (app.py:12);Shelf.read (shelf.py:4) 30
run (loop.py:1);serve (app.py:6) 10
"""


def test_shares_are_read_from_the_folded_format() -> None:
    profile = Profile.parse(FOLDED)
    assert profile.total == 100
    assert profile.share("answer") == 0.9
    assert profile.own_share("answer") == 0
    assert profile.own_share("same") == 0.6
    assert profile.share("read") == 0.3, "a method is found by its own name"
    assert profile.share("ame") == 0


def test_what_all_stacks_have_around_them_is_cut_off() -> None:
    profile = Profile.parse(FOLDED)
    assert profile.share("run") == 1
    cut = profile.without_common_root()
    assert {stack[0] for stack in cut.stacks} == {Frame("serve", "app.py")}
    assert cut.total == profile.total
    one = Profile.parse("a (x.py:1);b (x.py:2);c (x.py:3) 7").without_common_root()
    assert set(one.stacks) == {(Frame("c", "x.py"),)}
    assert Profile.parse("").total == 0


def test_lines_of_one_function_are_one_frame() -> None:
    profile = Profile.parse("f (a.py:1);g (a.py:3) 1\nf (a.py:2);g (a.py:3) 2\nf (a.py:1) 4")
    assert profile.stacks[(Frame("f", "a.py"), Frame("g", "a.py"))] == 3


def test_recursion_counts_once() -> None:
    profile = Profile.parse("main (a.py:1);walk (a.py:2);walk (a.py:2);walk (a.py:2) 8\nmain (a.py:1) 2")
    assert profile.share("walk") == 0.8


def test_within_makes_a_function_the_root() -> None:
    inside = Profile.parse(FOLDED).within("answer")
    assert inside.total == 90
    assert {stack[0].function for stack in inside.stacks} == {"answer"}
    with pytest.raises(LookupError, match="nowhere is in no stack"):
        inside.within("nowhere")


def test_the_folded_format_comes_back() -> None:
    profile = Profile.parse(FOLDED)
    assert Profile.parse(profile.folded()) == profile


def test_the_table_has_own_time_first() -> None:
    assert Profile.parse(FOLDED).table(2).rows == [
        ("same (steps.py)", "60%", "60%"),
        ("Shelf.read (shelf.py)", "30%", "30%"),
    ]


def test_a_torn_line_is_passed_over() -> None:
    torn = "run (loop.py:1);ser\x00ve\nm bind)\n" + FOLDED
    assert Profile.parse(torn) == Profile.parse(FOLDED)


def test_own_time_is_added_up_by_kind() -> None:
    assert Profile.parse(FOLDED).own_by(lambda frame: frame.file) == {
        "steps.py": 0.6,
        "shelf.py": 0.3,
        "app.py": 0.1,
    }
