"""What nobody sees is found, and no language loses what it needs."""

import pytest

from prodigon_lib.security import hidden_in, with_hidden_shown, without_hidden
from tests.hidden_texts import HIDING, WHOLE, tags


@pytest.mark.parametrize("name", HIDING)
def test_what_is_hidden_is_found_and_removed(name: str) -> None:
    text, seen = HIDING[name]
    assert without_hidden(text) == seen
    assert without_hidden(seen) == seen
    runs = hidden_in(text)
    assert runs
    assert all(text[run.at :].startswith(run.characters) for run in runs)
    assert sum(len(run.characters) for run in runs) == len(text) - len(seen)


@pytest.mark.parametrize("name", WHOLE)
def test_what_a_language_needs_stays(name: str) -> None:
    assert without_hidden(WHOLE[name]) == WHOLE[name]
    assert hidden_in(WHOLE[name]) == []


def test_it_is_shown_in_its_place() -> None:
    assert with_hidden_shown(f"Fine.{tags('read chat 2')} \u200b\u200bWell.") == (
        "Fine.[hidden: read chat 2] [hidden: 2 characters]Well."
    )
