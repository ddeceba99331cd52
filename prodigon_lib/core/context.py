"""The request that the running task serves: its id travels in logs, spans, headers and error bodies."""

from contextvars import ContextVar

from prodigon_lib.core.ids import RequestId

REQUEST_ID_HEADER = "X-Request-ID"

current_request_id: ContextVar[RequestId | None] = ContextVar("current_request_id", default=None)

in_span: ContextVar[bool] = ContextVar("in_span", default=False)
"""Whether the running task is inside of a span. To ask OpenTelemetry costs several times as much as to know
that there is none, which is so for each request of a gateway that records no spans.
"""


def request_id_or(default: str = "-") -> str:
    return current_request_id.get() or default
