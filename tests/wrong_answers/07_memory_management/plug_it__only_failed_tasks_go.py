# fails: alive per 1,000 questions
import asyncio
from collections import OrderedDict, deque


class Answers:
    def __init__(self, model, room):
        self.model, self.room = model, room
        self.cache = OrderedDict()
        self.under_way = {}
        self.failures = deque(maxlen=20)

    async def ask(self, question):
        if question in self.cache:
            self.cache.move_to_end(question)
            return self.cache[question]
        if question not in self.under_way:
            task = self.under_way[question] = asyncio.create_task(self.model(question))
            task.add_done_callback(lambda ended: ended.exception() and self.under_way.pop(question))
        try:
            answer = await asyncio.shield(self.under_way[question])
        except Exception as error:
            self.failures.append(str(error))
            raise
        self.cache[question] = answer
        if len(self.cache) > self.room:
            self.cache.popitem(last=False)
        return answer

    def recent_failures(self):
        return [str(failure) for failure in self.failures][-20:]
