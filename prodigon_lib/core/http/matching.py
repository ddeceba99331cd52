"""Which of an application's routes serves a request: asked before the router, and answered as it will.

A guard that reads paths its own way and a router that reads them another way leave a gap between them: an
encoded slash, a second one, a new line at the end. So the patterns, their order and the path are the router's
own, and what is found nowhere here must not reach it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from re import Pattern
from typing import Any

from fastapi.routing import iter_route_contexts
from starlette._utils import get_route_path
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Scope

FILES = frozenset({"GET", "HEAD"})
"""What a mounted folder of files answers to."""


@dataclass(frozen=True, slots=True)
class Place:
    """A route that a path leads to.

    Args:
        template: the path with the names of its parameters, such as `/api/v1/jobs/{job_id}`.
    """

    template: str
    methods: frozenset[str]
    pattern: Pattern[str]


class RouteTable:
    """All routes of an application, in the order in which they are tried."""

    def __init__(self, routes: Sequence[BaseRoute]) -> None:
        """Raises: TypeError: one is of a kind that is not looked into, such as a WebSocket's."""
        self.places = [place_of(context) for context in iter_route_contexts(routes)]
        plain = [place for place in self.places if "{" not in place.template]
        self._plain = {
            (method, place.template): self._search(method, place.template)
            for place in plain
            for method in place.methods
        }

    def find(self, scope: Scope) -> Place | None:
        """The route that serves it; else the first whose path it is, with the methods of all such."""
        method, path = scope["method"], get_route_path(scope)
        return self._plain.get((method, path)) or self._search(method, path)

    def _search(self, method: str, path: str) -> Place | None:
        others = []
        for place in self.places:
            if place.pattern.match(path):
                if method in place.methods:
                    return place
                others.append(place)
        if not others:
            return None
        methods = frozenset().union(*(place.methods for place in others))
        return replace(others[0], methods=methods)


def place_of(context: Any) -> Place:
    """Args: `context` is a route with what the routers around it add."""
    route = context.original_route
    methods = FILES if isinstance(route, Mount) else frozenset(context.methods or ())
    if isinstance(route, (Mount, Route)) and methods:
        return Place(context.path_format, methods, context.path_regex)
    raise TypeError(f"no rule can be kept for a route of this kind: {route!r}")
