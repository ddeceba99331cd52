# fails: calls that began after the error
import asyncio


async def fan_out(call, items, *, limit, errors="raise"):
    waiting = list(enumerate(items))
    results, numbered, failed = [None] * len(waiting), iter(waiting), []

    async def work():
        for place, item in numbered:
            try:
                results[place] = await call(item)
            except Exception as error:
                results[place] = error
                failed.append(error)

    async with asyncio.TaskGroup() as group:
        for _ in range(limit):
            group.create_task(work())
    if failed and errors == "raise":
        raise failed[0]
    return results
