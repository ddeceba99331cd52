# fails: who
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
        except ValueError as error:
            if len(batch) == 1:
                batch[0][1].set_exception(error)
                return
            for each in batch:
                await self.send([each])
            return
        for (_, future), answer in zip(batch, answers, strict=True):
            future.set_result(answer)
