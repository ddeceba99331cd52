# fails: deadlock
SPEND = "UPDATE quotas SET remaining = remaining - $2 WHERE name = $1 AND remaining >= $2"


class TooLittle(Exception):
    pass


async def spend(connection, names, amount):
    try:
        async with connection.transaction():
            for name in names:
                if await connection.execute(SPEND, name, amount) != "UPDATE 1":
                    raise TooLittle
    except TooLittle:
        return False
    return True
