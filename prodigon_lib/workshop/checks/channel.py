"""The way back from the process of a check: a pipe of its own, and a word that only the two ends know.

Each message is a line: the word, a space, JSON. What an exercise prints goes elsewhere; what it writes into
this pipe lacks the word and is passed over. A message cut by such a write is no message, and a check without
a message has failed.
"""

import json
import os
from typing import Any

LONGEST_LINE = 8 * 1024 * 1024


class Channel:
    """The writing end, in the process of the check."""

    def __init__(self, fd: int, word: str) -> None:
        self._fd, self._word, self._owner = fd, word, os.getpid()
        os.set_inheritable(fd, False)

    def send(self, kind: str, body: Any) -> None:
        """Write one message. A process that the exercise forked off has no say: it ends here.

        Raises:
            OSError: the pipe is closed.
        """
        if os.getpid() != self._owner:
            os._exit(1)
        line = f"\n{self._word} {json.dumps({'kind': kind, 'body': body})}\n".encode()
        while line:
            line = line[os.write(self._fd, line) :]


class Messages:
    """The reading end: bytes in, messages out."""

    def __init__(self, word: str) -> None:
        self._word, self._rest = word.encode() + b" ", b""

    def feed(self, chunk: bytes) -> list[tuple[str, Any]]:
        """The messages that are complete by now, as kind and body."""
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            self._rest = b""
        return [message for line in lines if (message := self._message(line)) is not None]

    def _message(self, line: bytes) -> tuple[str, Any] | None:
        if not line.startswith(self._word):
            return None
        try:
            document = json.loads(line[len(self._word) :])
            return str(document["kind"]), document["body"]
        except (ValueError, TypeError, KeyError):
            return None
