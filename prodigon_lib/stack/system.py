"""All parts of one running stack, started together and stopped in order."""

import asyncio
import socket
from collections.abc import Iterator
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.stack import ports
from prodigon_lib.stack.address import (
    EMBEDDED_NAME,
    redis_prefix,
    redis_through_proxy,
    stack_url,
    through_proxy,
)
from prodigon_lib.stack.edges.part import ProxyPart
from prodigon_lib.stack.edges.plan import EdgePlan, service_of
from prodigon_lib.stack.environment import (
    GRPC_SETTING,
    MONOLITH,
    PORT_SETTINGS,
    SERVICES,
    service_environment,
)
from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.options import StackOptions, Topology
from prodigon_lib.stack.part import Part
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.stack.probe import Health
from prodigon_lib.stack.record import record
from prodigon_lib.stack.redis import SOCKET, RedisServer
from prodigon_lib.stack.server import PostgresPart, RedisPart
from prodigon_lib.stack.service import ServicePart, ServiceSpec

DRAIN_SECONDS = 2.5
"""A service's own `SHUTDOWN_SECONDS`, when nobody set it: with Postgres after it, all ends within ten."""

LAST_SECONDS = 1.5
REDIS_PREFIX = "prodigon"

CALLS = {"gateway": ("model", "worker", "postgres", "redis"), "model": ()}
CALLS |= {"worker": ("model", "postgres", "redis"), MONOLITH: ("postgres", "redis")}
"""What each service calls: the edges that a proxy can stand on."""

LONGEST_EDGE = "edges/gateway-16/.s.PGSQL.5432"


class System:
    """Postgres, Redis where it is used, and the services of one stack; with faults, a proxy between them."""

    def __init__(self, folder: StackFolder, options: StackOptions, guardian: Guardian) -> None:
        self.folder, self.options, self.guardian = folder, options, guardian
        self.postgres: PostgresPart | None = None
        self.redis: RedisPart | None = None
        self.services: dict[str, ServicePart] = {}
        self.proxy: ProxyPart | None = None
        self.database_url = self._maintenance_url = ""
        self.redis_url: str | None = None
        self._ports = ports.Ports()
        self._changing = asyncio.Lock()

    @property
    def parts(self) -> list[Part]:
        return [*self.services.values(), *(part for part in (self.proxy, self.redis, self.postgres) if part)]

    @property
    def patience(self) -> float:
        """Seconds that a service may take to stop."""
        return float(self.options.settings.get("SHUTDOWN_SECONDS", DRAIN_SECONDS)) + 0.5

    async def start(self) -> None:
        """Start everything and return once all of it is healthy. The services load while Postgres starts.

        Raises:
            StackError: something did not come up; `stop` ends what did.
        """
        self._find_database()
        self._find_redis()
        self._take_ports()
        try:
            async with asyncio.TaskGroup() as group:
                for service in self.services.values():
                    await service.spawn()
                if self.proxy is not None:
                    await self.proxy.spawn()
                ready = group.create_task(self._start_stores())
                for service in self.services.values():
                    group.create_task(self._settle(service, ready))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        for part in self.parts:
            part.watch()

    async def stop(self, patience: float | None = None) -> None:
        """Stop those who take requests, then the model that they still need, then Postgres."""
        allowed = self.patience if patience is None else patience
        first = [part for part in self.services.values() if part.service != "model"]
        last = [part for part in self.services.values() if part.service == "model"]
        for wave, seconds in ((first, allowed), (last, LAST_SECONDS)):
            await asyncio.gather(*(part.stop(seconds) for part in wave))
        for service in self.services.values():
            service.close_ports()
        if self.proxy is not None:
            await self.proxy.stop(LAST_SECONDS)
        await asyncio.gather(*(store.stop(LAST_SECONDS) for store in (self.redis, self.postgres) if store))
        self._ports.close()

    async def restart(self, name: str) -> None:
        """Stop one part in order and start it. Raises StackError when it does not come up."""
        async with self._changing:
            await self.find(name).start_again(self.patience)

    def find(self, name: str) -> Part:
        """The part of that name; a service's name alone means the first that runs and does its work.

        Raises:
            StackError: there is none.
        """
        parts = {part.name: part for part in self.parts}
        doing = [part for part in self.parts if name in part.services]
        running = [part for part in doing if part.pid is not None]
        if name in SERVICES and doing:
            return (running or doing)[0]
        if name not in parts:
            raise StackError(f"the stack has no {name!r}; it has {', '.join(parts)}")
        return parts[name]

    async def look(self) -> list[dict[str, Any]]:
        """A row for each part, as it is now."""
        return await asyncio.gather(*(part.look() for part in self.parts))

    def facts(self) -> dict[str, Any]:
        """What does not change while the stack runs."""
        found = {name: f"http://{ports.HOST}:{part.port}" for name, part in self.services.items()}
        if self.options.topology is Topology.MONOLITH:
            found = dict.fromkeys(SERVICES, found[MONOLITH])
        for name, part in self.services.items():
            if part.grpc_port is not None:
                found[f"{name}-grpc"] = f"grpc://{ports.HOST}:{part.grpc_port}"
        edges = self.proxy.pairs if self.proxy is not None else None
        stores = {"database": self.database_url, "redis": self.redis_url}
        return {"name": self.folder.name, "urls": found, **stores, "edges": edges}

    def _find_database(self) -> None:
        """Settle on the stack's database, and on one from which it can be made."""
        if named := self.options.settings.get("DATABASE_URL"):
            self.database_url = stack_url(named, self.folder.name)
            self._maintenance_url = parse_database_url(named).dsn
            return
        embedded = EmbeddedPostgres(self.folder.postgres, self.folder.log("postgres"))
        self.postgres = PostgresPart(embedded, self.guardian, self.options.restart)
        self.database_url, self._maintenance_url = embedded.url(EMBEDDED_NAME), embedded.url()

    def _find_redis(self) -> None:
        """Settle on the stack's Redis, where something asks for one."""
        settings = self.options.settings
        queue = settings.get("QUEUE_TYPE") == "redis"
        if not queue and settings.get("CACHE") != "redis":
            return
        self.redis_url = settings.get("REDIS_URL")
        if self.redis_url is None:
            socket_path = self.folder.socket_folder(SOCKET) / SOCKET
            server = RedisServer(self.folder.redis, self.folder.log("redis"), socket_path, durable=queue)
            self.redis = RedisPart(server, self.guardian, self.options.restart)
            self.redis_url = server.url

    async def _start_stores(self) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._start_database())
            if self.redis is not None:
                await self.redis.spawn()
                await self.redis.works()

    async def _start_database(self) -> None:
        if self.postgres is not None:
            await self.postgres.spawn()
        from prodigon_lib.stack.database import prepare  # its driver takes a while to load; Postgres starts

        if self.postgres is not None:
            await self.postgres.works()
        if self.proxy is not None:
            await self.proxy.works()
        await prepare(self.database_url, self._maintenance_url, self.guardian.add)
        record("database ready")

    async def _settle(self, service: ServicePart, stores: asyncio.Task[None]) -> None:
        if service.service != "model":  # the others look for their tables when they start
            await asyncio.shield(stores)
        await service.works()

    def _take_ports(self) -> None:
        taken = {name: self._listener(name) for name in self._names()}
        held = {name: self._held(name) for name in taken if self.options.grpc and service_of(name) == "model"}
        numbers, over_grpc = ports.numbers(taken), ports.numbers(held)
        edges = self._edges() if self.options.faults else None
        for name, listener in taken.items():
            spec = ServiceSpec(
                name=name,
                port=numbers[name],
                grpc_port=over_grpc.get(name),
                environment=self._environment(name, numbers, over_grpc, edges),
                log=self.folder.log(name),
                folder=self.folder.root,
            )
            self.services[name] = ServicePart(
                spec, listener, self.guardian, self.options.restart, held.get(name)
            )
        if edges is not None:
            control = edges.folder / "control.sock"
            self.proxy = ProxyPart(
                edges, control, self.folder.log("proxy"), self.guardian, self.options.restart
            )

    def _edges(self) -> EdgePlan:
        folder = self.folder.socket_folder(LONGEST_EDGE) / "edges"
        folder.mkdir(mode=0o700, exist_ok=True)
        return EdgePlan(folder)

    def _names(self) -> Iterator[str]:
        """`worker`, `worker-2`, `worker-3`: a service's first replica has its name."""
        if self.options.topology is Topology.MONOLITH:
            yield MONOLITH
            return
        for service, count in self.options.replicas.items():
            yield service
            yield from (f"{service}-{number}" for number in range(2, count + 1))

    def _listener(self, name: str) -> socket.socket:
        service = "gateway" if name == MONOLITH else name
        if service not in SERVICES:
            return self._ports.free()
        setting = PORT_SETTINGS[service]
        if asked := self.options.settings.get(setting):
            return self._ports.asked(int(asked), setting)
        return self._ports.free(ports.PREFERRED[service])

    def _held(self, name: str) -> socket.socket:
        """A port of gRPC, kept from others."""
        asked = self.options.settings.get(GRPC_SETTING)
        if name in SERVICES and asked:
            return ports.hold(self._ports.asked(int(asked), GRPC_SETTING))
        return ports.hold(self._ports.free(ports.PREFERRED["model-grpc"] if name in SERVICES else 0))

    def _environment(
        self, name: str, numbers: dict[str, int], over_grpc: dict[str, int], edges: EdgePlan | None
    ) -> dict[str, str]:
        service = service_of(name)

        def addresses(called: str) -> str:
            scheme, there = ("grpc", over_grpc) if called == "model" and over_grpc else ("http", numbers)
            found = {replica: number for replica, number in there.items() if service_of(replica) == called}
            if edges is not None and called in CALLS[service]:
                found = {replica: edges.port(name, replica, number) for replica, number in found.items()}
            return ",".join(f"{scheme}://{ports.HOST}:{number}" for number in found.values())

        database = self.database_url
        if edges is not None and "postgres" in CALLS[service]:
            database = through_proxy(database, name, edges)
        decided = {
            "MODEL_SERVICE_URL": addresses("model"),
            "WORKER_SERVICE_URL": addresses("worker"),
            "DATABASE_URL": database,
            "TRACE_FILE": str(self.folder.trace(name)),
            "WORKER_NAME": name,
            "SHUTDOWN_SECONDS": self.options.settings.get("SHUTDOWN_SECONDS", str(DRAIN_SECONDS)),
        }
        if self.redis_url is not None:
            decided["REDIS_URL"] = self.redis_url
            prefix = self.options.settings.get("REDIS_PREFIX", REDIS_PREFIX)
            decided["REDIS_PREFIX"] = redis_prefix(prefix, self.folder.name)
            if edges is not None and "redis" in CALLS[service]:
                decided["REDIS_URL"] = redis_through_proxy(self.redis_url, name, edges)
        if name in over_grpc:
            decided[GRPC_SETTING] = str(over_grpc[name])
        return service_environment(service, self.options.settings, decided)


def healthy(rows: list[dict[str, Any]]) -> bool:
    return all(row["health"] == Health.HEALTHY for row in rows)
