# fails: results, in the order of the items
import asyncio


async def fan_out(call, items, *, limit, errors="raise"):
    results, numbered = [], iter(list(items))

    async def work():
        for item in numbered:
            try:
                results.append(await call(item))
            except Exception as error:
                if errors == "raise":
                    raise
                results.append(error)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(limit):
                group.create_task(work())
    except* Exception as several:
        first = several.exceptions[0]
    else:
        return results
    raise first
