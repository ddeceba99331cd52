"""The dependency graph of a FastAPI application, read from the framework's own tree, with measured times.

with measured(app) as timings:
    ...  # send requests
dependency_graph(app, timings)
"""

import functools
import inspect
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from prodigon_lib.workshop.diagram import Arrow, Box, draw
from prodigon_lib.workshop.look import BLUE, FAINT, GREEN, ORANGE, PINK
from prodigon_lib.workshop.picture import Picture

Provider = Callable[..., Any]
SCALE = ((0.1, GREEN), (1.0, BLUE), (10.0, ORANGE), (float("inf"), PINK))
"""Below so many milliseconds a call, this colour."""
LONGEST_NAME = 21


@dataclass
class Timing:
    """What a provider's own code took, up to its `yield`, without what it is given or waits for."""

    calls: int = 0
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def add(self, seconds: float) -> None:
        with self.lock:
            self.calls += 1
            self.seconds += seconds

    @property
    def milliseconds(self) -> float:
        """Of one call, on average."""
        return 1000 * self.seconds / self.calls if self.calls else 0.0


@contextmanager
def measured(app: FastAPI) -> Iterator[dict[Provider, Timing]]:
    """Times every provider of the application while the block runs, by overriding each with itself.

    Overrides that are there already are measured in place of what they replace, and are there afterwards.
    """
    before = dict(app.dependency_overrides)
    timings: dict[Provider, Timing] = {}
    for _, dependant in routes(app):
        for provider in providers(dependant):
            if provider not in timings:
                timings[provider] = Timing()
                app.dependency_overrides[provider] = timed(before.get(provider, provider), timings[provider])
    try:
        yield timings
    finally:
        app.dependency_overrides.clear()
        app.dependency_overrides.update(before)


def timed(provider: Provider, timing: Timing) -> Provider:
    """A provider with the same signature and of the same kind, which writes down how long it took."""

    async def yields(**given: Any) -> AsyncIterator[Any]:
        began = time.perf_counter()
        async with asynccontextmanager(provider)(**given) as value:
            timing.add(time.perf_counter() - began)
            yield value

    def yields_in_a_thread(**given: Any) -> Iterator[Any]:
        began = time.perf_counter()
        with contextmanager(provider)(**given) as value:
            timing.add(time.perf_counter() - began)
            yield value

    async def awaited(**given: Any) -> Any:
        began = time.perf_counter()
        value = await provider(**given)
        timing.add(time.perf_counter() - began)
        return value

    def in_a_thread(**given: Any) -> Any:
        began = time.perf_counter()
        value = provider(**given)
        timing.add(time.perf_counter() - began)
        return value

    by_kind: dict[str, Provider] = {
        "async, yields": yields,
        "thread, yields": yields_in_a_thread,
        "async": awaited,
        "thread": in_a_thread,
    }
    return functools.wraps(provider)(by_kind[kind_of(provider)])


def kind_of(provider: Provider) -> str:
    """Where it runs, and whether it cleans up: on the loop when it is async, else in the thread pool."""
    while isinstance(provider, functools.partial):
        provider = provider.func
    code = inspect.unwrap(provider)
    if not inspect.isroutine(code) and not inspect.isclass(code):
        code = type(code).__call__
    if inspect.isasyncgenfunction(code):
        return "async, yields"
    if inspect.isgeneratorfunction(code):
        return "thread, yields"
    return "async" if inspect.iscoroutinefunction(code) else "thread"


def routes(app: FastAPI) -> list[tuple[str, Dependant]]:
    """Method and path of each route that FastAPI solves dependencies for, with the root of its tree."""
    found = []
    for context in iter_route_contexts(app.routes):
        dependant = getattr(context, "dependant", None)
        if dependant is not None:
            found.append((f"{min(context.methods or {'GET'})} {context.path}", dependant))
    return found


def providers(dependant: Dependant) -> Iterator[Provider]:
    """Everything below, each as often as it is asked for."""
    for below in dependant.dependencies:
        if below.call is not None:
            yield below.call
        yield from providers(below)


def dependency_graph(
    app: FastAPI, timings: Mapping[Provider, Timing] | None = None, title: str = "Who is given what"
) -> Picture:
    """Routes on the left; what each asks for stands right of it. Routes that ask for the same share a box.

    Args:
        timings: from `measured`; they colour the providers, green below 0.1 ms a call, blue below 1, orange
            below 10, pink above, grey when never called.
    """
    groups: dict[frozenset[Provider], list[str]] = {}
    columns: dict[Provider, int] = {}
    arrows: set[tuple[Provider, Provider]] = set()
    for name, dependant in routes(app):
        if asked := frozenset(below.call for below in dependant.dependencies if below.call is not None):
            groups.setdefault(asked, []).append(name)
            walk(dependant, 1, columns, arrows)
    keys = {provider: f"provider {number}" for number, provider in enumerate(columns)}
    boxes = [route_box(row, names) for row, names in enumerate(groups.values())]
    rows: dict[int, int] = {}
    for provider, column in columns.items():
        row = rows[column] = rows.get(column, -1) + 1
        boxes.append(provider_box(provider, keys[provider], column, row, (timings or {}).get(provider)))
    lines = [Arrow(f"route {row}", keys[each]) for row, asked in enumerate(groups) for each in asked]
    lines += [Arrow(keys[above], keys[below]) for above, below in arrows]
    lines.sort(key=lambda arrow: (arrow.source, arrow.target))
    listed = "; ".join(f"{name_of(p)}: {', '.join(told(p, (timings or {}).get(p)))}" for p in columns)
    return draw(boxes, lines, f"{title}. {listed}")


def walk(
    dependant: Dependant, column: int, columns: dict[Provider, int], arrows: set[tuple[Provider, Provider]]
) -> None:
    """Each provider as far right as its longest way from a route."""
    for below in dependant.dependencies:
        if below.call is None:
            continue
        columns[below.call] = max(column, columns.get(below.call, 0))
        if column > 1 and dependant.call is not None:
            arrows.add((dependant.call, below.call))
        walk(below, column + 1, columns, arrows)


def route_box(row: int, names: Sequence[str]) -> Box:
    method, _, path = names[0].partition(" ")
    more = f"and {len(names) - 1} more like it" if len(names) > 1 else ""
    return Box(f"route {row}", f"{method} …/{path.rpartition('/')[2]}", [shortened(path, 25), more], 0, row)


def provider_box(provider: Provider, key: str, column: int, row: int, timing: Timing | None) -> Box:
    colour = FAINT
    if timing is not None and timing.calls:
        colour = next(each for most, each in SCALE if timing.milliseconds < most)
    return Box(key, shortened(name_of(provider)), told(provider, timing), column, row, colour)


def told(provider: Provider, timing: Timing | None) -> list[str]:
    kind = kind_of(provider)
    if timing is None:
        return [kind]
    return [f"{kind}, {timing.calls} calls", in_words(timing) if timing.calls else "never called"]


def in_words(timing: Timing) -> str:
    if timing.milliseconds < SCALE[0][0]:
        return f"{1000 * timing.milliseconds:.1f} µs each"
    return f"{timing.milliseconds:.1f} ms each"


def name_of(provider: Provider) -> str:
    return str(getattr(provider, "__name__", type(provider).__name__))


def shortened(text: str, most: int = LONGEST_NAME) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"
