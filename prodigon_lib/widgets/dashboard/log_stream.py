"""Log records as a page shows them, as they are written."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any

from prodigon_lib.core.errors import BadRequest
from prodigon_lib.stack import Stack
from prodigon_lib.stack.log_tail import WHOLE, further, selects
from prodigon_lib.stack.logs import LEVELS

EVERY_SECONDS = 0.7
BACK = 256 * 1024
MOST = 300
"""Records in one message: who writes more in that time can't be read along with anyhow."""

LOOKS = ("/metrics", "/health", "/health/live", "/health/ready")
PRIVATE = ("level", "exception")


async def follow_logs(
    stack: Stack, service: str | None = None, level: str | None = None, request_id: str | None = None
) -> AsyncIterator[dict[str, Any]]:
    """The newest records, then what comes; without the requests that only look whether a service is well.

    With a request id, all that is kept is searched for it first.
    """
    if level is not None and level not in LEVELS:
        raise BadRequest(f"there is no level {level!r}")
    tail = stack.log_tail(WHOLE if request_id else BACK)
    first = True
    while True:
        found = await asyncio.to_thread(tail.read)
        chosen = [
            shown(record)
            for record in found
            if not is_look(record) and selects(record, service=service, level=level, request_id=request_id)
        ]
        if chosen or first:
            yield {"records": chosen[-MOST:], "first": first}
        first = False
        await asyncio.sleep(EVERY_SECONDS)


def is_look(record: Mapping[str, Any]) -> bool:
    return record.get("path") in LOOKS and record["level"] == "info"


def shown(record: Mapping[str, Any]) -> dict[str, Any]:
    words = [f"{name}={value}" for name, value in further(dict(record)).items() if name not in PRIVATE]
    return {
        "time": record["timestamp"],
        "level": record["level"],
        "process": record["process"],
        "event": record["event"],
        "more": " ".join(words),
        "exception": record.get("exception", ""),
        "request_id": record.get("request_id"),
    }
