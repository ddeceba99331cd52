"""What a panel looks at: a stack, or a gateway somewhere."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from prodigon_lib.core.errors import BadRequest
from prodigon_lib.stack import Stack

System = Stack | str | None
"""What a panel is given: a stack, a gateway's URL, or nothing for the default stack."""


@dataclass(frozen=True)
class Target:
    """`stack` is `None` where only the gateway's address is known; logs, traces and faults need a stack.

    `credential` is what its clients are made with. It stays here: no page is told of it.
    """

    url: str
    stack: Stack | None = None
    credential: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def of(cls, system: System, **given: str | None) -> "Target":
        """Args: `given` are `user`, `password` and `api_key`, as a client takes them.

        Raises:
            StackError: the default stack does not start, or it has no accounts. BadRequest: it is no URL of
                a gateway.
        """
        credential = {name: value for name, value in given.items() if value is not None}
        if isinstance(system, str):
            if not system.startswith(("http://", "https://")):
                raise BadRequest(
                    f"a panel takes a Stack or a URL such as http://127.0.0.1:8000, not {system!r}"
                )
            return cls(system.rstrip("/"), None, credential)
        stack = Stack.start() if system is None else system
        return cls(stack.url, stack, stack.credential(credential.pop("user", None), **credential))

    @property
    def name(self) -> str:
        """As a panel's head shows it."""
        return self.url if self.stack is None else self.stack.name
