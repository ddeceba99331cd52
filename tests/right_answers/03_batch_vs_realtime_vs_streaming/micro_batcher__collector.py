"""One task collects from a queue; after a refusal each prompt is asked for alone."""

import asyncio


class MicroBatcher:
    def __init__(self, model, *, most, window):
        self.model, self.most, self.window = model, most, window
        self.queue = asyncio.Queue()
        self.collector = None
        self.sending = set()

    async def submit(self, prompt):
        if self.collector is None:
            self.collector = asyncio.create_task(self.collect())
        mine = asyncio.get_running_loop().create_future()
        self.queue.put_nowait((prompt, mine))
        return await mine

    async def collect(self):
        while True:
            batch = [await self.queue.get()]
            try:
                async with asyncio.timeout(self.window):
                    while len(batch) < self.most:
                        batch.append(await self.queue.get())
            except TimeoutError:
                pass
            task = asyncio.create_task(self.send(batch))
            self.sending.add(task)
            task.add_done_callback(self.sending.discard)

    async def send(self, batch):
        batch = [(prompt, future) for prompt, future in batch if not future.done()]
        try:
            outcomes = await self.model([prompt for prompt, _ in batch]) if batch else []
        except ValueError:
            outcomes = await asyncio.gather(
                *(self.model([prompt]) for prompt, _ in batch), return_exceptions=True
            )
            outcomes = [each[0] if isinstance(each, list) else each for each in outcomes]
        for (_, future), outcome in zip(batch, outcomes, strict=True):
            if future.done():
                continue
            if isinstance(outcome, Exception):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
