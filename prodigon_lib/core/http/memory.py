"""`GET`, `PUT` and `DELETE /memory`: asks a running service which of its lines grow. Development only."""

import tracemalloc
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from prodigon_lib.core.memory import Growth, Tracing, resident_bytes


class MemoryView(BaseModel):
    """`growth` since tracing began, the line that holds most first; empty while it is off."""

    resident_bytes: int
    tracing: bool
    traced_bytes: int
    growth: list[Growth]


def memory_routes(tracing: Tracing) -> APIRouter:
    """Plain functions, so that they run in a thread: to compare two snapshots can take a second."""
    router = APIRouter(tags=["memory"], include_in_schema=False)

    @router.get("/memory")
    def get_memory(most: Annotated[int, Query(ge=1, le=100)] = 10) -> MemoryView:
        return MemoryView(
            resident_bytes=resident_bytes(),
            tracing=tracing.on,
            traced_bytes=tracemalloc.get_traced_memory()[0],
            growth=tracing.growth(most),
        )

    @router.put("/memory")
    def trace_memory() -> MemoryView:
        """Trace from now on."""
        tracing.start()
        return get_memory()

    @router.delete("/memory", status_code=204)
    def stop_tracing() -> None:
        tracing.stop()

    return router
