"""What serves goes on when its log can't be written, and no line has a secret in it."""

import errno
import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from secrets import token_urlsafe

import pytest

from prodigon_lib.core.context import current_request_id
from prodigon_lib.core.ids import RequestId
from prodigon_lib.core.logging import (
    MOST_BEGINNINGS,
    LineHandler,
    RequestLog,
    StdoutLogger,
    configure_logging,
    get_logger,
)
from prodigon_lib.core.redaction import REDACTED, learn
from prodigon_lib.core.settings import DatabaseSettings, Settings


class FullDisk(io.StringIO):
    def flush(self) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_costs_the_line_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", FullDisk())
    StdoutLogger().warning("a line\n")
    RequestLog("gateway", Settings(_env_file=None)).write("GET", "/", 200, 0.1)


PASSWORD = f"p1-{token_urlsafe(12)}"


@pytest.fixture
def configured() -> Iterator[None]:
    """Logging of a service that knows `PASSWORD`; pytest's own handlers are put back."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    url = f"postgresql://ada:{PASSWORD}@db/prodigon"
    configure_logging("demo", DatabaseSettings(_env_file=None, database_url=url))
    yield
    root.handlers[:] = before
    root.setLevel(level)


def by_structlog() -> None:
    get_logger("demo").warning("refused", said=f"wrong password {PASSWORD}", tried=[{"with": PASSWORD}])


def by_the_standard_library() -> None:
    logging.getLogger("asyncpg").error("login as %s with %r", "ada", PASSWORD)


def by_uvicorn() -> None:
    logging.getLogger("uvicorn.error").error(f"Traceback: {PASSWORD}\n")


def by_an_exception() -> None:
    try:
        raise ValueError(f"cannot parse {PASSWORD}")
    except ValueError:
        get_logger("demo").exception("unhandled error")


def by_the_cause_of_an_exception() -> None:
    try:
        try:
            raise ValueError(f"cannot parse {PASSWORD}")
        except ValueError as error:
            raise RuntimeError("it failed") from error
    except RuntimeError:
        logging.getLogger("other").exception("unhandled error")


def by_a_request() -> None:
    RequestLog("demo", Settings(_env_file=None)).write("GET", f"/files/{PASSWORD}", 200, 0.1)


def by_a_wrong_record() -> None:
    logging.getLogger("other").error("%d prompts", PASSWORD)


WAYS = [value for name, value in sorted(globals().items()) if name.startswith("by_")]


@pytest.mark.parametrize("write", WAYS)
def test_no_line_has_a_known_secret(
    configured: None, write: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    root = logging.getLogger()
    root.handlers[:] = [each for each in root.handlers if isinstance(each, LineHandler)]
    write()
    out, err = capfd.readouterr()
    (line,) = out.splitlines()
    assert PASSWORD not in out + err
    assert REDACTED in line or write is by_a_wrong_record
    assert json.loads(line)["level"] in ("info", "warning", "error")


def test_a_secret_that_is_learnt_later_is_taken_out_of_the_next_line(
    configured: None, capfd: pytest.CaptureFixture[str]
) -> None:
    lines, later = RequestLog("demo", Settings(_env_file=None)), f"p2-{token_urlsafe(12)}"
    lines.write("GET", f"/files/{later}", 200, 0.1)
    learn([later])
    lines.write("GET", f"/files/{later}", 200, 0.1)
    before, after = capfd.readouterr().out.splitlines()
    assert later in before
    assert later not in after
    assert json.loads(after)["path"] == f"/files/{REDACTED}"


@pytest.mark.parametrize(
    "given", [PASSWORD, f"with-{PASSWORD}", 'a"b\\c', "0af7651916cd43dd8448eb211c80319c"]
)
def test_the_id_that_a_caller_gave_is_written_like_any_text(
    given: str, configured: None, capfd: pytest.CaptureFixture[str]
) -> None:
    token = current_request_id.set(RequestId(given))
    RequestLog("demo", Settings(_env_file=None)).write("GET", "/", 200, 0.1)
    current_request_id.reset(token)
    (line,) = capfd.readouterr().out.splitlines()
    assert json.loads(line)["request_id"] == given.replace(PASSWORD, REDACTED)


def test_no_more_beginnings_are_kept_than_a_bound(
    configured: None, capfd: pytest.CaptureFixture[str]
) -> None:
    lines = RequestLog("demo", Settings(_env_file=None))
    for number in range(MOST_BEGINNINGS + 50):
        lines.write("GET", f"/jobs/{number}", 200, 0.1)
    assert len(lines.beginnings) <= MOST_BEGINNINGS
    assert [json.loads(line)["path"] for line in capfd.readouterr().out.splitlines()] == [
        f"/jobs/{number}" for number in range(MOST_BEGINNINGS + 50)
    ]


HOSTILE = '\x1b]0;owned\x07 \x9b2J \x7f \r\n \u2028 \x85 {"event": "forged"} \u202e \U000e0041'


def hostile_by_structlog() -> None:
    get_logger("demo").warning(HOSTILE, said=[HOSTILE])


def hostile_by_the_standard_library() -> None:
    logging.getLogger("other").error("refused: %s", HOSTILE)


def hostile_by_a_request() -> None:
    RequestLog("demo", Settings(_env_file=None)).write("GET", HOSTILE, 200, 0.1)


HOSTILE_WAYS = [value for name, value in sorted(globals().items()) if name.startswith("hostile_by_")]


@pytest.mark.parametrize("write", HOSTILE_WAYS)
def test_no_text_ends_a_line_or_commands_a_terminal(
    configured: None, write: Callable[[], None], capfd: pytest.CaptureFixture[str]
) -> None:
    write()
    (line,) = capfd.readouterr().out.splitlines()
    assert line.isprintable()
    said = json.loads(line)
    assert any(str(said.get(name, "")).endswith(HOSTILE) for name in ("event", "path"))


UNCAUGHT = """
import sys, threading
from prodigon_lib.core.logging import configure_logging, log_the_uncaught
from prodigon_lib.core.settings import DatabaseSettings
password = sys.stdin.read()
configure_logging("demo", DatabaseSettings(_env_file=None, redis_url=f"redis://:{password}@cache/0"))
log_the_uncaught()
def fail():
    raise RuntimeError(f"refused {password}")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
fail()
"""


def test_what_nobody_caught_is_logged_without_its_secret() -> None:
    run = subprocess.run(
        [sys.executable, "-c", UNCAUGHT], input=PASSWORD, capture_output=True, text=True, check=False
    )
    said = [json.loads(line) for line in run.stdout.splitlines()]
    assert run.returncode == 1
    assert [line["event"] for line in said] == ["uncaught error"] * 2
    assert all(f"refused {REDACTED}" in line["exception"] for line in said)
    assert run.stderr == ""
