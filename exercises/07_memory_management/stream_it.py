"""Exercise 7.2: pass a large input on without holding it.

An upload of documents, one a line, comes in pieces that end anywhere, also in the middle of a line. Each
document goes on as an event, and the whole input is hashed on the way. Done when

- 200 MB pass within 8 MB of memory, with the same events and the same hash;
- the first event leaves when the first document is there, and no more is read than whoever listens takes;
- a line longer than `LONGEST` bytes ends it with a `ValueError`, before much more of it was read.
"""

from collections.abc import Iterable, Iterator
from typing import Protocol

LONGEST = 1_000_000


class Hash(Protocol):
    def update(self, data: bytes, /) -> None: ...


def event(document: bytes) -> bytes:
    return b"data: " + document + b"\n\n"


def pass_on(pieces: Iterable[bytes], digest: Hash) -> Iterator[bytes]:
    """An event for each line; `digest` has seen every byte of the input once the last event was taken."""
    # TODO Hold one piece, and the line that it broke off in.
    whole = b"".join(pieces)
    digest.update(whole)
    for line in whole.splitlines():
        yield event(line)
