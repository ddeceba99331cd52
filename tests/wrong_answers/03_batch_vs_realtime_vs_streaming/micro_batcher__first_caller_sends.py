# fails: who
import asyncio


class MicroBatcher:
    def __init__(self, model, *, most, window):
        self.model, self.most, self.window = model, most, window
        self.batch, self.full = [], asyncio.Event()

    async def submit(self, prompt):
        mine = asyncio.get_running_loop().create_future()
        self.batch.append((prompt, mine))
        batch, full = self.batch, self.full
        if len(batch) == self.most:
            self.batch, self.full = [], asyncio.Event()
            full.set()
        if len(batch) == 1:  # the first of a batch waits for the others, and sends
            try:
                await asyncio.wait_for(full.wait(), self.window)
            except TimeoutError:
                self.batch, self.full = [], asyncio.Event()
            await self.send(batch)
        return await mine

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
            if not future.done():
                future.set_result(answer)
