# fails: granted, of what the row can pay
READ = "SELECT remaining FROM quotas WHERE name = $1 FOR UPDATE SKIP LOCKED"
WRITE = "UPDATE quotas SET remaining = remaining - $2 WHERE name = $1"


class TooLittle(Exception):
    pass


async def spend(connection, names, amount):
    try:
        async with connection.transaction():
            for name in sorted(names):
                remaining = await connection.fetchval(READ, name)
                if remaining is None or remaining < amount:
                    raise TooLittle
                await connection.execute(WRITE, name, amount)
    except TooLittle:
        return False
    return True
