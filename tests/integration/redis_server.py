"""A real Redis of a test's own, which can be killed, paused and started again."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
import redis

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.redis import find_redis
from tests.polling import eventually_sync


class RedisServer:
    """`redis-server` on a Unix socket, with an append-only file that a restart reads again."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.socket = folder, folder / "redis.sock"
        self.url = f"unix://{self.socket}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        settings = {"port": "0", "unixsocket": str(self.socket), "dir": str(self.folder), "save": ""}
        settings |= {"appendonly": "yes", "appendfsync": "always"}
        command = [
            str(needs_redis()),
            *(word for name, value in settings.items() for word in (f"--{name}", value)),
        ]
        with (self.folder / "redis.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        eventually_sync(self.answers)

    def answers(self) -> bool:
        with suppress(redis.RedisError, OSError), redis.Redis.from_url(self.url, socket_timeout=1) as client:
            return bool(client.ping())
        return False

    def empty(self) -> None:
        with redis.Redis.from_url(self.url, socket_timeout=5) as client:
            client.flushall()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and wait for the end."""
        self.signal(signal.SIGKILL)
        self.ended()

    def ended(self) -> None:
        """Returns once it has."""
        assert self._process is not None
        self._process.wait(10)

    def stop(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.signal(signal.SIGCONT)  # one that is paused would not hear the other
            self.kill()


def needs_redis() -> Path:
    """The server's program. A laptop without one skips, with the reason; CI fails."""
    try:
        return find_redis()
    except StackError as error:
        pytest.fail(error.message) if os.environ.get("CI") else pytest.skip(error.message)


@contextmanager
def redis_of_its_own() -> Iterator[RedisServer]:
    """A running server, gone at the end of the block.

    A socket's path must be short, so its folder is not below pytest's.
    """
    needs_redis()
    folder = Path(tempfile.mkdtemp(prefix="prodigon-redis-"))
    server = RedisServer(folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
