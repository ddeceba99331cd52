"""Every error that a caller may see, as one tree.

    ProdigonError
    ├── BadRequest            400  MALFORMED_JSON, INVALID_ID, UNTRUSTED_HOST, BAD_REQUEST
    ├── Unauthenticated       401  UNAUTHENTICATED, TOKEN_EXPIRED, UNKNOWN_SERVICE
    ├── Forbidden             403  FORBIDDEN
    ├── NotFound              404  NOT_FOUND
    │   ├── SessionNotFound        SESSION_NOT_FOUND
    │   ├── MessageNotFound        MESSAGE_NOT_FOUND
    │   ├── JobNotFound            JOB_NOT_FOUND
    │   ├── ModelNotFound          MODEL_NOT_FOUND
    │   ├── AccountNotFound        ACCOUNT_NOT_FOUND
    │   └── KeyNotFound            KEY_NOT_FOUND
    ├── MethodNotAllowed      405  METHOD_NOT_ALLOWED
    ├── RequestTimeout        408  REQUEST_TIMEOUT
    ├── Conflict              409  CONFLICT, IDEMPOTENCY_CONFLICT, JOB_FINISHED, NOTHING_TO_RETRY
    ├── PayloadTooLarge       413  PAYLOAD_TOO_LARGE
    ├── ValidationFailed      422  VALIDATION_ERROR
    │   └── UrlRefused             URL_REFUSED (an address that a user gave, and that leads where none may)
    ├── RateLimited           429  RATE_LIMITED
    │   └── QuotaExceeded          QUOTA_EXCEEDED (no more tokens until the day ends)
    ├── HeadersTooLarge       431  HEADERS_TOO_LARGE
    ├── InternalError         500  INTERNAL_ERROR
    │   └── SecretUnreadable       SECRET_UNREADABLE (what was sealed can't be opened with the keys we have)
    ├── UpstreamError         502  UPSTREAM_ERROR
    │   └── UpstreamRejected       UPSTREAM_REJECTED (our own request or key was refused: no retry helps)
    ├── UpstreamUnavailable   503  SERVICE_UNAVAILABLE
    ├── OutOfMemory           503  OUT_OF_MEMORY (this process had no room; another, or a fresh one, may)
    ├── UpstreamTimeout       504  UPSTREAM_TIMEOUT
    ├── SettingsError              a setting stops the start; the message names it
    └── StackError                 the stack can't start or stop; the message says what to do

`status` is what HTTP answers, `code` what a program branches on, `retryable` whether the same call may
succeed later. `retry_after` is in seconds.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

from prodigon_lib.core.terminal import plain


class ProdigonError(Exception):
    """Root of the tree. `message` is for people and never holds a stack trace, SQL or a secret."""

    status: ClassVar[int] = 500
    default_code: ClassVar[str] = "INTERNAL_ERROR"
    retryable: ClassVar[bool] = False

    def __init__(self, message: str, *, code: str | None = None, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.default_code
        self.retry_after = retry_after
        self.request_id: str | None = None
        """Of the request that failed, on an error rebuilt from an answer: what to look for in the logs."""

    def __str__(self) -> str:
        """As a traceback may show it: a message can quote what an upstream said."""
        return plain(self.message)

    def envelope(self, request_id: str) -> dict[str, Any]:
        """The body of every error answer: `{"error": {"code", "message", "request_id"}}`."""
        return {"error": {"code": self.code, "message": self.message, "request_id": request_id}}

    def headers(self) -> dict[str, str]:
        """Headers that belong to the answer: `Retry-After`, whole seconds, at least 1."""
        if self.retry_after is None:
            return {}
        return {"Retry-After": str(max(1, -int(-self.retry_after // 1)))}


class BadRequest(ProdigonError):
    status = 400
    default_code = "BAD_REQUEST"


class Unauthenticated(ProdigonError):
    """Nobody knows who calls. It never says which of an account's parts was wrong."""

    status = 401
    default_code = "UNAUTHENTICATED"

    def headers(self) -> dict[str, str]:
        return {**super().headers(), "WWW-Authenticate": "Bearer"}


class Forbidden(ProdigonError):
    """It is known who calls, and that they may not. What belongs to somebody else is a 404 instead."""

    status = 403
    default_code = "FORBIDDEN"


class NotFound(ProdigonError):
    status = 404
    default_code = "NOT_FOUND"


class SessionNotFound(NotFound):
    default_code = "SESSION_NOT_FOUND"


class MessageNotFound(NotFound):
    default_code = "MESSAGE_NOT_FOUND"


class JobNotFound(NotFound):
    default_code = "JOB_NOT_FOUND"


class ModelNotFound(NotFound):
    default_code = "MODEL_NOT_FOUND"


class AccountNotFound(NotFound):
    default_code = "ACCOUNT_NOT_FOUND"


class KeyNotFound(NotFound):
    default_code = "KEY_NOT_FOUND"


class MethodNotAllowed(ProdigonError):
    status = 405
    default_code = "METHOD_NOT_ALLOWED"


class RequestTimeout(ProdigonError):
    """The request itself took too long to come."""

    status = 408
    default_code = "REQUEST_TIMEOUT"
    retryable = True


class Conflict(ProdigonError):
    status = 409
    default_code = "CONFLICT"


class PayloadTooLarge(ProdigonError):
    status = 413
    default_code = "PAYLOAD_TOO_LARGE"


class ValidationFailed(ProdigonError):
    status = 422
    default_code = "VALIDATION_ERROR"


class UrlRefused(ValidationFailed):
    default_code = "URL_REFUSED"


class RateLimited(ProdigonError):
    status = 429
    default_code = "RATE_LIMITED"
    retryable = True


class QuotaExceeded(RateLimited):
    default_code = "QUOTA_EXCEEDED"
    retryable = False


class HeadersTooLarge(ProdigonError):
    status = 431
    default_code = "HEADERS_TOO_LARGE"


class InternalError(ProdigonError):
    pass


class SecretUnreadable(InternalError):
    default_code = "SECRET_UNREADABLE"


class UpstreamError(ProdigonError):
    status = 502
    default_code = "UPSTREAM_ERROR"
    retryable = True


class UpstreamRejected(UpstreamError):
    default_code = "UPSTREAM_REJECTED"
    retryable = False


class UpstreamUnavailable(ProdigonError):
    status = 503
    default_code = "SERVICE_UNAVAILABLE"
    retryable = True


class OutOfMemory(ProdigonError):
    status = 503
    default_code = "OUT_OF_MEMORY"
    retryable = True


class UpstreamTimeout(ProdigonError):
    status = 504
    default_code = "UPSTREAM_TIMEOUT"
    retryable = True


class SettingsError(ProdigonError):
    default_code = "BAD_SETTING"


class StackError(ProdigonError):
    default_code = "STACK_ERROR"


def _kinds(root: type[ProdigonError] = ProdigonError) -> list[type[ProdigonError]]:
    return [kind for child in root.__subclasses__() for kind in (child, *_kinds(child))]


def error_for(
    status: int | None, document: object = None, *, retry_after: float | None = None
) -> ProdigonError:
    """Rebuild the error that another service answered with, from its status and its envelope.

    A status of `None` (an event inside a stream has none) goes by the code alone. A document that is no
    envelope gives the status's own class and a general message, so that nothing an upstream wrote reaches a
    caller by accident.
    """
    inner = document.get("error") if isinstance(document, Mapping) else None
    fields: Mapping[str, object] = inner if isinstance(inner, Mapping) else {}
    code, message = fields.get("code"), fields.get("message")
    kinds = _kinds()
    kind = next((k for k in kinds if k.default_code == code and status in (None, k.status)), None)
    kind = kind or next((k for k in kinds if k.status == status), UpstreamError)
    if not isinstance(message, str) or not isinstance(code, str):
        return kind(f"a service answered {status}", retry_after=retry_after)
    error = kind(message, code=code, retry_after=retry_after)
    request_id = fields.get("request_id")
    error.request_id = request_id if isinstance(request_id, str) else None
    return error
