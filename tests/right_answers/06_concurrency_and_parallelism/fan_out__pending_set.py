import asyncio


async def fan_out(call, items, *, limit, errors="raise"):
    waiting = list(enumerate(items))
    results, pending = [None] * len(waiting), {}
    waiting.reverse()
    try:
        while waiting or pending:
            while waiting and len(pending) < limit:
                place, item = waiting.pop()
                pending[asyncio.ensure_future(call(item))] = place
            done, _ = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                error, place = task.exception(), pending.pop(task)
                if error is not None and errors == "raise":
                    raise error
                results[place] = task.result() if error is None else error
    finally:
        for task in pending:
            task.cancel()
        if pending:
            await asyncio.wait(pending)
    return results
