"""Owns a stack: starts it, keeps it, ends it when nobody holds it any more.

python -m prodigon_lib.stack.supervisor

Reads its plan as one JSON document on its input (secrets stay out of arguments), answers `{"listening": …}`
or `{"error": …}` on its output, then serves requests on a Unix socket, one JSON document a line.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from prodigon_lib.core.errors import ProdigonError, StackError
from prodigon_lib.core.redaction import learn
from prodigon_lib.stack.channel import LONGEST_LINE, encode
from prodigon_lib.stack.environment import secret_settings
from prodigon_lib.stack.faults import as_stack_error, explain
from prodigon_lib.stack.folder import StackFolder, write_whole
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.holders import Holder, Holders, Lab, myself
from prodigon_lib.stack.lock import FileLock
from prodigon_lib.stack.options import StackOptions, differences
from prodigon_lib.stack.record import record, set_aside, trim_log, trim_trace
from prodigon_lib.stack.system import System

GRACE = 1.0
FIRST_GRACE = 5.0
"""Seconds until whoever started this must have taken a lease."""

TICK = 0.5
TRIM_EVERY = 20
HURRY = 2.5
"""How long services may take to stop when nobody waits for them."""

Request = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to run and where."""

    folder: StackFolder
    options: StackOptions

    @classmethod
    def from_wire(cls, document: Request) -> "Plan":
        folder = StackFolder(Path(document["home"]), document["name"])
        return cls(folder, StackOptions.from_wire(document["options"]))


class Supervisor:
    """Serves the holders of one stack until there are none, or one asks for the end."""

    def __init__(self, plan: Plan, guardian: Guardian) -> None:
        self.plan, self.guardian = plan, guardian
        self.system = System(plan.folder, plan.options, guardian)
        self.holders = Holders(FIRST_GRACE)
        self._ended = asyncio.Event()
        self._failure: str | None = None
        self._starting: asyncio.Task[None] | None = None
        self._connections: set[asyncio.Task[None]] = set()

    async def run(self, listener: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._ended.set)
        server = await asyncio.start_unix_server(self._accept, sock=listener, limit=LONGEST_LINE)
        self._starting = asyncio.create_task(self._start())
        keeping = asyncio.create_task(self._keep())
        keeping.add_done_callback(lambda _: self._ended.set())
        await self._ended.wait()
        began = loop.time()
        wanted = bool(self.holders.leases)
        record("stopping", failure=self._failure)
        server.close()
        tasks = {keeping, self._starting, *self._connections}
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await self.system.stop(None if wanted else HURRY)
        record("stopped", seconds=round(loop.time() - began, 3))

    async def _start(self) -> None:
        try:
            await self.system.start()
        except ProdigonError as error:
            self._failure = error.message
        except OSError as error:
            self._failure = explain(error, self.plan.folder.root)
        if self._failure is not None:
            record("not started", "error", reason=self._failure)
            await self.system.stop(HURRY)

    async def _keep(self) -> None:
        """Look after the leases, the guard, and the size of the logs; end when nobody is left."""
        ticks = 0
        while not self.holders.all_gone():
            await asyncio.sleep(TICK)
            ticks += 1
            self.holders.drop_the_dead()
            if self.guardian.revive():
                record("guard revived", "warning", pid=self.guardian.pid)
            if ticks % TRIM_EVERY == 0:
                self._trim()

    def _trim(self) -> None:
        with contextlib.suppress(OSError):  # a full disk must not end a stack that runs
            for log in self.plan.folder.logs.glob("*.log"):
                trim_log(log)
            for trace in self.plan.folder.traces.glob("*.jsonl"):
                trim_trace(trace)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        try:
            while line := await reader.readline():
                await self._answer(json.loads(line), writer)
        except (ConnectionError, ValueError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(task)
            self.holders.remove(writer)
            writer.close()

    async def _answer(self, request: Request, writer: asyncio.StreamWriter) -> None:
        operations: dict[str, Callable[[Request, asyncio.StreamWriter], Awaitable[Request]]] = {
            "hold": self._hold,
            "look": self._look,
            "signal": self._signal,
            "restart": self._restart,
            "faults": self._faults,
            "balance": self._balance,
            "stop": self._stop,
        }
        try:
            answer = await operations[request["do"]](request, writer)
        except ProdigonError as error:
            answer = {"error": error.message}
        except (KeyError, TypeError, ValueError) as error:
            answer = {"error": f"not understood: {error}"}
        writer.write(encode(answer))
        await writer.drain()

    async def _hold(self, request: Request, writer: asyncio.StreamWriter) -> Request:
        """Give a lease, say so, and answer once the stack is up; or say what differs, and who holds it."""
        if self._ended.is_set():
            return {"ending": True}
        holder = Holder.from_wire(request["holder"])
        wanted = request["fingerprint"]  # none of whoever takes the stack as it is
        if found := differences(self.plan.options.fingerprint(), wanted) if wanted else {}:
            return {"differs": found, "held_by": self.holders.others(holder.pid)}
        lab = request.get("lab")
        self.holders.grace = GRACE
        self.holders.add(writer, holder, Lab(Holder.from_wire(lab), float(lab["seconds"])) if lab else None)
        writer.write(encode({"held": True}))
        await writer.drain()
        assert self._starting is not None
        await asyncio.shield(self._starting)
        if self._failure is not None:
            self._ended.set()
            raise StackError(self._failure)
        return {"ready": self._facts()}

    async def _look(self, _: Request, __: asyncio.StreamWriter) -> Request:
        rows = await self.system.look()
        pids = sorted({holder.pid for holder in self.holders.leases.values()})
        labs = sorted(lab.process.pid for lab in self.holders.living_labs())
        return {"facts": self._facts(), "parts": rows, "held_by": pids, "labs": labs}

    async def _signal(self, request: Request, _: asyncio.StreamWriter) -> Request:
        part = self.system.find(request["part"])
        pid = part.signal(signal.Signals[request["signal"]])
        record("signalled", process=part.name, pid=pid, signal=request["signal"])
        return {"name": part.name, "pid": pid}

    async def _restart(self, request: Request, _: asyncio.StreamWriter) -> Request:
        await self.system.restart(request["part"])
        return {"name": request["part"]}

    async def _faults(self, request: Request, _: asyncio.StreamWriter) -> Request:
        if self.system.proxy is None:
            raise StackError("the stack was started without faults")
        answer = await self.system.proxy.ask(request["request"])
        if request["request"]["do"] != "look":
            record("faults", **request["request"])
        return answer

    async def _balance(self, request: Request, _: asyncio.StreamWriter) -> Request:
        if request["wish"] is None:
            return self.system.balancer.look_at_balance()
        balance = await self.system.balance(request["wish"])
        record("balance", **balance)
        return balance

    async def _stop(self, request: Request, _: asyncio.StreamWriter) -> Request:
        """End the stack, unless it is held by a process other than `unless_held_beside`."""
        asker = request.get("unless_held_beside")
        if asker is not None and (others := self.holders.others(int(asker))):
            return {"held_by": others}
        self._ended.set()
        return {"ending": True}

    def _facts(self) -> Request:
        return {**self.system.facts(), "supervisor": os.getpid(), "guard": self.guardian.pid}


def main() -> int:
    plan = Plan.from_wire(json.load(sys.stdin))
    secrets = secret_settings()
    learn(value for name, value in plan.options.settings.items() if name in secrets)
    try:
        with as_stack_error(plan.folder.root):
            supervise(plan, plan.folder.running.acquire())  # let go of by the end of this process only
    except ProdigonError as error:
        print(json.dumps({"error": error.message}), flush=True)
        return 1
    return 0


def supervise(plan: Plan, lock: FileLock) -> None:
    """Listen, say so, and run until the end. Raises StackError, or OSError, before it listens."""
    log = plan.folder.log("supervisor")
    for folder in (plan.folder.logs, plan.folder.traces):
        set_aside(folder)
    path = plan.folder.socket_folder() / "supervisor.sock"
    listener = listen_at(path)
    guardian = Guardian(lock, log)
    address = {"socket": str(path), **myself(os.getpid())}
    write_whole(plan.folder.address, json.dumps(address))
    try:
        with contextlib.suppress(BrokenPipeError):  # nobody waits: nobody takes a lease, and this ends soon
            print(json.dumps({"listening": str(path)}), flush=True)
        write_to(log)
        record("started", name=plan.folder.name, pid=os.getpid())
        asyncio.run(Supervisor(plan, guardian).run(listener))
    finally:
        path.unlink(missing_ok=True)
        plan.folder.address.unlink(missing_ok=True)
        guardian.close()


def listen_at(path: Path) -> socket.socket:
    """A Unix socket that we alone may connect to. What is left of an earlier one goes: we hold the lock."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(128)
    return listener


def write_to(log: Path) -> None:
    """From here on, what this process prints goes to its log."""
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, sys.stdout.fileno())
    os.dup2(descriptor, sys.stderr.fileno())
    os.close(descriptor)


if __name__ == "__main__":
    sys.exit(main())
