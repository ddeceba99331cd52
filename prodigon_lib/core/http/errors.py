"""Every error as the contract's envelope; on the OpenAI paths, in OpenAI's own shape."""

from http import HTTPStatus
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from prodigon_lib.core.context import request_id_or
from prodigon_lib.core.errors import (
    BadRequest,
    MethodNotAllowed,
    NotFound,
    ProdigonError,
    ValidationFailed,
    error_for,
)

OPENAI_PREFIXES = ("/v1/", "/openai/v1/")

OPENAI_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "invalid_request_error",
    405: "invalid_request_error",
    409: "conflict_error",
    413: "invalid_request_error",
    422: "invalid_request_error",
    429: "rate_limit_error",
}


def openai_envelope(error: ProdigonError) -> dict[str, Any]:
    """OpenAI's error shape: `{"error": {"message", "type", "param", "code"}}`."""
    kind = OPENAI_TYPES.get(error.status, "api_error")
    return {"error": {"message": error.message, "type": kind, "param": None, "code": error.code.lower()}}


def error_response(error: ProdigonError, request_id: str, path: str) -> JSONResponse:
    speaks_openai = path.startswith(OPENAI_PREFIXES)
    body = openai_envelope(error) if speaks_openai else error.envelope(request_id)
    return JSONResponse(body, error.status, headers=error.headers())


def install_error_handlers(app: FastAPI) -> None:
    """What the framework raises becomes one of ours. What nobody raised on purpose is the middleware's."""

    async def answer(request: Request, error: ProdigonError) -> Response:
        return error_response(error, request_id_or(), request.url.path)

    @app.exception_handler(ProdigonError)
    async def ours(request: Request, error: ProdigonError) -> Response:
        return await answer(request, error)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> Response:
        return await answer(request, from_validation(error.errors(), error.body))

    @app.exception_handler(HTTPException)
    async def framework(request: Request, error: HTTPException) -> Response:
        cause = error.__cause__  # a fault met while the framework read the body, such as one too large
        problem = cause if isinstance(cause, ProdigonError) else from_status(error.status_code)
        response = await answer(request, problem)
        for name in ("Allow",):
            if error.headers and name in error.headers:
                response.headers[name] = error.headers[name]
        return response


def from_status(status: int) -> ProdigonError:
    if status == 404:
        return NotFound("there is nothing at this path")
    if status == 405:
        return MethodNotAllowed("this path does not take that method")
    if status == 400:
        return BadRequest("the request body could not be read")
    return error_for(status, {"error": {"code": f"HTTP_{status}", "message": HTTPStatus(status).phrase}})


def from_validation(problems: Any, body: object = None) -> ProdigonError:
    """422 with each field named; 400 for JSON that does not parse and for a path id that is no UUID.

    Args:
        body: what was sent; bytes when its `Content-Type` was not JSON.
    """
    problems = list(problems)
    kinds = {str(problem["type"]) for problem in problems}
    if "json_invalid" in kinds:
        return BadRequest("the request body is not valid JSON", code="MALFORMED_JSON")
    if any(problem["loc"][:1] == ("path",) for problem in problems):
        name = next(problem["loc"][-1] for problem in problems if problem["loc"][:1] == ("path",))
        return BadRequest(f"{name} is not a valid UUID", code="INVALID_ID")
    if isinstance(body, bytes):
        return not_json(body)
    return ValidationFailed("; ".join(describe(problem) for problem in problems))


def not_json(body: bytes) -> ProdigonError:
    """Why a body that was not announced as JSON is refused.

    A web page may send any other type to another origin without asking first, so guessing would let every
    page that a user visits call this service.
    """
    try:
        orjson.loads(body)
    except orjson.JSONDecodeError:
        return BadRequest("the request body is not valid JSON", code="MALFORMED_JSON")
    return ValidationFailed("Content-Type: must be application/json")


def describe(problem: Any) -> str:
    place = [str(part) for part in problem["loc"] if part not in ("body", "query", "header")]
    message = str(problem["msg"]).removeprefix("Value error, ")
    if not place and problem["loc"]:
        place = ["body"]
    return f"{'.'.join(place)}: {message}" if place else message
