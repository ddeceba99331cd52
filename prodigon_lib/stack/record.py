"""The supervisor's own log, in the shape of the services' logs, and the size of all of them."""

import contextlib
import json
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path

from prodigon_lib.core.redaction import redact

LARGEST = 20 * 1024 * 1024
"""Bytes of one log or trace file; the part before is kept once more, as `NAME.1`."""


def record(event: str, level: str = "info", **fields: object) -> None:
    """Write one line to standard output."""
    now = datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    line = {"timestamp": now, "level": level, "event": event, "service": "supervisor", **fields}
    with contextlib.suppress(OSError):  # a full disk must not end what looks after the stack
        print(redact(json.dumps(line, default=str)), file=sys.stdout, flush=True)


def trim_log(path: Path, largest: int = LARGEST) -> None:
    """Move a log's content aside. Its writer has it open for appending and goes on at the new beginning."""
    if path.is_file() and path.stat().st_size > largest:
        shutil.copyfile(path, before(path))
        with path.open("r+b") as file:
            file.truncate(0)


def trim_trace(path: Path, largest: int = LARGEST) -> None:
    """Move a trace file aside; its writer opens it anew for each batch."""
    if path.is_file() and path.stat().st_size > largest:
        path.replace(before(path))


def set_aside(folder: Path) -> None:
    """Begin anew: what the last run of the stack wrote is kept as `NAME.old` until the next."""
    for path in folder.iterdir():
        if path.suffix == ".1":
            path.unlink()
        elif path.suffix != ".old":
            path.replace(path.with_name(f"{path.name}.old"))


def before(path: Path) -> Path:
    """Where the earlier part of a file is kept."""
    return path.with_name(f"{path.name}.1")
