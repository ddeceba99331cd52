"""A breaker with named states, and a share that refuses where the other one waits."""

import asyncio
from enum import Enum

CONNECTIONS = 16
PATIENCE = 0.25
FAILURES = 5
REST = 2.0


class Unavailable(Exception):
    pass


class State(Enum):
    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half-open"


class Breaker:
    def __init__(self, clock):
        self.clock, self.state, self.row, self.opened, self.used = clock, State.CLOSED, 0, 0.0, 0

    def enter(self):
        if self.state is State.OPEN and self.clock() - self.opened >= REST:
            self.state = State.HALF_OPEN
            return True
        return self.state is State.CLOSED and self.used < CONNECTIONS // 3

    def leave(self, ended):
        if ended == "answered":
            self.state, self.row = State.CLOSED, 0
            return
        self.row += ended == "failed"
        if self.state is State.HALF_OPEN or self.row >= FAILURES:
            self.state = State.OPEN
            if ended == "failed":
                self.opened = self.clock()


class Services:
    def __init__(self, sends, clock):
        self.sends = sends
        self.connections = asyncio.Semaphore(CONNECTIONS)
        self.breakers = {name: Breaker(clock) for name in sends}

    async def call(self, name, request):
        breaker = self.breakers[name]
        if not breaker.enter():
            raise Unavailable(name)
        ended = "left"
        breaker.used += 1
        try:
            answer = await asyncio.wait_for(self._send(name, request), PATIENCE)
            ended = "answered"
            return answer
        except (TimeoutError, OSError):
            ended = "failed"
            raise Unavailable(name) from None
        finally:
            breaker.used -= 1
            breaker.leave(ended)

    async def _send(self, name, request):
        async with self.connections:
            return await self.sends[name](request)
