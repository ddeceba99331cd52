# fails: what was raised
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

    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(one(item)) for item in items]
    return [task.result() for task in tasks]
