"""What a stack says of itself."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload

from prodigon_lib.stack.probe import Health


@dataclass(frozen=True, slots=True)
class ServiceStatus:
    """One process of the stack.

    `name` tells replicas apart (`worker`, `worker-2`); `service` is the same for all of them. `pid` is `None`
    while it does not run, a port for what has none. `uptime` is in seconds.
    """

    name: str
    service: str
    pid: int | None
    port: int | None
    grpc_port: int | None
    health: Health
    reason: str
    restarts: int
    uptime: float

    @property
    def remark(self) -> str:
        """What else there is to say: why it is not healthy, where it answers over gRPC."""
        over_grpc = f"gRPC on port {self.grpc_port}" if self.grpc_port is not None else ""
        return "; ".join(filter(None, (self.reason, over_grpc)))

    @classmethod
    def from_wire(cls, row: Mapping[str, Any]) -> "ServiceStatus":
        return cls(**{**row, "health": Health(row["health"])})


@dataclass(frozen=True, slots=True)
class StackStatus(Sequence[ServiceStatus]):
    """Every process of a stack, gateway first.

    `held_by` has the pids of those who hold it; `labs` those of the labs that keep it a while after them.
    """

    name: str
    supervisor: int
    guard: int
    held_by: tuple[int, ...]
    labs: tuple[int, ...]
    parts: tuple[ServiceStatus, ...]

    @classmethod
    def from_wire(cls, answer: Mapping[str, Any]) -> "StackStatus":
        facts = answer["facts"]
        return cls(
            name=facts["name"],
            supervisor=facts["supervisor"],
            guard=facts["guard"],
            held_by=tuple(answer["held_by"]),
            labs=tuple(answer["labs"]),
            parts=tuple(ServiceStatus.from_wire(row) for row in answer["parts"]),
        )

    @property
    def healthy(self) -> bool:
        return all(part.health is Health.HEALTHY for part in self.parts)

    @property
    def pids(self) -> dict[str, int]:
        """By name, of all that runs; the supervisor and its guard too."""
        running = {part.name: part.pid for part in self.parts if part.pid is not None}
        return {**running, "supervisor": self.supervisor, "guard": self.guard}

    def part(self, name: str) -> ServiceStatus:
        """Raises KeyError when there is no process of that name."""
        for part in self.parts:
            if part.name == name:
                return part
        raise KeyError(name)

    @overload
    def __getitem__(self, index: int) -> ServiceStatus: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[ServiceStatus]: ...
    def __getitem__(self, index: int | slice) -> ServiceStatus | Sequence[ServiceStatus]:
        return self.parts[index]

    def __len__(self) -> int:
        return len(self.parts)

    def __iter__(self) -> Iterator[ServiceStatus]:
        return iter(self.parts)

    def __str__(self) -> str:
        lines = [f"{'':<10} {'pid':>7} {'port':>6}  {'health':<10} {'restarts':>8} {'uptime':>9}"]
        lines += [
            f"{part.name:<10} {part.pid or '-':>7} {part.port or '-':>6}  {part.health:<10}"
            f" {part.restarts:>8} {part.uptime:>7.1f} s  {part.remark}".rstrip()
            for part in self.parts
        ]
        return "\n".join(lines)
