"""One dictionary for tasks under way and for answers; when it is full, the answers go all at once."""

import asyncio
from collections import deque


class Answers:
    def __init__(self, model, room):
        self.model, self.room = model, room
        self.known = {}
        self.told = deque(maxlen=20)

    async def ask(self, question):
        found = self.known.get(question)
        if isinstance(found, str):
            return found
        if found is None:
            found = asyncio.ensure_future(self.find(question))
            self.known[question] = found
        return await asyncio.shield(found)

    async def find(self, question):
        try:
            answer = await self.model(question)
        except Exception as error:
            del self.known[question]
            self.told.append(f"{type(error).__name__}: {error}")
            raise error.with_traceback(None) from None
        if sum(isinstance(each, str) for each in self.known.values()) >= self.room:
            self.known = {q: task for q, task in self.known.items() if not isinstance(task, str)}
        self.known[question] = answer
        return answer

    def recent_failures(self):
        return list(self.told)
