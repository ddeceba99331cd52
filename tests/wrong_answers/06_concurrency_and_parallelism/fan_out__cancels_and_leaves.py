# fails: calls under way when it was raised
import asyncio


async def fan_out(call, items, *, limit, errors="raise"):
    places = asyncio.Semaphore(limit)

    async def one(item):
        async with places:
            try:
                return await call(item)
            except Exception as error:
                if errors == "raise":
                    raise
                return error

    tasks = [asyncio.create_task(one(item)) for item in items]
    try:
        return await asyncio.gather(*tasks)
    except Exception:
        for task in tasks:
            task.cancel()
        raise
