"""The process that stands on every edge of a stack.

python -m prodigon_lib.stack.edges.proxy

Reads its plan as one JSON document on its input, then listens for every edge, and on a Unix socket for those
who set faults: one JSON document a line, each answered by one.
"""

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.limits import raise_open_files
from prodigon_lib.stack.channel import LONGEST_LINE, encode
from prodigon_lib.stack.edges.connection import Connection, abort, opened
from prodigon_lib.stack.edges.faults import EdgeFaults
from prodigon_lib.stack.edges.plan import Edge
from prodigon_lib.stack.ports import BACKLOG

LISTEN_AGAIN = 0.05


class ProxiedEdge:
    """One edge: its listener, its faults, the connections through it, and how many there were."""

    def __init__(self, edge: Edge, faults: EdgeFaults) -> None:
        self.edge, self.name, self.faults = edge, edge.name, faults
        self.passing = asyncio.Event()
        self.accepted = self.dropped = self.cut = 0
        self._connections: dict[Connection, asyncio.Task[None]] = {}
        self._numbered = 0
        self._server: asyncio.Server | None = None
        self._change = asyncio.Lock()
        self._looking: asyncio.Task[None] | None = None

    async def start(self, listener: socket.socket | None) -> None:
        """Args: `listener` listens already; for a Unix socket there is none yet."""
        self._set_passing()
        if self.faults.refuse:
            if listener is not None:
                listener.close()
            return
        await self._listen(listener)

    async def set(self, faults: EdgeFaults) -> None:
        async with self._change:
            self.faults = faults
            for number, connection in enumerate(self._connections):
                connection.restart(number)
            self._numbered = len(self._connections)
            self._set_passing()
            if faults.refuse:
                self._stop_listening()
            elif self._server is None and self._looking is None:
                await self._listen(None)
            if faults.refuse or faults.cut_after == 0:
                self.cut_all()

    def cut_all(self) -> int:
        """Reset all that are open now; gives how many."""
        for connection in list(self._connections):
            connection.reset()
        self.cut += len(self._connections)
        return len(self._connections)

    async def close(self) -> None:
        self._stop_listening()
        if self._looking is not None:
            self._looking.cancel()
        tasks = list(self._connections.values())
        self.cut_all()
        if tasks:
            await asyncio.wait(tasks)

    def look(self) -> dict[str, Any]:
        return {
            "faults": self.faults.harm(),
            "open": len(self._connections),
            "accepted": self.accepted,
            "dropped": self.dropped,
            "cut": self.cut,
        }

    def _set_passing(self) -> None:
        if self.faults.black_hole:
            self.passing.clear()
        else:
            self.passing.set()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.faults.refuse:  # taken just before the listener closed
            abort(writer)
            return
        self.accepted += 1
        connection = Connection(self, self._numbered, reader, writer)
        self._numbered += 1
        task = asyncio.current_task()
        assert task is not None
        self._connections[connection] = task
        try:
            await connection.run(self.edge.connect)
        except asyncio.CancelledError:
            pass  # it was reset
        except OSError:
            self._stop_listening()  # the service is away: say so as it would, by refusing
            if self._looking is None:
                self._looking = asyncio.create_task(self._look_for_service())
        finally:
            del self._connections[connection]

    async def _look_for_service(self) -> None:
        """Listen again as soon as the service does."""
        while True:
            await asyncio.sleep(LISTEN_AGAIN)
            with contextlib.suppress(OSError):
                _, writer = await opened(self.edge.connect)
                writer.close()
                break
        self._looking = None
        async with self._change:
            if not self.faults.refuse and self._server is None:
                await self._listen(None)

    async def _listen(self, listener: socket.socket | None) -> None:
        """Raises OSError: the port was given to somebody else in between."""
        where = self.edge.listen
        if listener is not None:
            self._server = await asyncio.start_server(self._accept, sock=listener, backlog=BACKLOG)
        elif isinstance(where, str):
            clear_place(Path(where))
            self._server = await asyncio.start_unix_server(self._accept, where, backlog=BACKLOG)
        else:
            self._server = await asyncio.start_server(self._accept, *where, backlog=BACKLOG)

    def _stop_listening(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None


class Proxy:
    """All edges, and the socket where their faults are set."""

    def __init__(self, edges: list[ProxiedEdge]) -> None:
        self.edges = {(edge.edge.source, edge.edge.target): edge for edge in edges}

    async def serve(self, control: str) -> asyncio.Server:
        clear_place(Path(control))
        before = os.umask(0o177)
        try:
            return await asyncio.start_unix_server(self._accept, control, limit=LONGEST_LINE)
        finally:
            os.umask(before)

    async def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do it to each edge in `edges`; answers with a look at each, in their order."""
        edges = [self.edges[source, target] for source, target in request["edges"]]
        match request["do"]:
            case "set":
                for edge in edges:
                    await edge.set(edge.faults.changed(request["changes"]))
            case "clear":
                for edge in edges:
                    await edge.set(EdgeFaults())
            case "cut":
                return {"cut": sum(edge.cut_all() for edge in edges)}
        return {"edges": [edge.look() for edge in edges]}

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError):
            while line := await reader.readline():
                try:
                    answer = await self.answer(json.loads(line))
                except StackError as error:
                    answer = {"error": error.message}
                except OSError as error:
                    answer = {"error": f"the proxy can't listen: {error.strerror}"}
                writer.write(encode(answer))
                await writer.drain()
        writer.close()


def clear_place(path: Path) -> None:
    """For a Unix socket: what is left of an earlier one goes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.unlink(missing_ok=True)


async def run(plan: dict[str, Any]) -> None:
    """Until SIGTERM."""
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    edges = []
    for document in plan["edges"]:
        edges.append(ProxiedEdge(Edge.from_wire(document), EdgeFaults(**document["faults"])))
        descriptor = document.get("descriptor")
        await edges[-1].start(None if descriptor is None else socket.socket(fileno=descriptor))
    server = await Proxy(edges).serve(plan["control"])
    await ended.wait()
    server.close()
    for edge in edges:
        await edge.close()


def main() -> None:
    raise_open_files()
    asyncio.run(run(json.load(sys.stdin)))


if __name__ == "__main__":
    main()
