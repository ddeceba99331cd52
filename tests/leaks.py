"""Looks for the secrets of a test run in all that it writes: no test passes, and no run, that shows one.

A plugin of pytest. It reads the logs and traces of stacks, what each test printed, the bodies of error
answers, and the outputs of notebooks. The secrets are those that the fixture `watch` has drawn, and the keys
that stacks draw. What was already read is not read again.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
from typing import Any

import httpx
import pytest

from prodigon_lib.core.locations import home
from prodigon_lib.stack.folder import StackFolder, known_stacks


class Watch:
    """The secrets of this run, and where one was seen."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.seen: list[str] = []
        self.errors: list[bytes] = []
        self._places: dict[Path, int] = {}

    def draw(self, what: str, beginning: str = "canary-") -> str:
        """A new secret that nothing may show."""
        return self.keep_quiet_about(f"{beginning}{token_hex(26)}", what)

    def keep_quiet_about(self, secret: str, what: str) -> str:
        self.secrets[secret] = what
        return secret

    def skip(self, stacks: list[StackFolder]) -> None:
        """What earlier runs wrote is none of ours."""
        self._places |= {path: path.stat().st_size for stack in stacks for path in written(stack)}

    def look(self, text: str, where: str) -> None:
        self.seen += [f"{what}, in {where}" for secret, what in self.secrets.items() if secret in text]

    def look_at_stacks(self, stacks: list[StackFolder]) -> None:
        for stack in stacks:
            if stack.envelope_keys.is_file():
                for key in stack.envelope_keys.read_text().strip().split(","):
                    self.keep_quiet_about(key.rpartition(":")[2], f"an envelope key of '{stack.name}'")
            for path in written(stack):
                self.look(self._rest_of(path), f"{path.parent.name}/{path.name} of '{stack.name}'")

    def look_at_errors(self) -> None:
        bodies, self.errors = self.errors, []
        self.look(b"\n".join(bodies).decode(errors="replace"), "the body of an error answer")

    def _rest_of(self, path: Path) -> str:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            place = self._places.get(path, 0)
            file.seek(place if place <= size else 0)
            self._places[path] = size
            return file.read().decode(errors="replace")


def written(stack: StackFolder) -> Iterator[Path]:
    for folder in (stack.logs, stack.traces):
        if folder.is_dir():
            yield from (path for path in folder.iterdir() if path.suffix != ".old")


WATCH = Watch()


@pytest.fixture(scope="session")
def watch() -> Watch:
    """Draws secrets for a test: `watch.draw("Groq key", "gsk_")`. The run fails where one is seen."""
    return WATCH


def keep_errors(patch: pytest.MonkeyPatch) -> None:
    """Has each client of httpx show us the error answers that it got."""
    send, send_async = httpx.Client.send, httpx.AsyncClient.send

    def keep(response: httpx.Response) -> httpx.Response:
        if response.status_code >= 400 and response.is_closed:
            WATCH.errors.append(response.content)
        return response

    def sending(client: httpx.Client, *args: Any, **options: Any) -> httpx.Response:
        return keep(send(client, *args, **options))

    async def sending_async(client: httpx.AsyncClient, *args: Any, **options: Any) -> httpx.Response:
        return keep(await send_async(client, *args, **options))

    patch.setattr(httpx.Client, "send", sending)
    patch.setattr(httpx.AsyncClient, "send", sending_async)


def pytest_configure(config: pytest.Config) -> None:
    WATCH.skip(known_stacks())
    patch = pytest.MonkeyPatch()
    keep_errors(patch)
    config.add_cleanup(patch.undo)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Iterator[None]:
    """Before the test's folders go."""
    WATCH.look_at_stacks(known_stacks(home()))
    WATCH.look_at_errors()
    if outputs := getattr(item, "test_outputs", None):  # of a notebook's cell
        WATCH.look(json.dumps(outputs, default=str), "the output of a notebook")
    before, WATCH.seen = WATCH.seen, []
    yield
    if before:
        pytest.fail(f"a secret got out: {'; '.join(dict.fromkeys(before))}", pytrace=False)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    for name, text in report.sections:
        WATCH.look(text, f"{name}, {report.nodeid}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """What the last test printed, and what ended after its test."""
    WATCH.look_at_errors()
    if WATCH.seen:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: Any) -> None:
    for place in dict.fromkeys(WATCH.seen):
        terminalreporter.write_line(f"a secret got out: {place}", red=True)
