# fails: calls under way when it was raised
import asyncio


async def fan_out(call, items, *, limit, errors="raise"):
    places = asyncio.Semaphore(limit)

    async def one(item):
        async with places:
            return await call(item)

    return await asyncio.gather(*map(one, items), return_exceptions=errors == "keep")
