"""Reads what the processes of a stack write, as they write it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.logs import LEVELS, Record, belongs, is_of, parse


class LogTail:
    """Each `read` gives what came since the one before; a look at the files' sizes is all it costs when idle.

    Args:
        back: so many bytes of what each process wrote before are given by the first `read`.
    """

    def __init__(self, folder: StackFolder, back: int = 0) -> None:
        self._folder, self._back = folder, back
        self._places: dict[Path, int] = {}
        self._last: dict[Path, str] = {}
        if not back:
            self._places = {path: path.stat().st_size for path in self._paths()}

    def read(self) -> list[Record]:
        """New records of all processes, oldest first."""
        found = [record for path in self._paths() for record in self._read(path)]
        self._back = 0
        return sorted(found, key=lambda record: str(record["timestamp"]))

    def _paths(self) -> Sequence[Path]:
        return sorted(self._folder.logs.glob("*.log"))

    def _read(self, path: Path) -> list[Record]:
        size = path.stat().st_size
        place = self._places.get(path)
        if place is None:
            place = max(0, size - self._back) if self._back else 0
        if size < place:  # its content was moved aside
            place = 0
        if size == place:
            self._places[path] = place
            return []
        with path.open("rb") as file:
            cut = bool(place) and path not in self._places
            file.seek(place)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._places[path] = place + len(whole) + len(newline)
        lines = whole.split(b"\n")[1:] if cut else whole.split(b"\n")
        return [self._record(line, path) for line in lines if line.strip()]

    def _record(self, line: bytes, path: Path) -> Record:
        record = parse(line.decode(errors="replace").rstrip(), path.stem, self._last.get(path, ""))
        self._last[path] = str(record["timestamp"])
        return record


def selects(record: Record, *, service: str | None, level: str | None, request_id: str | None) -> bool:
    """Whether `Stack.logs` would give this record for these filters."""
    return (
        belongs(str(record["process"]), service)
        and is_of(record, service)
        and (level is None or LEVELS.index(record["level"]) >= LEVELS.index(level))
        and (request_id is None or record.get("request_id") == request_id)
    )


WHOLE = 1 << 40
"""More bytes than a log has: for `back`, where all of it is wanted."""

OWN_FIELDS = ("timestamp", "level", "service", "process", "event", "request_id", "trace_id")


def further(record: Record) -> dict[str, Any]:
    """What a record says beside what every record has."""
    return {name: value for name, value in record.items() if name not in OWN_FIELDS}
