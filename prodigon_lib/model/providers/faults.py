"""What a provider's refusal means to our callers, whichever SDK or model it came from."""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from prodigon_lib.core.errors import (
    BadRequest,
    ModelNotFound,
    PayloadTooLarge,
    ProdigonError,
    RateLimited,
    UpstreamError,
    UpstreamRejected,
    UpstreamTimeout,
    UpstreamUnavailable,
)
from prodigon_lib.model.providers.base import RATE_LIMIT_PREFIX

CONTEXT_CODE = "CONTEXT_LENGTH_EXCEEDED"


class LimitReached(RateLimited):
    """A provider's rate limit. Its `x-ratelimit-*` headers go to our caller beside `Retry-After`."""

    def __init__(
        self,
        message: str,
        *,
        code: str | None = None,
        retry_after: float | None = None,
        rate_limits: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message, code=code, retry_after=retry_after)
        self.rate_limits = dict(rate_limits or {})

    def headers(self) -> dict[str, str]:
        return {**self.rate_limits, **super().headers()}


def refusal(
    provider: str,
    model: str,
    status: int,
    *,
    body: object = None,
    headers: Mapping[str, str] | None = None,
) -> ProdigonError:
    """The error for a status of 400 or more.

    Args:
        body: the provider's own error object, if it sent one. It decides between errors that share a status;
            its text goes to no caller.
        headers: the answer's; `Retry-After` and `x-ratelimit-*` are kept.
    """
    headers = headers or {}
    wait = retry_after_seconds(headers)
    code, said = described(body)
    if status == 429:
        return LimitReached(
            f"{provider} limits the rate of requests", retry_after=wait, rate_limits=rate_limits(headers)
        )
    if code == "context_length_exceeded":
        return BadRequest(f"the conversation is longer than {model} can read", code=CONTEXT_CODE)
    if code in ("model_not_found", "model_decommissioned") or (status == 404 and "model" in said):
        return ModelNotFound(f"{provider} has no model {model!r}")
    if status == 413:
        return PayloadTooLarge(f"the request is too large for {model}")
    if status in (408, 504):
        return UpstreamTimeout(f"{provider} took too long", retry_after=wait)
    if status in (498, 503):  # 498: Groq has no capacity for the tier
        return UpstreamUnavailable(f"{provider} is away", retry_after=wait)
    if status in (401, 403):
        return UpstreamRejected(f"{provider} refused the API key")
    if status < 500:
        return UpstreamRejected(f"{provider} refused the request with status {status}")
    return UpstreamError(f"{provider} failed with status {status}", retry_after=wait)


def described(body: object) -> tuple[str, str]:
    """The code and the message, in lower case, of a provider's error object.

    The `openai` SDK gives the object itself, the `groq` SDK the whole body around it.
    """
    if isinstance(body, Mapping) and isinstance(body.get("error"), Mapping):
        body = body["error"]
    if not isinstance(body, Mapping):
        return "", ""
    return str(body.get("code") or "").lower(), str(body.get("message") or "").lower()


def rate_limits(headers: Mapping[str, str]) -> dict[str, str]:
    return {
        name.lower(): value for name, value in headers.items() if name.lower().startswith(RATE_LIMIT_PREFIX)
    }


def retry_after_seconds(headers: Mapping[str, str]) -> float | None:
    """`Retry-After` as seconds: a number, or a date of HTTP."""
    text = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if seconds < float("inf") else None
