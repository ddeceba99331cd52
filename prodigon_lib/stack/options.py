"""What a stack is started with, and how two such wishes differ."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from hashlib import sha256
from typing import Any, Self

from prodigon_lib.core.errors import StackError
from prodigon_lib.core.locations import PACKAGE
from prodigon_lib.core.version import library_version
from prodigon_lib.stack.environment import (
    GRPC_SETTING,
    MONOLITH,
    PORT_SETTINGS,
    SERVICES,
    found_settings,
)
from prodigon_lib.stack.nginx.balance import Balance, policy

MOST_REPLICAS = 16
NO_BALANCER = "none"
CACHES = ("memory", "redis")
ACCOUNTS = "accounts"
"""What `AUTH` says when accounts are on."""


class Restart(StrEnum):
    """Whether the supervisor revives a service that died."""

    ALWAYS = "always"
    NEVER = "never"


class Topology(StrEnum):
    """Whether the services are processes of their own, or one process together."""

    SERVICES = "services"
    MONOLITH = MONOLITH


READABLE = ("profile", "restart", "auth", "faults", "topology", "version", "grpc", "balancer")
"""The wishes whose values tell something; the others are digests, or many."""


@dataclass(frozen=True, slots=True)
class StackOptions:
    """Checked wishes for a stack, made by `stack_options`. `settings` holds secrets and is in no `repr`."""

    replicas: Mapping[str, int]
    profile: str | None
    restart: Restart
    topology: Topology
    settings: Mapping[str, str] = field(repr=False)
    version: str
    faults: bool
    auth: bool
    grpc: bool
    balancer: str
    """A policy of `stack.nginx.balance`, or `none`."""
    code: str
    """A digest of the library's source: a stack that runs older code is another stack."""

    def wire(self) -> dict[str, Any]:
        """As JSON takes it."""
        return asdict(self)

    @classmethod
    def from_wire(cls, document: Mapping[str, Any]) -> Self:
        restart, topology = Restart(document["restart"]), Topology(document["topology"])
        return cls(**{**document, "restart": restart, "topology": topology})

    def fingerprint(self) -> dict[str, str]:
        """Each wish as a short text, settings as digests: enough to compare, and no secret in it."""
        about = {f"{service} replicas": str(count) for service, count in self.replicas.items()}
        about |= {"profile": str(self.profile), "restart": self.restart.value, "version": self.version}
        about |= {"auth": str(self.auth), "faults": str(self.faults), "topology": self.topology.value}
        about |= {"grpc": str(self.grpc), "balancer": self.balancer}
        about |= {"the library's code": self.code}
        return about | {name: digest(value.encode()) for name, value in self.settings.items()}


def differences(running: Mapping[str, str], wanted: Mapping[str, str]) -> list[str]:
    """In words, what two fingerprints do not share; the values only where they tell something."""
    said = []
    for name in sorted({*running, *wanted}):
        old, new = running.get(name), wanted.get(name)
        if old == new:
            continue
        readable = name in READABLE or name.endswith(" replicas")
        said.append(f"{name} is {old}, not {new}" if readable else f"{name} differs")
    return said


def stack_options(
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
) -> StackOptions:
    """Check the wishes of `Stack.start`, which describes them.

    Raises:
        StackError: one is wrong, or asks for what this version does not have; the message names it.
    """
    if not isinstance(auth, bool):
        raise StackError(f"auth must be True or False, not {auth!r}")
    if topology not in list(Topology):
        raise StackError(f"topology must be 'services' or 'monolith', not {topology!r}")
    if topology == Topology.MONOLITH and any(count != 1 for count in (replicas or {}).values()):
        raise StackError("replicas: a monolith is one process; leave replicas out")
    if topology == Topology.MONOLITH and grpc:
        raise StackError("grpc: a monolith calls its model without a wire; leave grpc out")
    if not isinstance(faults, bool):
        raise StackError(f"faults must be True or False, not {faults!r}: set them through stack.faults")
    if restart not in list(Restart):
        raise StackError(f"restart must be 'always' or 'never', not {restart!r}")
    check_balancer(balancer, replicas or {}, grpc=grpc)
    if cache is not None and cache not in CACHES:
        raise StackError(f"cache must be 'memory' or 'redis', not {cache!r}")
    given = dict(settings or {})
    if cache is not None:
        given = {"CACHE": cache, **given}
    if auth:
        given = {"AUTH": ACCOUNTS, **given}
    if profile is not None:  # it is the simulated model's, so that is the model that is meant
        given = {"USE_MOCK": True, "SIMULATED_PROFILE": profile, **given}
    found = found_settings(given)
    if auth and found["AUTH"] != ACCOUNTS:
        raise StackError(f"auth: settings say AUTH={found['AUTH']}; leave one of both out")
    return StackOptions(
        replicas=checked_replicas(replicas or {}, found),
        profile=profile,
        restart=Restart(restart),
        topology=Topology(topology),
        settings=found,
        version=library_version(),
        faults=faults,
        auth=found.get("AUTH") == ACCOUNTS,
        grpc=grpc or (GRPC_SETTING in found and topology != Topology.MONOLITH),
        balancer=balancer or Balance().policy.value,
        code=code_digest(),
    )


def check_balancer(wanted: str | None, replicas: Mapping[str, int], *, grpc: bool) -> None:
    if wanted not in (None, NO_BALANCER):
        policy(wanted)
        if grpc:
            raise StackError(
                "balancer: over gRPC, callers deal their calls out themselves; leave one of both out"
            )
    if wanted == NO_BALANCER and replicas.get("gateway", 1) != 1:
        raise StackError("balancer: several gateways have one address only behind nginx; leave balancer out")


def checked_replicas(wanted: Mapping[str, int], settings: Mapping[str, str]) -> dict[str, int]:
    for name, count in wanted.items():
        if name not in SERVICES:
            raise StackError(f"replicas: there is no service {name!r}; scale {', '.join(SERVICES)}")
        if isinstance(count, bool) or not isinstance(count, int) or not 1 <= count <= MOST_REPLICAS:
            raise StackError(f"replicas of {name} must be a number from 1 to {MOST_REPLICAS}, not {count!r}")
    if wanted.get("worker", 1) > 1 and settings.get("QUEUE_TYPE") == "memory":
        raise StackError(
            "QUEUE_TYPE=memory keeps jobs in one process: use one worker, or QUEUE_TYPE=postgres or redis"
        )
    for service, name in (*PORT_SETTINGS.items(), ("model", GRPC_SETTING)):
        if (port := settings.get(name)) is not None and not (port.isdigit() and 0 < int(port) < 65536):
            raise StackError(f"{name}: the {service}'s port must be a number from 1 to 65535, not {port!r}")
    return {service: wanted.get(service, 1) for service in SERVICES}


def code_digest() -> str:
    """Of the paths, sizes and times of the library's files: much cheaper than of their text."""
    seen = []
    for path in sorted([*PACKAGE.rglob("*.py"), *PACKAGE.rglob("*.template")]):
        if "_workshop" not in path.parts:
            facts = path.stat()
            seen.append(f"{path}:{facts.st_size}:{facts.st_mtime_ns}")
    return digest("\n".join(seen).encode())


def digest(data: bytes) -> str:
    return sha256(data).hexdigest()[:12]
