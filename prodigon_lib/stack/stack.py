"""The whole system on one machine, as a lesson or a script uses it."""

import asyncio
import os
import signal
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import starter
from prodigon_lib.stack.channel import Channel, NobodyListens
from prodigon_lib.stack.clients import StackClients
from prodigon_lib.stack.edges.control import Faults
from prodigon_lib.stack.folder import StackFolder, stack_folder
from prodigon_lib.stack.log_tail import LogTail
from prodigon_lib.stack.logs import read_logs
from prodigon_lib.stack.nginx.control import Balancer
from prodigon_lib.stack.options import stack_options
from prodigon_lib.stack.simulated import SimulatedModel
from prodigon_lib.stack.status import StackStatus
from prodigon_lib.stack.traces import Span, read_trace

RESTART_SECONDS = 60.0


class Stack(StackClients):
    """A running system: gateway, model service, workers, Postgres, and the supervisor that keeps them.

        stack = Stack.start()
        stack.client().generate("Explain microservices in one sentence").text
        stack.stop()

    This process holds it until `stop`, or until the process ends. Then, if nobody else does, all of it ends
    within ten seconds. Every call but `start` raises StackError when the stack does not run (any more).
    """

    def __init__(self, folder: StackFolder, facts: Mapping[str, Any]) -> None:
        """Use `Stack.start`."""
        self._folder = folder
        self._facts = facts

    @classmethod
    def start(
        cls,
        name: str = "default",
        *,
        replicas: Mapping[str, int] | None = None,
        topology: str = "services",
        auth: bool = False,
        cache: str | None = None,
        faults: bool = False,
        grpc: bool = False,
        balancer: str | None = None,
        profile: str | None = None,
        restart: str = "always",
        settings: Mapping[str, object] | None = None,
        timeout: float = starter.START_SECONDS,
    ) -> Self:
        """Start everything, or attach to what runs under that name; returns once all of it is healthy.

        Same version and options: attaches. Others, and nobody else holds it: replaces it.

        Args:
            name: each name has its own database, ports and logs.
            replicas: processes of `gateway`, `model` and `worker`, by default one each. nginx stands before
                several gateways, which share the address `url`, and several models.
            topology: `"services"`, a process each; or `"monolith"`, all in one. There the name of
                any of them means that process: to `kill`, to `logs` and in `urls`.
            auth: turns accounts on: each caller must be known, and services prove to each other who they are.
                `client(user=…)` makes the account. The figures and settings of the services can still be
                read from this machine without one.
            cache: where the gateway keeps whole answers, `"memory"` or `"redis"`; none without it.
            faults: puts a proxy on each edge between services, where `stack.faults` sets what goes wrong.
            grpc: has the model service answer over gRPC too, at `urls["model-grpc"]`, and the gateway and the
                workers call it that way.
            balancer: how nginx deals calls out among several models: `least_connections`, which is what it
                does when none is named, `round_robin`, `two_choices` or `hash`; `stack.balancer` changes it.
                With `none`, and where there is no nginx, callers try the models in turn themselves.
            profile: the latency profile of the simulated model, such as `instant`; it also asks for that
                model, whatever key is set.
            restart: whether a service that died is revived, `"always"` or `"never"`.
            settings: of the services, as the README's table names them; they win over the environment.
            timeout: seconds until everything must be up.

        Raises:
            StackError: it did not come up, or others hold it with other options; one line says what to do.
        """
        options = stack_options(
            replicas=replicas,
            topology=topology,
            auth=auth,
            cache=cache,
            faults=faults,
            grpc=grpc,
            balancer=balancer,
            profile=profile,
            restart=restart,
            settings=settings,
        )
        folder = stack_folder(name)
        return cls(folder, starter.start(folder, options, timeout=timeout))

    @classmethod
    async def astart(cls, name: str = "default", **options: Any) -> Self:
        """`start`, for a running event loop that has other work meanwhile."""
        return await asyncio.to_thread(cls.start, name, **options)

    @classmethod
    def attach(cls, name: str = "default") -> Self:
        """Hold what runs under that name, whatever it was started with: to look at somebody else's stack.

        Raises:
            StackError: none runs, or it does not come up.
        """
        folder = stack_folder(name)
        facts = starter.join(folder)
        if facts is None:
            raise StackError(f"no stack '{name}' runs; Stack.start({name!r}) starts it")
        return cls(folder, facts)

    @property
    def name(self) -> str:
        return self._folder.name

    @property
    def url(self) -> str:
        """The gateway's; nginx's, where there are several gateways."""
        return str(self._facts["url"])

    @property
    def urls(self) -> dict[str, str]:
        """Base URLs, by the process's name: `gateway`, `model`, `worker`, `worker-2`; with gRPC also
        `model-grpc`, `model-2-grpc`, each `grpc://host:port`; with nginx also `nginx-model`
        and `nginx-gateway`."""
        return dict(self._facts["urls"])

    @property
    def database_url(self) -> str:
        """For asyncpg and psql; it holds the password when `DATABASE_URL` does."""
        return str(self._facts["database"])

    @property
    def redis_url(self) -> str | None:
        """Of the Redis that the stack uses, for any client of Redis; `None` while nothing asks for one."""
        found: str | None = self._facts["redis"]
        return found

    @property
    def simulated(self) -> SimulatedModel:
        """The simulated model's settings, to read and change while it runs."""
        urls = {name: url for name, url in self.urls.items() if url.startswith("http")}
        return SimulatedModel([url for name, url in urls.items() if name.split("-")[0] == "model"])

    @property
    def faults(self) -> Faults:
        """What goes wrong between services, to read and change while it runs.

        Raises:
            StackError: the stack was started without `faults=True`.
        """
        edges = self._facts.get("edges")
        if edges is None:
            raise StackError(
                f"this stack has no proxies to do harm with: Stack.start({self.name!r}, …, faults=True)"
            )
        return Faults(lambda **request: self._ask(do="faults", request=request), edges)

    @property
    def balancer(self) -> Balancer:
        """nginx in front of several models: how it deals calls out, to read and change while it runs.

        Raises:
            StackError: the stack has none.
        """
        if (replicas := self._facts.get("balanced")) is None:
            raise StackError(
                f"this stack has no balancer: Stack.start({self.name!r}, replicas={{'model': 3}}) has one, "
                "where there is an nginx and no gRPC (`prodigon doctor`)"
            )
        return Balancer(self._ask, self._folder, replicas)

    def status(self) -> StackStatus:
        """Every process: pid, port, health, restarts, uptime; asked now."""
        return StackStatus.from_wire(self._ask(do="look"))

    def logs(
        self,
        service: str | None = None,
        *,
        request_id: str | None = None,
        level: str | None = None,
        tail: int | None = 1000,
    ) -> list[dict[str, Any]]:
        """Log records of all processes, oldest first; each has `timestamp`, `level`, `service` and `event`.

        Args:
            service: only of this service (all its replicas), or of one process such as `worker-2`.
            level: only as severe as this, or more.
            tail: only the newest; `None` gives all.
        """
        return read_logs(self._folder, service=service, request_id=request_id, level=level, tail=tail)

    def log_tail(self, back: int = 0) -> LogTail:
        """For reading on, again and again, from now or from `back` bytes before the end of each log."""
        return LogTail(self._folder, back)

    def trace(self, request_id: str, *, timeout: float = 2.0) -> list[Span]:
        """The spans of one request, callers before what they called; waits until none is missing.

        Raises:
            StackError: spans go elsewhere, to `OTEL_EXPORTER_OTLP_ENDPOINT`.
        """
        if elsewhere := self._facts.get("spans_go_to"):
            raise StackError(f"this stack's spans go to {elsewhere}, where OTEL_EXPORTER_OTLP_ENDPOINT says")
        return read_trace(self._folder, request_id, timeout=timeout)

    def kill(self, service: str) -> int:
        """SIGKILL, as a crash would; gives the pid.

        Args:
            service: such as `worker`, then the first that runs is killed; or one process, such as `worker-2`.
        """
        return self._signal(service, signal.SIGKILL)

    def terminate(self, service: str) -> int:
        """SIGTERM: it finishes what it can and ends, then the supervisor treats it as one that died."""
        return self._signal(service, signal.SIGTERM)

    def pause(self, service: str) -> int:
        """SIGSTOP: it stays and does not answer, until `resume`."""
        return self._signal(service, signal.SIGSTOP)

    def resume(self, service: str) -> int:
        return self._signal(service, signal.SIGCONT)

    def restart_service(self, service: str) -> None:
        """Stop one process in order, start it, return once it is healthy; also one that was not revived."""
        self._ask(RESTART_SECONDS, do="restart", part=service)

    def wait(self, timeout: float | None = None) -> bool:
        """Block until the stack ends; false when it still runs after `timeout` seconds."""
        channel = starter.connect(self._folder)
        if channel is None:
            return True
        with channel:
            return channel.wait_closed(timeout)

    def stop(self, *, force: bool = False) -> None:
        """Let go of the stack. It ends at once, unless another process holds it; `force` ends it then too."""
        starter.stop(self._folder, beside=None if force else os.getpid())

    def _signal(self, service: str, wanted: signal.Signals) -> int:
        return int(self._ask(do="signal", part=service, signal=wanted.name)["pid"])

    def _ask(self, timeout: float = 15.0, **request: Any) -> dict[str, Any]:
        channel: Channel | None = starter.connect(self._folder)
        try:
            if channel is not None:
                with channel:
                    return channel.ask(timeout=timeout, **request)
        except NobodyListens:
            pass
        raise StackError(
            f"the stack '{self.name}' does not run any more; Stack.start({self.name!r}) starts it"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.to_thread(self.stop)

    def __repr__(self) -> str:
        places = ", ".join(f"{name} {url}" for name, url in self.urls.items())
        return f"Stack({self.name!r}: {places})"
