"""What the supervisor and its users say to each other: one JSON document a line, over a Unix socket."""

import json
import socket
from pathlib import Path
from typing import Any, Self

from prodigon_lib.core.errors import StackError

LONGEST_LINE = 1024 * 1024
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 15.0


class NobodyListens(StackError):
    """No supervisor answers at the address."""


class Channel:
    """One connection to a supervisor. Closed by the system when the process ends, however it ends."""

    def __init__(self, path: str | Path) -> None:
        """Raises NobodyListens when no supervisor is there."""
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_SECONDS)
        try:
            self._socket.connect(str(path))
        except OSError:
            self._socket.close()
            raise NobodyListens("no supervisor answers") from None
        self._lines = self._socket.makefile("rb")

    def send(self, **document: Any) -> None:
        try:
            self._socket.sendall(encode(document))
        except OSError:
            raise NobodyListens("the supervisor went away") from None

    def receive(self, timeout: float = ANSWER_SECONDS) -> dict[str, Any]:
        """The next document.

        Raises:
            NobodyListens: the supervisor went away.
            StackError: it said nothing in `timeout` seconds, or that something is wrong.
        """
        self._socket.settimeout(timeout)
        try:
            line = self._lines.readline(LONGEST_LINE)
        except TimeoutError:
            raise StackError(
                f"the supervisor said nothing for {timeout:g} s; see `prodigon status`"
            ) from None
        except OSError:
            line = b""
        if not line.endswith(b"\n"):
            raise NobodyListens("the supervisor went away")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise StackError(answer["error"])
        return answer

    def ask(self, *, timeout: float = ANSWER_SECONDS, **document: Any) -> dict[str, Any]:
        self.send(**document)
        return self.receive(timeout)

    def wait_closed(self, timeout: float | None = None) -> bool:
        """Whether the supervisor closed the connection, as it does when it ends, within `timeout` seconds."""
        self._socket.settimeout(timeout)
        try:
            while self._socket.recv(4096):
                pass
        except TimeoutError:
            return False
        except OSError:
            pass
        return True

    def close(self) -> None:
        """Close our copy of the connection only: another process may hold the same one."""
        self._lines.close()
        self._socket.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def encode(document: dict[str, Any]) -> bytes:
    return json.dumps(document).encode() + b"\n"
