# fails: 40 prompts
import asyncio


async def ask_all(model, prompts, most):
    free = asyncio.Semaphore(most)

    async def ask(prompt):
        await free.acquire()
        return await model(prompt)

    return await asyncio.gather(*(ask(prompt) for prompt in prompts))
