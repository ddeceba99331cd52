"""`/docs` that needs no network, and what the OpenAPI document says of every answer.

FastAPI's own page loads Swagger UI from a content-delivery network; here its files come from a package.
"""

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any, cast

from fastapi import FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from prodigon_lib.core import sse
from prodigon_lib.core.context import REQUEST_ID_HEADER
from prodigon_lib.core.http.security_headers import DOCS_PATH, page_policy

ASSETS_PACKAGE = "fastapi_standalone_docs"
ASSETS_PATH = f"{DOCS_PATH}/assets"

ANSWER_HEADERS: dict[str, dict[str, Any]] = {
    REQUEST_ID_HEADER: {
        "description": "The caller's own, or a new one; every log line and span of the request has it",
        "required": True,
        "schema": {"type": "string"},
    },
    "X-Process-Time": {
        "description": "Milliseconds until the answer began",
        "required": True,
        "schema": {"type": "string", "pattern": r"^[0-9]+\.[0-9]+$"},
    },
}


CREDENTIALS = "An access token, or an API key"
REFUSALS = {"401": "No credential, or none that is good", "403": "Whose it is may not do that"}


def event_stream(*names: str) -> dict[str, Any]:
    """The `content` of an answer that is server-sent events with these names (`message` is one without)."""
    properties = {"event": {"type": "string", "enum": list(names)}, "data": {"type": "string"}}
    event = {"type": "object", "properties": properties, "required": ["data"]}
    return {sse.CONTENT_TYPE: {"itemSchema": event}}


class Application(FastAPI):
    """FastAPI whose OpenAPI document names the headers that the middleware sets on every answer.

    Its outermost layer is the service's own: what FastAPI puts before it answers to what nobody caught, which
    ours has done already, and costs every request, and every token of a stream, a call each.
    """

    accounts_on: bool
    """Of a gateway, which must say it: an application that does not can't be asked. Each request asks, so it
    is no part of `state`, which searches in vain before it finds."""

    def build_middleware_stack(self) -> ASGIApp:
        app: Any = super().build_middleware_stack()
        while not isinstance(app, self.user_middleware[0].cls):  # type: ignore[arg-type]  # the factory is a class
            app = app.app
        return cast("ASGIApp", app)

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        if (needed := getattr(self.state, "needs_credential", None)) is not None:
            describe_credentials(document, needed)
        for operations in document["paths"].values():
            for operation in operations.values():
                for answer in operation["responses"].values():
                    headers = answer.setdefault("headers", {})
                    for name, header in ANSWER_HEADERS.items():
                        headers.setdefault(name, header)
        return document


def describe_credentials(document: dict[str, Any], needed: Callable[[str, str], bool]) -> None:
    """Say of each operation that is not for everybody how to show a credential, and what comes without.

    Args:
        needed: by method and path template.
    """
    schemes = document.setdefault("components", {}).setdefault("securitySchemes", {})
    schemes["bearer"] = {"type": "http", "scheme": "bearer", "description": CREDENTIALS}
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            if needed(method.upper(), path):
                operation["security"] = [{"bearer": []}]
                answers = operation["responses"]
                for status, text in REFUSALS.items():
                    answers.setdefault(status, {**answers.get("404", {}), "description": text})


def install_documentation(app: FastAPI) -> None:
    """Serve `/docs` and its files."""
    app.mount(ASSETS_PATH, StaticFiles(directory=assets_folder()), name="docs-assets")

    @app.get(DOCS_PATH, include_in_schema=False)
    async def docs(request: Request) -> HTMLResponse:
        root = request.scope.get("root_path", "").rstrip("/")
        assets = root + ASSETS_PATH
        page = get_swagger_ui_html(
            openapi_url=f"{root}{app.openapi_url}",
            title=app.title,
            swagger_js_url=f"{assets}/swagger/swagger-ui-bundle.js",
            swagger_css_url=f"{assets}/swagger/swagger-ui.css",
            swagger_favicon_url=f"{assets}/fastapi/favicon.png",
        )
        page.headers["Content-Security-Policy"] = page_policy(bytes(page.body))
        return page


def assets_folder() -> Path:
    """Where the package keeps Swagger UI. Found, not imported: its code would replace FastAPI's functions."""
    spec = find_spec(ASSETS_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "static"
