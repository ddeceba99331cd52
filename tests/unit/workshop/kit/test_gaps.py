"""Exercises come out of solutions, and broken marks are named."""

import ast

import pytest

from prodigon_lib.workshop.gaps import BadGap, take_apart

SOLUTION = '''"""The task."""

import asyncio

# <solution>
from collections import deque

# </solution>
LIMIT = 3


def f(x):
    # <gap> Count the calls.
    # | count = 0
    # |
    # | return count
    # Why so: it is short.
    y = x + LIMIT
    return y
    # </gap>


def g():
    # <gap> Wait for it.
    return deque()
    # </gap>
'''
EXERCISE = '''"""The task."""

import asyncio

LIMIT = 3


def f(x):
    # TODO Count the calls.
    count = 0

    return count


def g():
    # TODO Wait for it.
    raise NotImplementedError
'''


def test_an_exercise_has_a_task_and_a_beginning_for_each_gap() -> None:
    marked = take_apart(SOLUTION, "name.py")
    assert marked.exercise == EXERCISE
    assert marked.tasks == ("Count the calls.", "Wait for it.")


def test_the_reference_is_the_solution_without_marks() -> None:
    reference = take_apart(SOLUTION, "name.py").reference
    assert "from collections import deque" in reference
    assert "# Why so: it is short." in reference
    assert not any(mark in reference for mark in ("<gap>", "</gap>", "<solution>", "# |"))
    ast.parse(reference)


@pytest.mark.parametrize(
    ("name", "sign"), [("a.conf", "#"), ("a.proto", "//"), ("a.yaml", "#"), ("a.sql", "--"), ("a.toml", "#")]
)
def test_other_files_have_their_own_comment_sign(name: str, sign: str) -> None:
    text = f"one;\n  {sign} <gap> Say two.\n  {sign} | zero;\n  two;\n  {sign} </gap>\nthree;\n"
    marked = take_apart(text, name)
    assert marked.exercise == f"one;\n  {sign} TODO Say two.\n  zero;\nthree;\n"
    assert marked.reference == "one;\n  two;\nthree;\n"


def test_a_gap_in_a_config_may_begin_with_nothing() -> None:
    assert take_apart("# <gap> Say two.\ntwo;\n# </gap>\n", "a.conf").exercise == "# TODO Say two.\n"


GAP = "# <gap> Do.\nx = 1\n# </gap>\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x = 1\n", "0 gaps"),
        (GAP * 4, "4 gaps"),
        ("# <gap> Do.\nx = 1\n", "line 1: <gap> is never closed"),
        ("x = 1\n# </gap>\n", "line 2: </gap> closes nothing"),
        ("# <solution>\nx = 1\n# </gap>\n", "line 3: </gap> closes nothing"),
        ("# <gap> Do.\n# <gap> More.\nx = 1\n# </gap>\n", "line 2: <gap> inside <gap> of line 1"),
        ("# <gap>\nx = 1\n# </gap>\n", "line 1: a gap says what to do"),
        ("# <gap> Do.\n# </gap>\n", "line 2: nothing is left out"),
        ("# <gap> Do.\n# | x = 0\n\n# </gap>\n", "nothing is left out"),
    ],
)
def test_a_broken_mark_is_named_with_its_line(text: str, message: str) -> None:
    with pytest.raises(BadGap, match=message):
        take_apart(text, "name.py")


def test_a_file_of_another_kind_is_refused() -> None:
    with pytest.raises(BadGap, match=r"not \.exe"):
        take_apart(GAP, "name.exe")


def test_a_bar_in_an_ordinary_comment_stays() -> None:
    text = "# | a table |\n" + GAP
    assert take_apart(text, "name.py").exercise.startswith("# | a table |\n")
