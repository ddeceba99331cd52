# fails: rows that a refused spend took from
SPEND = "UPDATE quotas SET remaining = remaining - $2 WHERE name = $1 AND remaining >= $2"


async def spend(connection, names, amount):
    async with connection.transaction():
        for name in sorted(names):
            if await connection.execute(SPEND, name, amount) != "UPDATE 1":
                return False
    return True
