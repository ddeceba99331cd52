"""The request that the running task serves: its id travels in logs, spans, headers and error bodies."""

from contextvars import ContextVar

from prodigon_lib.core.ids import RequestId

REQUEST_ID_HEADER = "X-Request-ID"

current_request_id: ContextVar[RequestId | None] = ContextVar("current_request_id", default=None)


def request_id_or(default: str = "-") -> str:
    return current_request_id.get() or default
