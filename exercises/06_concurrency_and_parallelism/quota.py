"""Exercise 6.3: a quota that is never overspent.

Users and their teams have tokens left, a row each in Postgres. A request spends of several rows at once, or
of none. Many processes spend at the same time. Done when

- no row ever falls below zero, and what was granted is what is missing in the end;
- a spend that any of its rows can't pay is refused, takes nothing from the others, and returns False;
- as long as all its rows have enough, a spend is granted: nobody is refused for being slower than another;
- two spends that name the same rows in another order never wait for each other in a circle.

The table is `quotas (name text PRIMARY KEY, remaining bigint NOT NULL)`.
"""

from collections.abc import Sequence

import asyncpg

READ = "SELECT remaining FROM quotas WHERE name = $1"
WRITE = "UPDATE quotas SET remaining = $2 WHERE name = $1"


class TooLittle(Exception):
    """A row has not enough."""


async def spend(connection: asyncpg.Connection, names: Sequence[str], amount: int) -> bool:
    """Take `amount` from each row in `names`, or nothing from any; whether it was taken."""
    try:
        async with connection.transaction():
            # TODO In which order do you take the rows, so that no two spends wait for each other?
            for name in names:
                await take(connection, name, amount)
    except TooLittle:  # raised through the transaction, so that what was taken before is given back
        return False
    return True


async def take(connection: asyncpg.Connection, name: str, amount: int) -> None:
    """Take from one row. Raises `TooLittle`."""
    # TODO Between a read and a write, others read, too. Leave them no moment.
    remaining = await connection.fetchval(READ, name)
    if remaining < amount:
        raise TooLittle(name)
    await connection.execute(WRITE, name, remaining - amount)
