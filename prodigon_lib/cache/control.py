"""What a request says of stored answers (`Cache-Control`), and what an answer says of itself.

Requests: RFC 9111; answers: RFC 9211, `Cache-Status`, and `Age`.
"""

from dataclasses import dataclass

from prodigon_lib.cache.responses import Outcome, Response

STATUS_HEADER = "Cache-Status"
AGE_HEADER = "Age"
NAME = "prodigon"

SAYS = {
    Outcome.HIT: "hit",
    Outcome.MISS: "fwd=miss",
    Outcome.JOINED: "fwd=miss; collapsed",
    Outcome.REFRESHED: "fwd=request",
    Outcome.BYPASSED: "fwd=bypass",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """`oldest` is how old an answer may be, in seconds, `None` where the request does not say."""

    oldest: float | None = None
    store: bool = True


def read_wish(header: str | None) -> Wish:
    """From `Cache-Control`. `no-cache` is `max-age=0`; what is unknown or wrong means nothing."""
    oldest: float | None = None
    store = True
    for part in (header or "").lower().split(","):
        name, _, value = part.strip().partition("=")
        if name == "no-cache":
            oldest = 0
        elif name == "no-store":
            store = False
        elif name == "max-age" and value.isascii() and value.isdigit() and len(value) < 10:
            oldest = min(int(value), oldest if oldest is not None else int(value))
    return Wish(oldest, store)


def status_headers(response: Response) -> dict[str, str]:
    status = f"{NAME}; {SAYS[response.outcome]}{'; stored' if response.stored else ''}"
    if response.outcome is not Outcome.HIT:
        return {STATUS_HEADER: status}
    return {STATUS_HEADER: status, AGE_HEADER: str(int(response.age))}
