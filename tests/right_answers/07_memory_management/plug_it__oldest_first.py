"""A plain dictionary forgets the oldest first, however often that is asked for; futures in place of tasks."""

import asyncio


class Answers:
    def __init__(self, model, room):
        self.model, self.room = model, room
        self.cache, self.waiting, self.words = {}, {}, []

    async def ask(self, question):
        if question in self.cache:
            return self.cache[question]
        if question in self.waiting:
            return await asyncio.shield(self.waiting[question])
        first = self.waiting[question] = asyncio.get_running_loop().create_future()
        try:
            answer = await self.model(question)
        except BaseException as error:
            self.words = [*self.words, str(error)][-20:]
            first.set_exception(error)
            first.exception()  # seen, also when nobody else waits
            raise
        else:
            first.set_result(answer)
        finally:
            del self.waiting[question]
        if len(self.cache) >= self.room:
            del self.cache[next(iter(self.cache))]
        self.cache[question] = answer
        return answer

    def recent_failures(self):
        return list(self.words)
