"""What the guard finds is what the router serves, whatever the path looks like."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import pytest
from fastapi import APIRouter, FastAPI, Response
from starlette.routing import WebSocketRoute
from starlette.types import Message, Scope

from prodigon_lib.core.http.application import Service
from prodigon_lib.core.http.matching import RouteTable
from prodigon_lib.core.settings import Settings

PATHS = """
/ // /things /things/ /Things /things/one /things/one/ /things//one //things/one /things/one%2Ftwo
/things/one%252Ftwo /things/one%0A /things%0A /things%0A%0A /things/.. /things/../things /things/%2e%2e/things
/things/./one /things;a=1 /things/one;a /files /files/ /files/a /files/a/b/c /files/a%2Fb /files/../things
/files/a%0A /things/special /things/special%0A /outer/things /outer/things/one /outer/things%0A /%74hings
/things%00 /things/%20 /docs /docs/assets /docs/assets/ /docs/assets/x /docs/assets/../../things /docs%0A
/health /health/ /health%0A /metrics /openapi.json /nowhere
""".split()
METHODS = ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PROPFIND", "get")


@asynccontextmanager
async def nothing(_: FastAPI) -> AsyncIterator[None]:
    yield


def says(template: str) -> Callable[[], Awaitable[Response]]:
    async def endpoint() -> Response:
        return Response(headers={"x-template": template})

    return endpoint


def make_app() -> FastAPI:
    """Routes that hide each other, in routers within routers, one of them included twice."""
    service = Service("demo", Settings(_env_file=None))
    app = service.application(title="demo", description="", lifespan=nothing)
    things, outer = APIRouter(), APIRouter(prefix="/outer")
    for method, template in (
        ("GET", "/things"),
        ("POST", "/things/special"),
        ("GET", "/things/{thing}"),
        ("PUT", "/things/{thing}"),
        ("GET", "/things/special"),
        ("DELETE", "/files/{path:path}"),
        ("GET", "/files/{path:path}"),
    ):
        things.add_api_route(template, says(template.replace(":path", "")), methods=[method])
    outer.include_router(things)
    app.include_router(things)
    app.include_router(outer)
    return app


APP = make_app()


def scope_of(method: str, path: str, root: str) -> Scope:
    return {
        "type": "http", "method": method, "path": unquote(path), "root_path": root, "query_string": b"",
        "headers": [(b"host", b"localhost")], "client": ("127.0.0.1", 1), "server": ("gateway", 80),
        "scheme": "http", "http_version": "1.1", "app": APP, "raw_path": path.encode(),
    }  # fmt: skip


async def answer_of(scope: Scope) -> tuple[int, str | None]:
    messages: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b""}

    async def send(message: Message) -> None:
        messages.append(message)

    await APP(scope, receive, send)
    headers: dict[bytes, bytes] = dict(messages[0]["headers"])
    template = headers.get(b"x-template")
    return messages[0]["status"], template and template.decode()


@pytest.mark.parametrize("root", ["", "/outer", "/things"])
@pytest.mark.parametrize("method", METHODS)
async def test_the_guard_finds_what_the_router_serves(method: str, root: str) -> None:
    table = RouteTable(APP.routes)
    for path in PATHS:
        place = table.find(scope_of(method, path, root))
        status, template = await answer_of(scope_of(method, path, root))
        if template is not None:
            assert place is not None, path
            assert method in place.methods, path
            assert place.template.removeprefix("/outer") == template, path
        elif place is None:
            assert status == 404, path
        elif method not in place.methods:
            assert status == 405, path
        else:  # a route of every service's own
            assert place.template.startswith(("/docs", "/health", "/metrics", "/openapi.json")), path


def test_a_router_that_is_included_under_a_prefix_is_another_place() -> None:
    table = RouteTable(APP.routes)
    for template in ("/things/{thing}", "/outer/things/{thing}", "/docs/assets/{path}"):
        assert template in {place.template for place in table.places}


def test_a_kind_of_route_that_no_rule_covers_is_no_silent_gap() -> None:
    async def endpoint(_: Any) -> None: ...

    with pytest.raises(TypeError, match="no rule can be kept"):
        RouteTable([WebSocketRoute("/chat", endpoint)])
