"""The last outcomes are kept, and a retry may be made while few of them were retried."""

from collections import deque
from uuid import uuid4

ATTEMPTS = 3


class Lost(Exception):
    pass


class Refused(Exception):
    pass


class JobClient:
    def __init__(self, send):
        self.send = send
        self.recent = deque([False] * 100, maxlen=100)

    async def submit(self, prompts):
        key = str(uuid4())
        return await self._attempt(prompts, key, ATTEMPTS, again=False)

    async def _attempt(self, prompts, key, left, again):
        self.recent.append(again)
        try:
            return await self.send(prompts, key)
        except Lost:
            if left == 1 or sum(self.recent) >= 12:
                raise
        return await self._attempt(prompts, key, left - 1, again=True)
