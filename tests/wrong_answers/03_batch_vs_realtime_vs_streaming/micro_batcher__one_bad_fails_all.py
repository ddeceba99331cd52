# fails: the 23 others' answers
import asyncio


class MicroBatcher:
    def __init__(self, model, *, most, window):
        self.model, self.most, self.window = model, most, window
        self.waiting, self.timer, self.tasks = [], None, set()

    async def submit(self, prompt):
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self.waiting.append((prompt, mine))
        if len(self.waiting) == self.most:
            self.flush()
        elif self.timer is None:
            self.timer = loop.call_later(self.window, self.flush)
        return await mine

    def flush(self):
        if self.timer is not None:
            self.timer.cancel()
        batch, self.waiting, self.timer = self.waiting, [], None
        self.tasks.add(asyncio.create_task(self.send(batch)))

    async def send(self, batch):
        try:
            answers = await self.model([prompt for prompt, _ in batch])
        except Exception as error:
            answers = [error] * len(batch)
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
