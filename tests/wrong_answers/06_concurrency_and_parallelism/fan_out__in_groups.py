# fails: time, of what it takes at least
import asyncio


async def fan_out(call, items, *, limit, errors="raise"):
    items, results = list(items), []
    for start in range(0, len(items), limit):
        group = [call(item) for item in items[start : start + limit]]
        results += await asyncio.gather(*group, return_exceptions=errors == "keep")
    return results
