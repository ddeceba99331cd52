"""Counts, which a busy machine can't change: calls, work in flight, queries, open files, objects, memory."""

import functools
import gc
import inspect
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil


class CallCounter:
    """Stands in for a function, or a coroutine function, and counts its calls; safe between threads.

    `calls`, `failed` and `in_flight` are counts, `peak` is the most that were in flight at once, and
    `arguments` has the positional arguments of each call, in order.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self._function = function
        self._lock = threading.Lock()
        self.calls = self.failed = self.in_flight = self.peak = 0
        self.arguments: list[tuple[Any, ...]] = []

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        if inspect.iscoroutinefunction(self._function):
            return self._awaited(arguments, named)
        with self._counted(arguments):
            return self._function(*arguments, **named)

    async def _awaited(self, arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
        with self._counted(arguments):
            return await self._function(*arguments, **named)

    @contextmanager
    def _counted(self, arguments: tuple[Any, ...]) -> Iterator[None]:
        with self._lock:
            self.calls += 1
            self.in_flight += 1
            self.peak = max(self.peak, self.in_flight)
            self.arguments.append(arguments)
        try:
            yield
        except BaseException:
            with self._lock:
                self.failed += 1
            raise
        finally:
            with self._lock:
                self.in_flight -= 1


@dataclass
class Queries:
    """The statements that were sent, in order."""

    statements: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.statements)


@contextmanager
def count_queries(engine: Any) -> Iterator[Queries]:
    """The statements that a SQLAlchemy engine, sync or async, sends while the block runs."""
    from sqlalchemy import event

    target = getattr(engine, "sync_engine", engine)
    queries = Queries()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        queries.statements.append(statement)

    event.listen(target, "before_cursor_execute", note)
    try:
        yield queries
    finally:
        event.remove(target, "before_cursor_execute", note)


@dataclass
class Traced:
    """Bytes of Python objects, as `tracemalloc` counts them, since the block began.

    `peak` is the most there was at once, `kept` what is still alive at its end.
    """

    peak: int = 0
    kept: int = 0


@contextmanager
def traced_memory() -> Iterator[Traced]:
    """Counts what the block allocates. It slows the block down: never time the same run."""
    was_on = tracemalloc.is_tracing()
    if not was_on:
        tracemalloc.start()
    gc.collect()
    before, _ = tracemalloc.get_traced_memory()
    tracemalloc.reset_peak()
    traced = Traced()
    try:
        yield traced
    finally:
        traced.peak = tracemalloc.get_traced_memory()[1] - before
        gc.collect()
        traced.kept = tracemalloc.get_traced_memory()[0] - before
        if not was_on:
            tracemalloc.stop()


def live_objects(kind: type) -> int:
    """How many objects of this class are alive, after a collection."""
    gc.collect()
    return sum(isinstance(each, kind) for each in gc.get_objects())


def open_files() -> int:
    """Files, sockets and pipes that this process holds open."""
    return int(psutil.Process().num_fds())
