# fails: the longest wait in a steady stream
import asyncio


class MicroBatcher:
    def __init__(self, model, *, most, window):
        self.model, self.most, self.window = model, most, window
        self.waiting, self.timer, self.tasks = [], None, set()

    async def submit(self, prompt):
        loop = asyncio.get_running_loop()
        mine = loop.create_future()
        self.waiting.append((prompt, mine))
        if self.timer is not None:
            self.timer.cancel()
        if len(self.waiting) == self.most:
            self.flush()
        else:
            self.timer = loop.call_later(self.window, self.flush)
        return await mine

    def flush(self):
        batch, self.waiting = self.waiting, []
        task = asyncio.create_task(self.send(batch))
        self.tasks.add(task)

    async def send(self, batch):
        answers = await self.model([prompt for prompt, _ in batch])
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
