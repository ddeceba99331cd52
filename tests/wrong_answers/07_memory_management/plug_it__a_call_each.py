# fails: calls that they made
from collections import OrderedDict, deque


class Answers:
    def __init__(self, model, room):
        self.model, self.room = model, room
        self.cache = OrderedDict()
        self.failures = deque(maxlen=20)

    async def ask(self, question):
        if question in self.cache:
            self.cache.move_to_end(question)
            return self.cache[question]
        try:
            answer = await self.model(question)
        except Exception as error:
            self.failures.append(str(error))
            raise
        self.cache[question] = answer
        if len(self.cache) > self.room:
            self.cache.popitem(last=False)
        return answer

    def recent_failures(self):
        return list(self.failures)
