LOCK = "SELECT remaining FROM quotas WHERE name = ANY($1) ORDER BY name FOR UPDATE"
WRITE = "UPDATE quotas SET remaining = remaining - $2 WHERE name = ANY($1)"


async def spend(connection, names, amount):
    async with connection.transaction():
        rows = await connection.fetch(LOCK, names)
        if len(rows) < len(set(names)) or any(row["remaining"] < amount for row in rows):
            return False
        await connection.execute(WRITE, names, amount)
    return True
