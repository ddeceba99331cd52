"""Exercise 1.1: ask many prompts, only so many at once.

Done when all results come back in the order of their prompts, and never more than `most` calls are under way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

Model = Callable[[str], Awaitable[str]]


async def ask_all(model: Model, prompts: Sequence[str], most: int) -> list[str]:
    """The model's answer to each prompt, in their order; at most `most` calls in flight."""
    # TODO Ask for all prompts, with at most `most` calls under way at once.
    return list(await asyncio.gather(*(model(prompt) for prompt in prompts)))
