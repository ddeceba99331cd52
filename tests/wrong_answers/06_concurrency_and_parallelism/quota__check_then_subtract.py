# fails: granted, of what the row can pay
async def spend(connection, names, amount):
    async with connection.transaction():
        for name in sorted(names):
            if await connection.fetchval("SELECT remaining FROM quotas WHERE name = $1", name) < amount:
                return False
        for name in sorted(names):
            await connection.execute(
                "UPDATE quotas SET remaining = remaining - $2 WHERE name = $1", name, amount
            )
    return True
