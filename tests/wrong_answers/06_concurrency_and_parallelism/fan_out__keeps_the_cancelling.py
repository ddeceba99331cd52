# fails: calls that began after the cancelling
import asyncio


async def fan_out(call, items, *, limit, errors="raise"):
    waiting = list(enumerate(items))
    results, numbered = [None] * len(waiting), iter(waiting)

    async def work():
        for place, item in numbered:
            try:
                results[place] = await call(item)
            except BaseException as error:
                if errors == "raise":
                    raise
                results[place] = error

    tasks = [asyncio.create_task(work()) for _ in range(limit)]
    try:
        await asyncio.gather(*tasks)
    except Exception:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        raise
    return results
