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
# <solution>
SPEND = "UPDATE quotas SET remaining = remaining - $2 WHERE name = $1 AND remaining >= $2"
# </solution>


class TooLittle(Exception):
    """A row has not enough."""


async def spend(connection: asyncpg.Connection, names: Sequence[str], amount: int) -> bool:
    """Take `amount` from each row in `names`, or nothing from any; whether it was taken."""
    try:
        async with connection.transaction():
            # <gap> In which order do you take the rows, so that no two spends wait for each other?
            # | for name in names:
            # |     await take(connection, name, amount)
            # The same order for all. One lock for all (pg_advisory_xact_lock) does too, one after the other.
            for name in sorted(names):
                await take(connection, name, amount)
            # </gap>
    except TooLittle:  # raised through the transaction, so that what was taken before is given back
        return False
    return True


async def take(connection: asyncpg.Connection, name: str, amount: int) -> None:
    """Take from one row. Raises `TooLittle`."""
    # <gap> Between a read and a write, others read, too. Leave them no moment.
    # | remaining = await connection.fetchval(READ, name)
    # | if remaining < amount:
    # |     raise TooLittle(name)
    # | await connection.execute(WRITE, name, remaining - amount)
    # Postgres checks and writes in one statement, on the row as it is when the lock is had. To read it with
    # FOR UPDATE first does as well, and costs a round trip more.
    if await connection.execute(SPEND, name, amount) != "UPDATE 1":
        raise TooLittle(name)
    # </gap>
