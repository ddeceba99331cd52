"""The error tree as gRPC says it, and back.

A status has a code, a message, and details that travel as `google.rpc.Status`, which gRPC tools show: our
code, the HTTP status it would have been, the request's id, and when to try again.

    400, 413, 422 INVALID_ARGUMENT      404  NOT_FOUND        405  UNIMPLEMENTED
    408           UNAVAILABLE           431  INVALID_ARGUMENT
    401           UNAUTHENTICATED       403  PERMISSION_DENIED
    409           ABORTED               429  RESOURCE_EXHAUSTED
    500           INTERNAL              502  UNAVAILABLE
    503           UNAVAILABLE           504  DEADLINE_EXCEEDED

A 429 or 502 that no retry helps is a FAILED_PRECONDITION.
"""

from collections.abc import Iterable
from typing import Any

from google.protobuf.message import DecodeError
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc import StatusCode

from prodigon_lib.core.errors import ProdigonError, error_for

DETAILS = "grpc-status-details-bin"
DOMAIN = "prodigon"
REQUEST_ID = "request_id"
HTTP_STATUS = "http_status"

CODES = {
    400: StatusCode.INVALID_ARGUMENT,
    401: StatusCode.UNAUTHENTICATED,
    403: StatusCode.PERMISSION_DENIED,
    404: StatusCode.NOT_FOUND,
    405: StatusCode.UNIMPLEMENTED,
    408: StatusCode.UNAVAILABLE,
    409: StatusCode.ABORTED,
    413: StatusCode.INVALID_ARGUMENT,
    422: StatusCode.INVALID_ARGUMENT,
    429: StatusCode.RESOURCE_EXHAUSTED,
    431: StatusCode.INVALID_ARGUMENT,
    500: StatusCode.INTERNAL,
    502: StatusCode.UNAVAILABLE,
    503: StatusCode.UNAVAILABLE,
    504: StatusCode.DEADLINE_EXCEEDED,
}

Metadata = Iterable[tuple[str, str | bytes]]


def code_for(error: ProdigonError) -> StatusCode:
    """What a client that knows only gRPC may conclude: UNAVAILABLE invites it to try again."""
    if error.status in (429, 502) and not error.retryable:
        return StatusCode.FAILED_PRECONDITION
    return CODES.get(error.status, StatusCode.UNKNOWN)


def details_of(error: ProdigonError, request_id: str) -> tuple[tuple[str, bytes]]:
    """The trailing metadata that carries what a status code can't."""
    code = getattr(code_pb2, code_for(error).name)
    status = status_pb2.Status(code=code, message=error.message)
    about = {REQUEST_ID: request_id, HTTP_STATUS: str(error.status)}
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason=error.code, domain=DOMAIN, metadata=about))
    if error.retry_after is not None:
        wait = error_details_pb2.RetryInfo()
        wait.retry_delay.FromMilliseconds(round(error.retry_after * 1000))
        status.details.add().Pack(wait)
    return ((DETAILS, status.SerializeToString()),)


def error_in(trailing: Metadata) -> ProdigonError | None:
    """The error that a service of ours put into its answer; `None` when the status is gRPC's own."""
    status = status_in(trailing)
    info, wait = error_details_pb2.ErrorInfo(), error_details_pb2.RetryInfo()
    if status is None or not unpacked(status, info) or info.domain != DOMAIN:
        return None
    about = dict(info.metadata)
    envelope = {"code": info.reason, "message": status.message, REQUEST_ID: about.get(REQUEST_ID)}
    http_status = about.get(HTTP_STATUS, "")
    retry_after = wait.retry_delay.ToMilliseconds() / 1000 if unpacked(status, wait) else None
    return error_for(
        int(http_status) if http_status.isdecimal() else None, {"error": envelope}, retry_after=retry_after
    )


def status_in(trailing: Metadata) -> Any | None:
    for name, value in trailing:
        if name == DETAILS and isinstance(value, bytes):
            status = status_pb2.Status()
            try:
                status.ParseFromString(value)
            except DecodeError:
                return None
            return status
    return None


def unpacked(status: Any, into: Any) -> bool:
    """Whether the status has a detail of this kind; `into` is filled with it."""
    return any(detail.Unpack(into) for detail in status.details)
