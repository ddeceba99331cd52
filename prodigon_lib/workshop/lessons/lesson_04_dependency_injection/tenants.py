"""What exercise 4.3 is given: tenants, where they are looked up, and a client for each."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Tenant:
    """A customer, as it is set up now: a new key makes another value."""

    name: str
    key: str


class Directory(Protocol):
    """Where tenants are looked up."""

    async def find(self, name: str) -> Tenant | None: ...


class Client(Protocol):
    """Asks a model with one tenant's key."""

    async def generate(self, prompt: str) -> str: ...
    async def close(self) -> None: ...


OpenClient = Callable[[Tenant], Awaitable[Client]]
