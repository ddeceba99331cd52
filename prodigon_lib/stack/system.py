"""All parts of one running stack, started together and stopped in order."""

import asyncio
import socket
from collections.abc import Mapping
from typing import Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.persistence.url import parse_database_url
from prodigon_lib.security.envelope_keys import draw_envelope_key
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
from prodigon_lib.stack.envelope_keys import FIRST, kept_envelope_keys
from prodigon_lib.stack.environment import (
    GRPC_SETTING,
    MONOLITH,
    SERVICES,
    service_environment,
)
from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.guardian import Guardian
from prodigon_lib.stack.listeners import Listeners
from prodigon_lib.stack.nginx.balance import Balance, policy
from prodigon_lib.stack.nginx.binary import find_nginx
from prodigon_lib.stack.nginx.config import USUAL_BODY
from prodigon_lib.stack.nginx.part import NginxPart, plan_nginx
from prodigon_lib.stack.options import NO_BALANCER, StackOptions, Topology
from prodigon_lib.stack.part import Part
from prodigon_lib.stack.postgres import EmbeddedPostgres
from prodigon_lib.stack.probe import Health
from prodigon_lib.stack.record import record
from prodigon_lib.stack.redis import SOCKET, RedisServer
from prodigon_lib.stack.server import PostgresPart, RedisPart
from prodigon_lib.stack.service import ServicePart, ServiceSpec
from prodigon_lib.stack.wiring import CALLS, NGINX, Wiring

DRAIN_SECONDS = 2.5
"""A service's own `SHUTDOWN_SECONDS`, when nobody set it: with Postgres after it, all ends within ten."""

LAST_SECONDS = 1.5
REDIS_PREFIX = "prodigon"

LONGEST_EDGE = "edges/gateway-16/.s.PGSQL.5432"


class System:
    """Postgres, Redis where it is used, and the services of one stack; with faults, a proxy between them."""

    def __init__(self, folder: StackFolder, options: StackOptions, guardian: Guardian) -> None:
        self.folder, self.options, self.guardian = folder, options, guardian
        self.postgres: PostgresPart | None = None
        self.redis: RedisPart | None = None
        self.services: dict[str, ServicePart] = {}
        self.nginx: NginxPart | None = None
        self.proxy: ProxyPart | None = None
        self.database_url = self._maintenance_url = ""
        self.redis_url: str | None = None
        self._envelope_keys = ""
        self._service_keys = draw_envelope_key(FIRST)
        self._ports = ports.Ports()
        self._changing = asyncio.Lock()

    @property
    def parts(self) -> list[Part]:
        others = (self.nginx, self.proxy, self.redis, self.postgres)
        return [*self.services.values(), *(part for part in others if part is not None)]

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
        self._envelope_keys = kept_envelope_keys(self.folder)
        self._take_ports()
        try:
            async with asyncio.TaskGroup() as group:
                for service in self.services.values():
                    await service.spawn()
                if self.proxy is not None:
                    await self.proxy.spawn()
                if self.nginx is not None:
                    await self.nginx.spawn()
                    group.create_task(self.nginx.works())
                ready = group.create_task(self._start_stores())
                for service in self.services.values():
                    group.create_task(self._settle(service, ready))
        except ExceptionGroup as several:
            raise several.exceptions[0] from None
        for part in self.parts:
            part.watch()

    async def stop(self, patience: float | None = None) -> None:
        """Stop those who take requests, then nginx and the model that they still need, then Postgres."""
        allowed = self.patience if patience is None else patience
        first = [part for part in self.services.values() if part.service != "model"]
        last = [part for part in self.services.values() if part.service == "model"]
        between = [self.nginx] if self.nginx is not None else []
        for wave, seconds in ((first, allowed), (between, LAST_SECONDS), (last, LAST_SECONDS)):
            await asyncio.gather(*(part.stop(seconds) for part in wave))
        for service in self.services.values():
            service.close_ports()
        if self.nginx is not None:
            self.nginx.close_ports()
        if self.proxy is not None:
            await self.proxy.stop(LAST_SECONDS)
        await asyncio.gather(*(store.stop(LAST_SECONDS) for store in (self.redis, self.postgres) if store))
        self._ports.close()

    async def restart(self, name: str) -> None:
        """Stop one part in order and start it. Raises StackError when it does not come up."""
        async with self._changing:
            await self.find(name).start_again(self.patience)

    @property
    def balancer(self) -> NginxPart:
        """Raises StackError when the stack has none."""
        if self.nginx is None:
            raise StackError("the stack has no balancer")
        return self.nginx

    async def balance(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Deal out the model's calls otherwise from now on. Raises StackError, and then nothing changed."""
        async with self._changing:
            return await self.balancer.change(wish)

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
        url, balanced = found["gateway"], None
        if self.nginx is not None:
            at = {service: f"http://{ports.HOST}:{port}" for service, port in self.nginx.plan.ports.items()}
            url = at.get("gateway", url)
            found |= {f"{NGINX}-{service}": place for service, place in at.items()}
            balanced = dict(self.nginx.upstreams["model"].servers) if "model" in at else None
        edges = self.proxy.pairs if self.proxy is not None else None
        facts = {"name": self.folder.name, "urls": found, "url": url, "edges": edges, "balanced": balanced}
        return {**facts, "database": self.database_url, "redis": self.redis_url, "auth": self.options.auth}

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
        counted_together = "RATE_LIMIT" in settings and self.options.replicas.get("gateway", 1) > 1
        if not queue and not counted_together and settings.get("CACHE") != "redis":
            return
        self.redis_url = settings.get("REDIS_URL")
        if self.redis_url is None:
            socket_path = self.folder.socket_folder(SOCKET) / SOCKET
            server = RedisServer(self.folder.redis, self.folder.log("redis"), socket_path, durable=queue)
            self.redis = RedisPart(server, self.guardian, self.options.restart)
            self.redis_url = server.url

    async def _start_stores(self) -> None:
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._start_database())
                if self.redis is not None:
                    await self.redis.spawn()
                    await self.redis.works()
        except ExceptionGroup as several:
            raise several.exceptions[0] from None

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
        taken = Listeners(self.options, self._ports)
        numbers, over_grpc = ports.numbers(taken.services), ports.numbers(taken.grpc)
        edges = self._edges() if self.options.faults else None
        wiring = Wiring(numbers, over_grpc, ports.numbers(taken.nginx), edges)
        for name, listener in taken.services.items():
            spec = ServiceSpec(
                name=name,
                port=numbers[name],
                grpc_port=over_grpc.get(name),
                environment=self._environment(name, wiring),
                log=self.folder.log(name),
                folder=self.folder.root,
            )
            self.services[name] = ServicePart(
                spec, listener, self.guardian, self.options.restart, taken.grpc.get(name)
            )
        if taken.nginx:
            self.nginx = self._nginx(taken.nginx, wiring)
        if edges is not None:
            control = edges.folder / "control.sock"
            self.proxy = ProxyPart(
                edges, control, self.folder.log("proxy"), self.guardian, self.options.restart
            )

    def _nginx(self, held: Mapping[str, socket.socket], wiring: Wiring) -> NginxPart:
        servers = {service: wiring.behind_nginx(service) for service in held}
        body = self.options.settings.get("MAX_BODY_BYTES", USUAL_BODY)
        named = self.options.balancer
        balance = Balance() if named == NO_BALANCER else Balance(policy(named))
        plan = plan_nginx(find_nginx(), servers, held, body, balance)
        return NginxPart(plan, self.folder, self.guardian, self.options.restart)

    def _edges(self) -> EdgePlan:
        folder = self.folder.socket_folder(LONGEST_EDGE) / "edges"
        folder.mkdir(mode=0o700, exist_ok=True)
        return EdgePlan(folder)

    def _environment(self, name: str, wiring: Wiring) -> dict[str, str]:
        service, edges = service_of(name), wiring.edges
        database = self.database_url
        if edges is not None and "postgres" in CALLS[service]:
            database = through_proxy(database, name, edges)
        decided = {
            "MODEL_SERVICE_URL": wiring.addresses(name, "model"),
            "WORKER_SERVICE_URL": wiring.addresses(name, "worker"),
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
        if service in wiring.balanced and "TRUSTED_PROXIES" not in self.options.settings:
            decided["TRUSTED_PROXIES"] = ports.HOST
        if "ENVELOPE_KEYS" not in self.options.settings:
            decided["ENVELOPE_KEYS"] = self._envelope_keys
        if self.options.auth and "SERVICE_KEYS" not in self.options.settings:
            decided["SERVICE_KEYS"] = self._service_keys
        if name in wiring.over_grpc:
            decided[GRPC_SETTING] = str(wiring.over_grpc[name])
        return service_environment(service, self.options.settings, decided)


def healthy(rows: list[dict[str, Any]]) -> bool:
    return all(row["health"] == Health.HEALTHY for row in rows)
