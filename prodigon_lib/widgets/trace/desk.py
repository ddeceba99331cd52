"""The kernel's half of the trace view."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any

from prodigon_lib.core.errors import NotFound, StackError
from prodigon_lib.stack import Stack
from prodigon_lib.widgets.bridge import Handler
from prodigon_lib.widgets.desk import Desk
from prodigon_lib.widgets.trace.waterfall import waterfall

EVERY_SECONDS = 0.5
BACK = 128 * 1024
RECENT = 30
ENTRANCES = ("gateway", "monolith")


class TraceDesk(Desk):
    """Reads spans and logs only while a page asks for them."""

    def handlers(self) -> Mapping[str, Handler]:
        return {**super().handlers(), "recent": self.recent, "trace": self.trace}

    async def recent(self) -> AsyncIterator[list[dict[str, Any]]]:
        """The newest requests that did something at the gateway, newest first, as they end."""
        tail = self._stack().log_tail(BACK)
        newest: deque[dict[str, Any]] = deque(maxlen=RECENT)
        first = True
        while True:
            found = [entry_of(each) for each in await asyncio.to_thread(tail.read) if is_work(each)]
            newest.extendleft(found)
            if found or first:
                yield list(newest)
            first = False
            await asyncio.sleep(EVERY_SECONDS)

    async def trace(self, request_id: str) -> dict[str, Any]:
        """The waterfall of a request.

        Raises:
            NotFound: no span of it is there.
        """
        stack = self._stack()
        spans = await asyncio.to_thread(stack.trace, request_id)
        if not spans:
            raise NotFound(f"there is no trace of the request {request_id!r}")
        records = await asyncio.to_thread(lambda: stack.logs(request_id=request_id))
        rows = waterfall(spans, records)
        return {
            "request_id": request_id,
            "total": max(row["start"] + row["ms"] for row in rows),
            "rows": rows,
        }

    def _stack(self) -> Stack:
        if self.target.stack is None:
            raise StackError(
                "This is a gateway's address; traces are read through a stack: TraceView(stack)."
            )
        return self.target.stack


def is_work(record: Mapping[str, Any]) -> bool:
    """A request that a panel's own look at jobs or chats is not."""
    entered = record["process"] in ENTRANCES and record["service"] == "gateway"
    return (
        entered and record["event"] == "request" and record.get("method") != "GET" and "request_id" in record
    )


def entry_of(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "request_id": record["request_id"],
        "time": record["timestamp"],
        "what": f"{record['method']} {record['path']}",
        "status": record["status"],
        "ms": record["duration_ms"],
    }
