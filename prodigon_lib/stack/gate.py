"""Starts somebody else's server, which can't wait by itself until the guard knows of it."""

import contextlib
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

GATE = ("/bin/sh", "-c", 'read go && exec "$@" </dev/null')
"""Begins once a line comes in, and not at all when the one who was to write it has died."""

Told = Callable[[int], None]
"""Hears the pid of a process before that process does anything."""


def start_gated(
    command: Sequence[str | Path], out: IO[bytes] | int, told: Told | None = None, **options: Any
) -> subprocess.Popen[bytes]:
    """Start a program in a session of its own, all it says in `out`; `options` as `Popen` takes them."""
    process = subprocess.Popen(
        [*GATE, Path(command[0]).name, *command],
        stdin=subprocess.PIPE,
        stdout=out,
        stderr=subprocess.STDOUT,
        bufsize=0,
        cwd="/",
        start_new_session=True,
        **options,
    )
    assert process.stdin is not None
    try:
        with contextlib.suppress(BrokenPipeError), process.stdin as gate:
            if told is not None:
                told(process.pid)
            gate.write(b"go\n")
    except BaseException:
        process.wait()  # its gate never opened
        raise
    process.stdin = None
    return process
