"""A quota that is never overspent."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_06_concurrency_and_parallelism import quota_process
from prodigon_lib.workshop.obedient import Obedient, obedient
from prodigon_lib.workshop.table import Table

HINTS = (
    "Between your SELECT and your UPDATE another process reads the same number. Let Postgres do both at once:"
    " an UPDATE whose WHERE asks for what must hold looks at the row again once it has the row's lock.",
    "UPDATE quotas SET remaining = remaining - $2 WHERE name = $1 AND remaining >= $2. The status that"
    " execute returns says whether a row was changed. If none was, raise TooLittle: on its way through the"
    " transaction it undoes the others.",
    "A row stays locked until its transaction ends. If I hold ada's and wait for the team's while you hold"
    " the team's and wait for ada's, neither of us ends. When all take rows in one order, such as"
    " sorted(names), there is no circle.",
)
PROCESSES = 4
SPENDS = 200
MANY_ROWS = 100
"""Spends of several rows: who tries again when Postgres refuses does each of them many times."""
PATIENCE = 10.0
SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "deadlock_timeout": "50ms",  # so that a deadlock costs no second
    "shared_buffers": "16MB",
    "max_connections": "60",
}
TABLE = "CREATE TABLE quotas (name text PRIMARY KEY, remaining bigint NOT NULL)"
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"

ENDED = "the process ended while it spent"

Spend = Mapping[str, Any]
Outcome = bool | str


class Quotas:
    """A Postgres of the check's own, and processes of the answer's that spend."""

    def __init__(self, connection: Any, spenders: Sequence[Obedient]) -> None:
        self._connection, self._spenders = connection, spenders

    @classmethod
    @asynccontextmanager
    async def opened(cls, attempt: Attempt) -> AsyncIterator["Quotas"]:
        folder = attempt.folder
        server = EmbeddedPostgres(folder / "data", folder / "postgres.log", settings=SETTINGS)
        await asyncio.to_thread(server.start)
        try:
            dsn = parse_database_url(server.url()).dsn
            connection = await asyncpg.connect(dsn)
            await connection.execute(TABLE)
            async with obedient(quota_process, str(attempt.path), dsn, count=PROCESSES) as spenders:
                yield cls(connection, spenders)
            await connection.close()
        finally:
            await asyncio.to_thread(server.stop)

    async def fill(self, quotas: Mapping[str, int]) -> None:
        await self._connection.execute("TRUNCATE quotas")
        await self._connection.executemany("INSERT INTO quotas VALUES ($1, $2)", list(quotas.items()))

    async def left(self) -> dict[str, int]:
        rows = await self._connection.fetch("SELECT name, remaining FROM quotas ORDER BY name")
        return {row["name"]: row["remaining"] for row in rows}

    async def deadlocks(self) -> int:
        """How many Postgres broke in all; each connection tells when it ends, so all of them end first."""
        for spender in self._spenders:
            assert spender.process.stdin is not None
            spender.process.stdin.close()
            await spender.process.wait()
        return int(await self._connection.fetchval(DEADLOCKS))

    async def spend(self, spends: Sequence[Spend]) -> list[Outcome]:
        """All at the same time, from several processes; the outcomes in the order of the spends."""
        shares = [spends[place::PROCESSES] for place in range(PROCESSES)]
        pairs = zip(self._spenders, shares, strict=True)
        outcomes: list[Outcome] = [""] * len(spends)
        answers = await asyncio.gather(*(who.obey({"spends": share}) for who, share in pairs))
        for place, answer in enumerate(answers):
            outcomes[place::PROCESSES] = answer["outcomes"] if answer else [ENDED] * len(shares[place])
        return outcomes


class QuotaCheck(Check):
    memory_mb = 1024

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        attempt.get("spend")  # what can't even be loaded says so here
        self.attempt, self.findings = attempt, findings
        async with Quotas.opened(attempt) as self.quotas:
            await self.one_row()
            await self.all_or_nothing()
            await self.many_rows()

    async def spent(self, what: str, spends: Sequence[Spend]) -> list[Outcome]:
        outcomes = await self.findings.finishes(
            what, self.quotas.spend(spends), within=PATIENCE,
            step="A lock is held for too long, or by somebody who is waiting himself: when is it given back?",
            evidence="The processes were ended while they spent.",
        )  # fmt: skip
        raised = Counter(outcome for outcome in outcomes if isinstance(outcome, str))
        self.findings.expect(
            f"errors, {what}", measured=next(iter(raised)) if raised else "none", wanted="none",
            holds=not raised, evidence=Table(["error", "times"], raised.most_common(5)),
            step=step_for(raised),
        )  # fmt: skip
        return outcomes

    async def one_row(self) -> None:
        """More spends than the row can pay."""
        draw = self.attempt.random
        name, amount, payable = self.attempt.token(), draw.randint(2, 9), draw.randint(110, 150)
        held = amount * payable + draw.randint(0, amount - 1)
        await self.quotas.fill({name: held})
        outcomes = await self.spent(
            f"{SPENDS} spends of one row", [{"names": [name], "amount": amount}] * SPENDS
        )
        granted, left = outcomes.count(True), (await self.quotas.left())[name]
        with self.findings.together():
            self.findings.equal(
                f"left of {held}, after {granted} were granted {amount} each", left, held - granted * amount,
                step="Two read the same number, and the later write undid the other: use one statement.",
            )  # fmt: skip
            self.findings.equal(
                "granted, of what the row can pay", granted, payable,
                step="Too many: check in the statement that writes. Too few: wait for a row, don't give up.",
            )  # fmt: skip

    async def all_or_nothing(self) -> None:
        """One row of several is poor: it stands at each place, and is the first or the last in any order."""
        rich = [f"m{self.attempt.token()}" for _ in range(3)]
        first, last = (letter + self.attempt.token() for letter in "az")
        held = {**dict.fromkeys(rich, 100), first: 4, last: 4}
        await self.quotas.fill(held)
        places = [[*rich[:at], poor, *rich[at:]] for at in range(4) for poor in (first, last)]
        outcomes = await self.spent(
            "spends that one row can't pay", [{"names": names, "amount": 5} for names in places]
        )
        with self.findings.together():
            self.findings.equal(
                "answers when one row of four has too little", outcomes, [False] * len(places),
                step="Return False when any of the rows has too little.",
            )  # fmt: skip
            self.findings.equal(
                "rows that a refused spend took from",
                sorted(name for name, left in (await self.quotas.left()).items() if left != held[name]), [],
                step="A refusal takes nothing: leave the transaction by an exception, so that it rolls back.",
            )  # fmt: skip

    async def many_rows(self) -> None:
        """All can pay; each spend names its rows in an order of its own."""
        draw = self.attempt.random
        names, amount = [self.attempt.token() for _ in range(5)], draw.randint(2, 9)
        await self.quotas.fill(dict.fromkeys(names, MANY_ROWS * amount))
        chosen = [draw.sample(names, 3) for _ in range(MANY_ROWS)]
        outcomes = await self.spent(
            f"{MANY_ROWS} spends of three rows each", [{"names": each, "amount": amount} for each in chosen]
        )
        uses = Counter(name for each in chosen for name in each)
        wanted = [(MANY_ROWS - uses[name]) * amount for name in sorted(names)]
        with self.findings.together():
            self.findings.equal(
                "granted, when all rows have enough", outcomes.count(True), MANY_ROWS,
                step="There was enough for all: wait for a locked row, and don't refuse.",
            )  # fmt: skip
            self.findings.equal(
                "left in each row", list((await self.quotas.left()).values()), wanted,
                step="Each granted spend takes its amount from each of its rows, once.",
            )  # fmt: skip
            self.findings.equal(
                "deadlocks that Postgres had to break", await self.quotas.deadlocks(), 0,
                step="Take the rows in one order, whatever the order of the names.",
            )  # fmt: skip


def step_for(raised: Mapping[str, int]) -> str:
    if any("eadlock" in error for error in raised):
        return "Two spends hold what the other waits for: let all take their rows in the same order."
    return "Mend what raised: the errors are below."
