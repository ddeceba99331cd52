"""As many workers as calls allowed, which share one iterator."""

import asyncio


async def ask_all(model, prompts, most):
    results = [""] * len(prompts)
    waiting = iter(enumerate(prompts))

    async def work():
        for place, prompt in waiting:
            results[place] = await model(prompt)

    async with asyncio.TaskGroup() as group:
        for _ in range(most):
            group.create_task(work())
    return results
