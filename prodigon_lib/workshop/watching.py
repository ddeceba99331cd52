"""Says which files changed, each time that any did."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

EVERY_SECONDS = 0.25
Stamp = tuple[int, int, int] | None


def changes(
    paths: Sequence[Path], *, stop: threading.Event, every: float = EVERY_SECONDS
) -> Iterator[set[Path]]:
    """The paths that changed since they were last looked at, until `stop` is set.

    A file counts once it has been the same for one look, so that a save in several writes, or by renaming
    another file into place, is one change. Files are asked rather than events: it works on every platform,
    on network drives and in containers.
    """
    known = {path: stamp(path) for path in paths}
    unsettled: dict[Path, Stamp] = {}
    while not stop.wait(every):
        settled = set()
        for path in paths:
            seen = stamp(path)
            if seen == known[path]:
                unsettled.pop(path, None)
            elif path in unsettled and unsettled[path] == seen and seen is not None:
                settled.add(path)
                known[path] = seen
            else:
                unsettled[path] = seen
        if settled:
            yield settled


def stamp(path: Path) -> Stamp:
    """What changes with every save; `None` while there is no file."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
