# fails: calls under way at once
import asyncio


async def fan_out(call, items, *, limit, errors="raise"):
    tasks = [asyncio.ensure_future(call(item)) for item in items]
    try:
        return await asyncio.gather(*tasks, return_exceptions=errors == "keep")
    except BaseException:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
