# fails: results, in the order of their prompts
import asyncio


async def ask_all(model, prompts, most):
    free = asyncio.Semaphore(most)

    async def ask(prompt):
        async with free:
            return await model(prompt)

    return [await done for done in asyncio.as_completed([ask(prompt) for prompt in prompts])]
