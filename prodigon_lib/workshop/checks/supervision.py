"""Starts the process of a check, watches over it, and leaves nothing of it behind."""

import json
import os
import re
import secrets
import selectors
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from types import TracebackType
from typing import Any, Self

import psutil

from prodigon_lib.workshop.checks.channel import Messages
from prodigon_lib.workshop.checks.check import LONGEST
from prodigon_lib.workshop.checks.endings import died, out_of_bounds, out_of_time
from prodigon_lib.workshop.checks.surroundings import environment
from prodigon_lib.workshop.checks.verdict import Cause, Verdict, fallen
from prodigon_lib.workshop.checks.vestiges import end_everything

TICK = 0.05
LOOK_AT_TREE = 0.4
GRACE = 0.5
MOST_PROCESSES = 64
KEPT_OUTPUT = 16_000
MEGABYTE = 1024 * 1024
CONTROL = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|[\x00-\x08\x0b-\x1f\x7f]")


@dataclass(frozen=True)
class Order:
    """What to check.

    Args:
        module: dotted name of the module that has the check.
        import_root: folder that `module` is imported from.
        answer: the file to check.
        file: the exercise's own name for it.
        seed: that all inputs are drawn from.
        seconds: an earlier end than the check's own.
    """

    module: str
    import_root: Path
    answer: Path
    file: str
    seed: int
    seconds: float = LONGEST


@dataclass(frozen=True)
class Run:
    """One run of a check. `output` is what the exercise printed, its end if that was much."""

    verdict: Verdict
    output: str
    seconds: float


def run_check(order: Order) -> Run:
    """Check an answer in a process of its own; returns when that and all it started is gone.

    It never raises for anything that the answer does.
    """
    began = time.monotonic()
    try:
        answer = order.answer.read_bytes()
    except OSError as error:
        step = "`reset` brings the exercise's file back."
        lost = f"it can't be read: {error.strerror}"
        return Run(fallen(Cause.MISSING, order.file, lost, f"a file at {order.answer}", step), "", 0.0)
    with TemporaryDirectory(prefix="prodigon-check-", ignore_cleanup_errors=True) as name:
        with CheckProcess(order, answer, Path(name)) as process:
            verdict = process.watch()
        return Run(verdict, process.output, time.monotonic() - began)


class CheckProcess:
    """A check under way; leaving the block ends it and everything that it started."""

    def __init__(self, order: Order, answer: bytes, folder: Path) -> None:
        self._order, self._folder = order, folder
        self._tag, word = secrets.token_hex(8), secrets.token_hex(16)
        self._messages = Messages(word)
        self._output = b""
        self._verdict: Verdict | None = None
        self._memory_mb = 0
        self._began = time.monotonic()
        # Until it says how long it may take: starting takes its time on a busy machine.
        self._deadline, self._next_look = self._began + LONGEST, 0.0
        self._result_fd, result_end = os.pipe()
        try:
            self._process = self._start(answer, result_end)
        except BaseException:
            os.close(self._result_fd)
            raise
        finally:
            os.close(result_end)
        self._send_order(word, result_end)

    def _start(self, answer: bytes, result_end: int) -> subprocess.Popen[bytes]:
        for name in ("answer", "work", "tmp"):
            (self._folder / name).mkdir()
        self.path.write_bytes(answer)
        return subprocess.Popen(
            [sys.executable, "-P", "-m", "prodigon_lib.workshop.checks.runner"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=(result_end,),
            cwd=self._folder / "work",
            env=environment(self._tag, self._folder / "tmp"),
            start_new_session=True,
        )

    def _send_order(self, word: str, result_end: int) -> None:
        document = {
            "word": word,
            "fd": result_end,
            "module": self._order.module,
            "import_root": str(self._order.import_root),
            "origin": str(self._order.answer.parent),
            "path": str(self.path),
            "folder": str(self._folder / "work"),
            "trace": str(self._trace),
            "seed": self._order.seed,
            "seconds": self._order.seconds,
        }
        assert self._process.stdin is not None
        with suppress(BrokenPipeError), self._process.stdin as stdin:
            stdin.write(json.dumps(document).encode())

    @property
    def path(self) -> Path:
        """The copy of the answer that is executed."""
        return self._folder / "answer" / self._order.file

    @property
    def _trace(self) -> Path:
        return self._folder / "trace.txt"

    @property
    def output(self) -> str:
        """What the exercise printed, control characters and the folder's name left out."""
        text = self._output.decode("utf-8", "replace").replace(f"{self._folder}{os.sep}", "")
        return CONTROL.sub("", text).strip("\n")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        end_everything(self._process, self._tag)
        assert self._process.stdout is not None
        self._process.stdout.close()
        os.close(self._result_fd)

    def watch(self) -> Verdict:
        """Its verdict, or what became of it in place of one."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._result_fd, selectors.EVENT_READ, self._hear)
            selector.register(self._process.stdout.fileno(), selectors.EVENT_READ, self._keep)
            while True:
                exited = self._process.poll() is not None
                ready = selector.select(0 if exited else TICK)
                for key, _ in ready:
                    chunk = os.read(key.fd, 65_536)
                    key.data(chunk) if chunk else selector.unregister(key.fd)
                if (verdict := self._outcome(exited and not ready)) is not None:
                    return verdict

    def _outcome(self, over: bool) -> Verdict | None:
        if self._verdict is not None:
            return self._verdict
        now = time.monotonic()
        if over:
            return self._without_verdict()
        if now > self._deadline:
            return out_of_time(now - self._began, self._trace_text(), self.path)
        if now > self._next_look:
            self._next_look = now + LOOK_AT_TREE
            return self._look_at_tree()
        return None

    def _without_verdict(self) -> Verdict:
        trace = self._trace_text()
        if "Timeout (" in trace:  # it ended itself, at its own deadline
            return out_of_time(time.monotonic() - self._began, trace, self.path)
        return died(self._process.returncode, trace, self.path)

    def _trace_text(self) -> str:
        with suppress(OSError):
            return self._trace.read_text(encoding="utf-8", errors="replace")
        return ""

    def _look_at_tree(self) -> Verdict | None:
        tree: list[psutil.Process] = []
        with suppress(psutil.Error):
            root = psutil.Process(self._process.pid)
            tree = [root, *root.children(recursive=True)]
        held = held_by(tree, shared=True)
        if held > self._memory_mb:  # memory that several share was counted for each: look again, at more cost
            held = held_by(tree, shared=False)
        return out_of_bounds(held, self._memory_mb, len(tree), MOST_PROCESSES)

    def _keep(self, chunk: bytes) -> None:
        self._output = (self._output + chunk)[-KEPT_OUTPUT:]

    def _hear(self, chunk: bytes) -> None:
        for kind, body in self._messages.feed(chunk):
            with suppress(LookupError, TypeError, ValueError):
                self._understand(kind, body)

    def _understand(self, kind: str, body: Any) -> None:
        if kind == "limits":
            self._memory_mb = int(body["memory_mb"])
            soonest = time.monotonic() + float(body["seconds"]) + GRACE
            self._deadline = min(soonest, self._began + LONGEST)
        elif kind == "verdict" and self._verdict is None:
            self._verdict = Verdict.parse(body)


def held_by(processes: list[psutil.Process], *, shared: bool) -> int:
    """Megabytes resident in all of them; without `shared`, each takes only its part of what it shares."""
    held = 0
    for process in processes:
        with suppress(psutil.Error):
            if shared:
                held += process.memory_info().rss
            else:
                parts = process.memory_full_info()
                held += getattr(parts, "pss", parts.uss)
    return held // MEGABYTE
