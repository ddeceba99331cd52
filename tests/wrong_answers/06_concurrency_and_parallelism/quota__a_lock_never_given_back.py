# fails: spends of one row
async def spend(connection, names, amount):
    await connection.execute("SELECT pg_advisory_lock(6)")
    rows = await connection.fetch("SELECT remaining FROM quotas WHERE name = ANY($1)", names)
    if any(row["remaining"] < amount for row in rows):
        return False
    await connection.execute(
        "UPDATE quotas SET remaining = remaining - $2 WHERE name = ANY($1)", names, amount
    )
    await connection.execute("SELECT pg_advisory_unlock(6)")
    return True
