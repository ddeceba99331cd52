# fails: left of
import asyncio

lock = asyncio.Lock()


async def spend(connection, names, amount):
    async with lock, connection.transaction():
        rows = await connection.fetch("SELECT name, remaining FROM quotas WHERE name = ANY($1)", names)
        if any(row["remaining"] < amount for row in rows):
            return False
        for row in rows:
            await connection.execute(
                "UPDATE quotas SET remaining = $2 WHERE name = $1", row["name"], row["remaining"] - amount
            )
    return True
