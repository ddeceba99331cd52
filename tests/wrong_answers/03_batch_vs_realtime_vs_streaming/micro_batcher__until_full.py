# fails: prompts at once
import asyncio


class MicroBatcher:
    def __init__(self, model, *, most, window):
        self.model, self.most, self.waiting = model, most, []

    async def submit(self, prompt):
        mine = asyncio.get_running_loop().create_future()
        self.waiting.append((prompt, mine))
        if len(self.waiting) == self.most:
            batch, self.waiting = self.waiting, []
            self.task = asyncio.create_task(self.send(batch))
        return await mine

    async def send(self, batch):
        answers = await self.model([prompt for prompt, _ in batch])
        for (_, future), answer in zip(batch, answers, strict=True):
            if not future.done():
                future.set_result(answer)
