async def spend(connection, names, amount):
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(6)")
        least = await connection.fetchval("SELECT min(remaining) FROM quotas WHERE name = ANY($1)", names)
        if least < amount:
            return False
        await connection.execute(
            "UPDATE quotas SET remaining = remaining - $2 WHERE name = ANY($1)", names, amount
        )
    return True
