"""Cut the seam."""

import asyncio
import sys
from dataclasses import dataclass, field
from typing import Any

import httpx

from prodigon_lib.workshop.checks import Attempt, Check, Evidence, Findings
from prodigon_lib.workshop.serving import serving
from prodigon_lib.workshop.table import Table

HINTS = (
    "Begin with the gateway: it is given `jobs` and never uses it. Replace what it does with the queue by"
    " the two calls of the protocol, then the import has no reason left. `vars` makes a document of a"
    " `Job`.",
    "A carrier translates in both directions. `LocalJobs` meets `None` where the worker refuses,"
    " `HttpJobs` meets a status; both must raise the same fault. Copy the results of a task: it goes on"
    " changing after you looked.",
    "On the wire one thing more can happen: the worker is not there. httpx raises a `TransportError`"
    " then, which becomes `WorkerAway`. Send each call through one helper that reads 404, 429, then the"
    " document.",
)
WORKER = "lesson_02_microservices_vs_monolith.the_worker"
Suite = list[tuple[str, int, Any]]


@dataclass
class Stand:
    """A seam without anything behind it, which remembers what it was asked."""

    job: Any
    asked: list[tuple[Any, ...]] = field(default_factory=list)

    async def submit(self, prompts: list[str], key: str) -> Any:
        self.asked.append((prompts, key))
        return self.job

    async def get(self, id: str) -> Any:
        self.asked.append((id,))
        return self.job


class SeamCheck(Check):
    seconds = 12

    async def run(self, attempt: Attempt, findings: Findings) -> None:
        await self.gateway_alone(attempt, findings)
        from prodigon_lib.workshop.lessons.lesson_02_microservices_vs_monolith.the_worker import Queue, face

        prompts, room = [attempt.token() for _ in range(3)], attempt.random.randint(2, 4)
        local_queue, remote_queue = Queue(room), Queue(room)
        local = attempt.get("LocalJobs")(local_queue)
        here = await contract(attempt.get("gateway")(local), local_queue, prompts, room)
        judge(findings, "in-process", here, wanted(prompts, room))
        await self.kept(attempt, findings, local, local_queue)
        async with serving(face(remote_queue)) as url, httpx.AsyncClient(base_url=url, timeout=5) as http:
            jobs = attempt.get("HttpJobs")(http)
            there = await contract(attempt.get("gateway")(jobs), remote_queue, prompts, room)
            judge(findings, "over HTTP", there, wanted(prompts, room))
        async with httpx.AsyncClient(base_url=url, timeout=5) as http:
            await self.worker_away(attempt, findings, http)

    async def gateway_alone(self, attempt: Attempt, findings: Findings) -> None:
        """The gateway over a stand-in: what it asks, and what its process has loaded by then."""
        id, prompts = attempt.token(), [attempt.token()]
        stand = Stand(attempt.get("Job")(id, "pending", ()))
        async with client_of(attempt.get("gateway")(stand)) as http:
            submitted = await ask(http, "POST", "/jobs", {"prompts": prompts, "key": "k"})
            found = await ask(http, "GET", f"/jobs/{id}")
        loaded = [name for name in sys.modules if name.endswith(WORKER)]
        findings.equal(
            "modules of the worker that the gateway's process loaded", len(loaded), 0,
            step="Take the import of `the_worker` out of the gateway, wherever it stands.",
            evidence="\n".join(loaded) or None,
        )  # fmt: skip
        findings.equal(
            "what the gateway asked of the seam", stand.asked, [(prompts, "k"), (id,)],
            step="Call jobs.submit(prompts, key) and jobs.get(id), once for each request.",
        )  # fmt: skip
        findings.equal(
            "its answers", [submitted[0], found[0]], [202, 200], step="Answer with what the seam gave back.",
        )  # fmt: skip

    async def kept(self, attempt: Attempt, findings: Findings, local: Any, queue: Any) -> None:
        """A job that was given back does not change when the worker goes on."""
        queue.room += 1
        job = await local.submit([attempt.token()], attempt.token())
        before = (job.status, len(job.results))
        queue.run()
        findings.equal(
            "a job in hand, before and after the worker ran", (job.status, len(job.results)), before,
            step="Copy what a task holds at that moment; never hand the task or its list out.",
        )  # fmt: skip

    async def worker_away(self, attempt: Attempt, findings: Findings, http: httpx.AsyncClient) -> None:
        async with client_of(attempt.get("gateway")(attempt.get("HttpJobs")(http))) as asking:
            gone = [await ask(asking, "GET", "/jobs/x"), await ask(asking, "POST", "/jobs", SOME)]
        findings.equal(
            "the status while nobody listens", [status for status, _ in gone], [503, 503],
            step="Turn httpx.TransportError into WorkerAway.",
        )  # fmt: skip


SOME = {"prompts": ["p"], "key": "k"}


def client_of(app: Any) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    return httpx.AsyncClient(transport=transport, base_url="http://gateway")


async def ask(http: httpx.AsyncClient, method: str, path: str, body: object = None) -> tuple[int, Any]:
    async with asyncio.timeout(5):
        answer = await http.request(method, path, json=body)
    try:
        return answer.status_code, answer.json()
    except ValueError:
        return answer.status_code, answer.text[:80]


async def contract(app: Any, queue: Any, prompts: list[str], room: int) -> Suite:
    """What a client of the gateway sees, step by step; the worker runs once in between."""
    seen: Suite = []
    async with client_of(app) as http:

        async def step(name: str, method: str, path: str, body: object = None) -> Any:
            status, document = await ask(http, method, path, body)
            shown = document if isinstance(document, dict) else {}
            seen.append((name, status, {key: shown[key] for key in ("status", "results") if key in shown}))
            return shown.get("id", "none")

        first = await step("a new job", "POST", "/jobs", {"prompts": prompts, "key": "first"})
        again = await step("the same key again", "POST", "/jobs", {"prompts": prompts, "key": "first"})
        seen.append(("the same job, and one task", int(first == again), len(queue.tasks)))
        await step("the job while it waits", "GET", f"/jobs/{first}")
        for number in range(room):
            last = number == room - 1
            name = "one more than there is room for" if last else "another job"
            await step(name, "POST", "/jobs", {"prompts": prompts, "key": f"k{number}"})
        await step("a job that there is none of", "GET", "/jobs/none")
        queue.run()
        await step("the job when it is done", "GET", f"/jobs/{first}")
    return seen


def wanted(prompts: list[str], room: int) -> Suite:
    waits = {"status": "pending", "results": []}
    return [
        ("a new job", 202, waits),
        ("the same key again", 202, waits),
        ("the same job, and one task", 1, 1),
        ("the job while it waits", 200, waits),
        *[("another job", 202, waits)] * (room - 1),
        ("one more than there is room for", 429, {}),
        ("a job that there is none of", 404, {}),
        ("the job when it is done", 200, {"status": "completed", "results": [p.upper() for p in prompts]}),
    ]


def judge(findings: Findings, where: str, seen: Suite, right: Suite) -> None:
    rows = [(name, status, kept) for name, status, kept in seen]
    table = Table(["step", "status", "document"], rows)
    wrong = next((mine for mine, its in zip(seen, right, strict=True) if mine != its), None)
    findings.equal(
        f"the contract {where}, {len(right)} steps", seen, right, evidence=Evidence.of(table),
        step=f"Look at the step '{wrong[0]}' in the table." if wrong else "",
    )  # fmt: skip
