"""Connections to Redis that come back: a pool for calls, and one more that only listens.

Nothing here needs Redis to be there at the start. It logs an outage once, and its end once.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from redis.asyncio.client import PubSub

from prodigon_lib.core.deadline import remaining
from prodigon_lib.core.errors import UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.core.logging import get_logger
from prodigon_lib.persistence.redis import heeded, open_redis, redis_faults
from prodigon_lib.worker.queues.outage import Outage

logger = get_logger("queue", service="worker")

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 15.0
LISTEN_CHECK_SECONDS = 10.0
"""How often the silent listener is asked whether it still has a server."""
RECONNECT_SECONDS = (0.1, 2.0)


class RedisConnections:
    """The pool and the listener of one queue.

    Args:
        size: connections in the pool at most; the listener is one more.
        channels: what to call with the payload of each message.
        missed: called when the listener has (re)connected, since nobody tells what came before.

    Raises:
        ValueError: `url` is no address of a Redis.
    """

    def __init__(
        self,
        url: str,
        *,
        size: int,
        channels: Mapping[str, Callable[[str], None]],
        missed: Callable[[], None],
    ) -> None:
        self.client = open_redis(
            url, pool_size=size, connect_seconds=CONNECT_SECONDS, answer_seconds=ANSWER_SECONDS
        )
        self._url = url
        self._channels = channels
        self._missed = missed
        self._listener: asyncio.Task[None] | None = None
        self._outage = Outage("Redis", redis=shown(url))

    async def open(self) -> None:
        """Makes no connection yet; a second call changes nothing."""
        if self._listener is None:
            self._listener = asyncio.create_task(self._listen())

    async def close(self) -> None:
        if self._listener is not None:
            while not self._listener.done():  # again, as `heeded` has it
                self._listener.cancel()
                await asyncio.wait([self._listener], timeout=0.1)
            self._listener = None
        await self.client.aclose()

    @property
    def usage(self) -> tuple[int, int]:
        """Connections that were made, and how many of them are lent out."""
        pool: Any = self.client.connection_pool
        in_use = len(pool._in_use_connections)  # the pool counts them for itself only
        return len(pool._available_connections) + in_use, in_use

    @asynccontextmanager
    async def calling(self) -> AsyncIterator[Any]:
        """The client, for a call; the types of its answers are right for no script.

        Raises:
            UpstreamUnavailable, UpstreamTimeout: Redis is away, or too slow.
        """
        began = self._outage.began()
        try:
            with redis_faults():
                async with asyncio.timeout(remaining()):
                    with heeded():
                        yield self.client
        except (UpstreamUnavailable, UpstreamTimeout) as problem:
            self._outage.found(problem)
            raise
        self._outage.over(began)

    async def _listen(self) -> None:
        delay, longest = RECONNECT_SECONDS
        while True:
            client = open_redis(self._url, pool_size=1, connect_seconds=CONNECT_SECONDS)
            try:
                with redis_faults():
                    async with client.pubsub() as heard:
                        await heard.subscribe(*self._channels)
                        delay = RECONNECT_SECONDS[0]
                        await self._hear(heard)
            except (UpstreamUnavailable, UpstreamTimeout):
                pass  # whoever calls Redis logs it
            except Exception:
                logger.exception("the queue's listener failed")
            finally:
                await client.aclose()
            await asyncio.sleep(delay)
            delay = min(2 * delay, longest)

    async def _hear(self, heard: PubSub) -> None:
        """Raises when the connection is lost. One that has died in silence says so when it is asked."""
        asked = False
        while True:
            message = await heard.get_message(timeout=CONNECT_SECONDS if asked else LISTEN_CHECK_SECONDS)
            if message is None:
                if asked:
                    raise TimeoutError("no answer")
                await heard.ping()
                asked = True
                continue
            asked = False
            if message["type"] == "subscribe":
                self._missed()
            elif message["type"] == "message":
                self._channels[message["channel"].decode()](message["data"].decode())


def shown(url: str) -> str:
    """Without the login."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
