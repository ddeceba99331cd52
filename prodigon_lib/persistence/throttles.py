"""Who fails to log in too often. The whole rule stands in SQL, so all gateways keep it together, exactly.

Failures leak away at an even pace. An attempt adds one before its password is looked at, and takes it back
when the password was right: so a thousand guesses at once are counted one by one, and not as one. Once `free`
are there, each attempt blocks the next, each time for twice as long, up to a cap. What is refused adds
nothing, so nobody who goes on knocking makes the wait longer.
"""

from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.tables import ThrottleRow

COUNT = text("""
    INSERT INTO login_throttles AS t (key, failures, last_at, blocked_until)
    VALUES (:key, 1, clock_timestamp(), clock_timestamp())
    ON CONFLICT (key) DO UPDATE SET
        failures = 1 + greatest(0, t.failures - extract(epoch FROM clock_timestamp() - t.last_at) / :forget),
        last_at = clock_timestamp()
    WHERE t.blocked_until <= clock_timestamp()
    RETURNING coalesce(known_until > clock_timestamp(), false)
""")
# Half a failure less than the limit, as a little of each has leaked away. 2^20 lies above any cap.
BLOCK = text("""
    UPDATE login_throttles
    SET blocked_until = clock_timestamp()
        + make_interval(secs =>
            least(:cap, :first * power(2, least(20, greatest(0, round(failures) - :free)))))
    WHERE key = :key AND failures >= :free - 0.5
""")
TAKE_BACK = text("""
    UPDATE login_throttles
    SET failures = greatest(0, failures - 1),
        blocked_until = CASE WHEN failures - 1 < :free - 0.5 THEN clock_timestamp() ELSE blocked_until END
    WHERE key = :key
""")


@dataclass(frozen=True, slots=True)
class Backoff:
    """So many failures are `free`, and one is forgotten in `forget` seconds.

    Args:
        first, cap: the first wait and the longest, in seconds.
    """

    free: int
    first: float
    cap: float
    forget: float


@dataclass(frozen=True, slots=True)
class Counter:
    """One thing that failures are counted for. `key` is 32 bytes."""

    key: bytes
    backoff: Backoff


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt counts for: the name from that address, the name from anywhere, the address."""

    pair: Counter
    name: Counter
    address: Counter


class ThrottleRepository:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, attempt: Attempt) -> float:
        """How many seconds it must wait; 0 when it may go on, and is counted as a failure meanwhile.

        From an address that it has been used from lately, a name is not counted with all others: whoever
        guesses from elsewhere does not keep its owner out.
        """
        async with self._database.transaction() as db:
            # One order for all: pair, name, address. So no two attempts wait for each other.
            wait, known = await count(db, attempt.pair)
            if not (wait or known):
                wait, _ = await count(db, attempt.name)
            if not wait:
                wait, _ = await count(db, attempt.address)
            if wait:
                await db.rollback()
        return wait

    async def succeeded(self, attempt: Attempt, known: timedelta) -> None:
        """Take the attempt back, and know that name from that address for a while."""
        remembered = {"failures": 0, "blocked_until": func.clock_timestamp()}
        async with self._database.transaction() as db:
            await db.execute(
                update(ThrottleRow)
                .where(ThrottleRow.key == attempt.pair.key)
                .values(**remembered, known_until=func.clock_timestamp() + known)
            )
            for counter in (attempt.name, attempt.address):
                await db.execute(TAKE_BACK, {"key": counter.key, "free": counter.backoff.free})

    async def prune(self, age: timedelta) -> None:
        """Delete what says nothing any more: all failures of it are forgotten by that age."""
        unknown = or_(ThrottleRow.known_until.is_(None), ThrottleRow.known_until < func.now())
        old = delete(ThrottleRow).where(ThrottleRow.last_at < func.now() - age, unknown)
        async with self._database.transaction() as db:
            await db.execute(old)


async def count(db: AsyncSession, counter: Counter) -> tuple[float, bool]:
    """The seconds to wait, 0 once it is counted; and whether it is known from lately."""
    values = {"key": counter.key, "forget": counter.backoff.forget}
    known: bool | None = await db.scalar(COUNT, values)
    if known is None:
        return await seconds_left(db, counter), False
    rule = counter.backoff
    await db.execute(BLOCK, {"key": counter.key, "free": rule.free, "first": rule.first, "cap": rule.cap})
    return 0.0, known


async def seconds_left(db: AsyncSession, counter: Counter) -> float:
    left = func.extract("epoch", ThrottleRow.blocked_until - func.clock_timestamp())
    found = await db.scalar(select(left).where(ThrottleRow.key == counter.key))
    return max(0.1, float(found or 0))
