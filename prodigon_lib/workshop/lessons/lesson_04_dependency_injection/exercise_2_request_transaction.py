"""A transaction per request."""

import asyncio
from collections import Counter
from collections.abc import Awaitable
from typing import TypeVar

from fastapi import HTTPException

from prodigon_lib.workshop.asgi import Direct, Reply, started
from prodigon_lib.workshop.checks import Attempt, Check, Findings
from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.pool import Pool
from prodigon_lib.workshop.table import Table

HINTS = (
    "What stands after a bare yield runs only when nothing was raised. Think of the four ways out of"
    " the route: it returns, it raises, the commit itself fails, the task is cancelled. Write down what"
    " must happen in each.",
    "Commit after the yield, inside a try. An except clause rolls back and raises again; a finally gives"
    " the connection back. Of the exceptions that matter, one is no Exception: asyncio.CancelledError.",
    'Catch BaseException. Then the scopes: Depends(transaction, scope="function") commits before the'
    " answer is sent, which a write needs; a stream still reads while the answer is on its way, so it"
    ' needs "request".',
)
MIX = {"fine": 60, "error": 30, "refused": 30, "left": 30, "taken": 20, "whole": 15, "cut": 15}
AT_ONCE = 12
ROWS = 30
TIGHT = "Look at each way out of the dependency: returned, raised, commit failed, cancelled."
EXPECTED = {"fine": 201, "error": 500, "refused": 409, "left": 0}


T = TypeVar("T")


class Bench:
    """One application over one pool, and requests of each kind."""

    def __init__(self, attempt: Attempt) -> None:
        self.user = attempt.token()
        self.taken = [attempt.token() for _ in range(ROWS)]
        self.pool = Pool(4, {"users": [self.user], "notes": self.taken})
        self.kinds: dict[str, str] = {}
        self.waiting: dict[str, asyncio.Event] = {}
        self.early: list[str] = []
        self.app = attempt.get("create_app")(self.pool, self.announce)

    async def announce(self, text: str) -> None:
        """What may fail after the writes."""
        await asyncio.sleep(0)
        kind = self.kinds.get(text)
        if kind == "error":
            raise RuntimeError("the announcement failed")
        if kind == "refused":
            raise HTTPException(409, "not that")
        if kind == "left":
            self.waiting[text].set()
            await asyncio.Event().wait()

    async def write(self, service: Direct, kind: str, text: str) -> Reply:
        self.kinds[text] = kind
        self.waiting[text] = asyncio.Event()

        def begun(status: int) -> None:
            if status == 201 and text not in self.pool.committed["notes"]:
                self.early.append(text)

        asking = asyncio.ensure_future(
            service.ask("POST", "/notes", {"text": text}, headers={"X-User": self.user}, on_start=begun)
        )
        if kind == "left":
            waiting = asyncio.ensure_future(self.waiting[text].wait())
            await asyncio.wait({asking, waiting}, return_when=asyncio.FIRST_COMPLETED)
            waiting.cancel()
            asking.cancel()
            await asyncio.wait({asking})
            return Reply() if asking.cancelled() else asking.result()
        return await asking

    async def read(self, service: Direct, cut: bool) -> Reply:
        return await service.ask("GET", "/notes", leave_after=3 if cut else None)

    def kept(self, text: str) -> tuple[bool, bool]:
        """Whether the note is there, and whether its audit is."""
        rows = self.pool.committed
        return text in rows["notes"], f"{self.user}: {text}" in rows.get("audit", [])


class RequestTransactionCheck(Check):
    seconds = 15

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        await one_of_each(attempt, findings)
        await a_stream(attempt, findings)
        await the_mix(attempt, findings)


async def one_of_each(attempt: Attempt, findings: Findings) -> None:
    bench = Bench(attempt)
    async with started(bench.app) as service:
        for kind, status in EXPECTED.items():
            text = attempt.token()
            acquired = bench.pool.counts["acquired"]
            reply = await within(findings, kind, bench.write(service, kind, text))
            wanted = (kind == "fine",) * 2
            with findings.together():
                findings.equal(f"{WORDS[kind]}: connections out afterwards", bench.pool.out, 0, step=TIGHT)
                findings.equal(
                    f"{WORDS[kind]}: the answer", reply.said.partition(" ")[0], str(status),
                    step="Let what was raised go on; the framework makes the answer of it.",
                )  # fmt: skip
                findings.equal(
                    f"{WORDS[kind]}: note kept, audit kept", bench.kept(text), wanted,
                    step="Keep both on success, and neither on anything else.",
                )  # fmt: skip
                findings.at_most(
                    f"{WORDS[kind]}: connections taken", bench.pool.counts["acquired"] - acquired, 1,
                    step="Let all who ask in one request be given the same transaction.",
                )  # fmt: skip
        findings.equal(
            "answers of 201 that were sent before the commit", len(bench.early), 0,
            step='Commit before the answer: see what scope in Depends says about "function".',
        )  # fmt: skip
        reply = await within(findings, "taken", bench.write(service, "taken", bench.taken[0]))
        findings.expect(
            "the answer when the commit fails", measured=reply.said, wanted="an error, 400 or above",
            holds=reply.status >= 400,
            step="A commit that fails after the answer was sent can't be told to anybody.",
        )  # fmt: skip
        findings.equal("connections out after a failed commit", bench.pool.out, 0, step=TIGHT)


async def a_stream(attempt: Attempt, findings: Findings) -> None:
    bench = Bench(attempt)
    async with started(bench.app) as service:
        whole = await within(findings, "whole", bench.read(service, cut=False))
        read = whole.body.decode().split()
        findings.equal(
            "rows of a stream that is read to its end", read, bench.taken,
            step="A stream reads on after the route has returned: its connection must still be there.",
        )  # fmt: skip
        cut = await within(findings, "cut", bench.read(service, cut=True))
        assert len(cut.body) < len(whole.body)
        findings.equal("connections out after a stream that was left", bench.pool.out, 0, step=TIGHT)


async def the_mix(attempt: Attempt, findings: Findings) -> None:
    """Two hundred of all kinds at once: what one request leaves behind, another meets."""
    bench = Bench(attempt)
    kinds = [kind for kind, count in MIX.items() for _ in range(count)]
    attempt.random.shuffle(kinds)
    places, replies = asyncio.Semaphore(AT_ONCE), list[tuple[str, str, Reply]]()
    async with started(bench.app) as service:

        async def send(kind: str) -> None:
            async with places:
                text = attempt.random.choice(bench.taken) if kind == "taken" else attempt.token()
                if kind in ("whole", "cut"):
                    reply = await bench.read(service, cut=kind == "cut")
                else:
                    reply = await bench.write(service, kind, text)
                replies.append((kind, text, reply))

        await within(findings, f"{len(kinds)} mixed requests", asyncio.gather(*map(send, kinds)))
    notes, audits = Counter(bench.pool.committed["notes"]), Counter(bench.pool.committed.get("audit", []))
    fine = {text for kind, text, _ in replies if kind == "fine"}
    outcomes = Table(
        ["request", "sent", "answers"],
        [(kind, count, answers(kind, replies)) for kind, count in MIX.items()],
    )
    with findings.together():
        findings.equal("connections out at the end", bench.pool.out, 0, step=TIGHT, evidence=outcomes)
        findings.equal(
            "connections given back with writes still open", bench.pool.counts["left open"], 0,
            step="Roll back also when the request was cancelled: CancelledError is a BaseException.",
            evidence=outcomes,
        )  # fmt: skip
        findings.equal(
            "notes lost, notes too many", lost_and_found(notes, Counter([*bench.taken, *fine])), (0, 0),
            step="Let each request have a transaction of its own, and end it before it is given back.",
            evidence=outcomes,
        )  # fmt: skip
        findings.equal(
            "audits lost, audits too many",
            lost_and_found(audits, Counter(f"{bench.user}: {text}" for text in fine)), (0, 0),
            step="Write note and audit in one transaction.",
        )  # fmt: skip
        told = sum(reply.status == 201 for kind, _, reply in replies if kind in ("fine", "taken"))
        findings.equal(
            "answers of 201, for as many kept notes", told, len(fine), evidence=outcomes,
            step="Say 201 when both rows are there, and only then.",
        )  # fmt: skip


def lost_and_found(there: Counter[str], wanted: Counter[str]) -> tuple[int, int]:
    return (wanted - there).total(), (there - wanted).total()


def answers(kind: str, replies: list[tuple[str, str, Reply]]) -> str:
    statuses = Counter(reply.status for each, _, reply in replies if each == kind)
    return ", ".join(f"{count} of {status or 'none'}" for status, count in sorted(statuses.items()))


WORDS = {
    "fine": "a request that succeeds",
    "error": "an error after the writes",
    "refused": "a refusal after the writes",
    "left": "a client that leaves after the writes",
    "taken": "a commit that fails",
    "whole": "a stream read to its end",
    "cut": "a stream that is left",
}


async def within(findings: Findings, kind: str, asking: Awaitable[T]) -> T:
    return await findings.finishes(
        WORDS.get(kind, kind), asking, within=8, step="Look for a connection that somebody waits for in vain."
    )
