import asyncio
import random

import asyncpg


async def spend(connection, names, amount):
    while True:
        try:
            async with connection.transaction(isolation="repeatable_read"):
                for name in sorted(names):
                    left = await connection.fetchval("SELECT remaining FROM quotas WHERE name = $1", name)
                    if left < amount:
                        raise LookupError
                    await connection.execute(
                        "UPDATE quotas SET remaining = $2 WHERE name = $1", name, left - amount
                    )
            return True
        except LookupError:
            return False
        except asyncpg.SerializationError:
            await asyncio.sleep(random.uniform(0, 0.005))
