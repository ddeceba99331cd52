# fails: calls for
class MicroBatcher:
    def __init__(self, model, *, most, window):
        self.model = model

    async def submit(self, prompt):
        return (await self.model([prompt]))[0]
