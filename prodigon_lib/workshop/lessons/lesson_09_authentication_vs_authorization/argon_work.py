"""Counts what Argon2 is asked to do, so that equal cost is seen without a clock."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from argon2 import low_level as low_level_module

low_level: Any = low_level_module

PARAMETERS = re.compile(rb"\$argon2\w+\$v=\d+\$m=(\d+),t=(\d+),p=\d+\$")


@dataclass
class ArgonWork:
    """What was asked for since the block began.

    Args:
        each: KiB times passes of each call, in order: Argon2's time goes up with it.
        hashed: the secrets that a new hash was made of.
    """

    each: list[int] = field(default_factory=list)
    hashed: list[bytes] = field(default_factory=list)

    def take(self) -> list[int]:
        """The calls since the last look."""
        taken, self.each = self.each, []
        return taken


class CountedLibrary:
    """The C library as `argon2` calls it, whichever of its Python functions was used."""

    def __init__(self, library: Any, work: ArgonWork) -> None:
        self._library, self._work = library, work

    def __getattr__(self, name: str) -> Any:
        return getattr(self._library, name)

    def argon2_hash(self, passes: int, memory: int, *others: Any) -> Any:
        self._work.each.append(passes * memory)
        secret, length = others[1], others[2]
        self._work.hashed.append(bytes(low_level.ffi.buffer(secret, length)))
        return self._library.argon2_hash(passes, memory, *others)

    def argon2_verify(self, encoded: Any, *others: Any) -> Any:
        found = PARAMETERS.match(low_level.ffi.string(encoded))
        self._work.each.append(int(found[1]) * int(found[2]) if found else 0)
        return self._library.argon2_verify(encoded, *others)


@contextmanager
def argon_work() -> Iterator[ArgonWork]:
    """Counts in this process, for the time of the block."""
    work, library = ArgonWork(), low_level.lib
    low_level.lib = CountedLibrary(library, work)
    try:
        yield work
    finally:
        low_level.lib = library
