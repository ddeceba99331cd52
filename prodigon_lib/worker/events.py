"""A job's progress as server-sent events."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from prodigon_lib.core import sse
from prodigon_lib.core.errors import UpstreamUnavailable
from prodigon_lib.core.schemas.jobs import JobView

KEEP_ALIVE = b": the job goes on\n\n"
KEEP_ALIVE_SECONDS = 15.0


async def job_events(
    views: AsyncGenerator[JobView], draining: asyncio.Event, keep_alive: float = KEEP_ALIVE_SECONDS
) -> AsyncGenerator[bytes]:
    """`event: job` for each view, then `data: [DONE]`; a comment after each `keep_alive` seconds of silence.

    Raises:
        UpstreamUnavailable: this worker drains; another one can go on with the stream.
    """
    drained = asyncio.ensure_future(draining.wait())
    try:
        async with aclosing(views):
            coming = asyncio.ensure_future(anext(views, None))
            try:
                while True:
                    done, _ = await asyncio.wait(
                        {coming, drained}, timeout=keep_alive, return_when=asyncio.FIRST_COMPLETED
                    )
                    if coming in done:
                        if (view := coming.result()) is None:
                            break
                        yield sse.event_bytes("job", view.model_dump(mode="json"))
                        coming = asyncio.ensure_future(anext(views, None))
                    elif drained in done:
                        raise UpstreamUnavailable("this worker is stopping: ask again", retry_after=1)
                    else:
                        yield KEEP_ALIVE
            finally:
                coming.cancel()
                await asyncio.wait([coming])
    finally:
        drained.cancel()
    yield sse.DONE
