"""Where asynchronous code waits: the innermost line of each task that is in an exercise."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any


def where_it_waits() -> list[str]:
    """File, line and function for each task of the running loop that waits in an exercise."""
    places = set()
    for task in asyncio.all_tasks():
        frames = [frame for frame in frames_of(task.get_coro()) if "__exercise__" in frame.f_globals]
        if frames:
            code = frames[-1].f_code
            places.add(f"{Path(code.co_filename).name}, line {frames[-1].f_lineno}, in {code.co_name}")
    return sorted(places)


def frames_of(coroutine: Any) -> Iterator[FrameType]:
    """The frames of a suspended coroutine, outermost first, through all that it awaits."""
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "ag_frame", None)
        if frame is not None:
            yield frame
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "ag_await", None)
