"""Stream it."""

import hashlib
import tracemalloc
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from prodigon_lib.workshop.checks import Attempt, Check, Findings

HINTS = (
    "join holds all of it, splitlines a second time. A for loop over pieces holds one piece: what is"
    " missing is only the line that a piece breaks off in. Hash each piece as it comes.",
    "Keep a rest: what stands after the last line feed of the piece. Put it before the next piece,"
    " split at line feeds, and the last part is the new rest. When the pieces end, a rest may be a line"
    " as well.",
    "`*lines, rest = (rest + piece).split(b'\\n')` gives all whole lines and the new rest. Yield an"
    " event for each line, raise ValueError when len(rest) > LONGEST, and after the loop yield the rest"
    " if there is one.",
)

MEGABYTE = 1_000_000
INPUT_BYTES = 200 * MEGABYTE
MOST_MEMORY = 8.0
EARLY_BYTES = 1.0
"""Megabytes that may be read for the first event: the first lines are short, a piece is at most a quarter."""
PIECES = (40_000, 250_000)
LONG_LINE = 16 * MEGABYTE
REFUSED_WITHIN = 3.0

PassOn = Callable[[Iterable[bytes], Any], Iterator[bytes]]


class Source:
    """An input that is made as it is read, and what should become of it: hash, events, how much was taken."""

    def __init__(self, attempt: Attempt, size: int) -> None:
        self.chance, self.size = attempt.random, size
        self.pool = self.chance.randbytes(800_000).replace(b"\n", b".").replace(b"\r", b".")
        self.digest = hashlib.sha256()
        self.events = self.checksum = self.taken = 0
        self.closed = False

    def lines(self) -> Iterator[bytes]:
        made = number = 0
        while made < self.size:
            number += 1
            length = self.chance.randint(2_000, 40_000)
            if number % 97 == 96:
                length = self.chance.randint(300_000, 700_000)
            start = self.chance.randrange(len(self.pool) - length)
            line = b"%d " % number + self.pool[start : start + length]
            self.checksum = checked(self.checksum, line)
            self.events += 1
            made += len(line) + 1
            yield line

    def pieces(self) -> Iterator[bytes]:
        """The lines, cut anywhere; the last one has no line feed."""
        waiting, first = b"", True
        try:
            for line in self.lines():
                waiting += line if first else b"\n" + line
                first = False
                length = self.chance.randint(*PIECES)
                while len(waiting) > length:
                    yield self.counted(waiting[:length])
                    waiting = waiting[length:]
            yield self.counted(waiting)
        finally:
            self.closed = True

    def counted(self, piece: bytes) -> bytes:
        self.taken += len(piece)
        self.digest.update(piece)
        return piece


def checked(checksum: int, line: bytes) -> int:
    return zlib.crc32(b"\n\n", zlib.crc32(line, zlib.crc32(b"data: ", checksum)))


class StreamItCheck(Check):
    seconds = 28

    def run(self, attempt: Attempt, findings: Findings) -> None:
        pass_on: PassOn = attempt.get("pass_on")
        first_events(attempt, findings, pass_on)
        too_long(attempt, findings, pass_on)
        all_of_it(attempt, findings, pass_on)


def first_events(attempt: Attempt, findings: Findings, pass_on: PassOn) -> None:
    """What is read for the first event, and for three more that somebody takes."""
    source = Source(attempt, 20 * MEGABYTE)
    events = iter(pass_on(source.pieces(), hashlib.sha256()))
    first = next(events, b"")
    findings.at_most(
        "read before the first event, of 20 MB",
        source.taken / MEGABYTE,
        EARLY_BYTES,
        unit="MB",
        step="Yield an event as soon as its line is whole; do not wait for the others.",
    )
    findings.expect(
        "the first event",
        measured=first[:20].decode(errors="replace"),
        wanted="data: 1 …",
        holds=first.startswith(b"data: 1 ") and first.endswith(b"\n\n"),
        step="An event is `data: `, the line without its line feed, and an empty line.",
    )
    for _ in range(3):
        next(events, b"")
    findings.at_most(
        "read after four events, when nobody takes more",
        source.taken / MEGABYTE,
        2 * EARLY_BYTES,
        unit="MB",
        step="Read the next piece when the next event is asked for, not before.",
    )


def too_long(attempt: Attempt, findings: Findings, pass_on: PassOn) -> None:
    """A line without an end."""
    piece = attempt.random.randbytes(PIECES[1]).replace(b"\n", b".")
    taken = 0

    def pieces() -> Iterator[bytes]:
        nonlocal taken
        yield b"short\n"
        while taken < LONG_LINE:
            taken += len(piece)
            yield piece

    said = "no error"
    try:
        for _ in pass_on(pieces(), hashlib.sha256()):
            pass
    except ValueError:
        said = "ValueError"
    step = "A line that never ends must not be held: compare what you hold of it with LONGEST."
    findings.equal("a line without an end", said, "ValueError", step=step)
    findings.at_most("read of it until then", taken / MEGABYTE, REFUSED_WITHIN, unit="MB", step=step)


def all_of_it(attempt: Attempt, findings: Findings, pass_on: PassOn) -> None:
    source, digest = Source(attempt, INPUT_BYTES), hashlib.sha256()
    events = checksum = 0
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for each in pass_on(source.pieces(), digest):
        checksum = zlib.crc32(each, checksum)
        events += 1
        if events % 64 == 0 and tracemalloc.get_traced_memory()[0] - before > 4 * MOST_MEMORY * MEGABYTE:
            break
    peak = (tracemalloc.get_traced_memory()[1] - before) / MEGABYTE
    tracemalloc.stop()
    findings.at_most(
        f"memory at its peak, for {INPUT_BYTES // MEGABYTE} MB",
        peak,
        MOST_MEMORY,
        unit="MB",
        step="Find what still holds more than a piece: a list of all lines, of all events, or all bytes.",
    )
    findings.equal("events", events, source.events, step="One event for each line, the last one too.")
    findings.equal(
        "the events' own bytes",
        f"checksum {checksum:08x}",
        f"checksum {source.checksum:08x}",
        step="A line that is cut by the end of a piece is still one line: put its parts together.",
    )
    findings.equal(
        "the hash of the input",
        digest.hexdigest()[:16],
        source.digest.hexdigest()[:16],
        step="Hash the pieces as they come, line feeds included, each byte once.",
    )
