"""Source as a lesson shows it."""

import re
from html import unescape

import pytest

from prodigon_lib.workshop.source import show_source

SHOWN = [
    ("worker/backlog.py", "Backlog", "python"),
    ("worker/queues/statements.py", "CLAIM", "sql"),
]


@pytest.mark.parametrize(("module", "name", "language"), SHOWN)
def test_it_is_shown_word_for_word(module: str, name: str, language: str) -> None:
    source = show_source(module, name)
    lines = re.search(r"<pre [^>]*>(.*)</pre>", source._repr_html_(), re.DOTALL)
    assert lines is not None
    assert unescape(re.sub(r"<[^>]+>", "", lines[1])).strip() == source.text.strip()
    assert source._repr_markdown_().startswith(f"`{source.place}`\n\n```{language}\n")


def test_what_is_not_there_is_named() -> None:
    with pytest.raises(LookupError, match="defines no Backlogs"):
        show_source("worker/backlog.py", "Backlogs")
