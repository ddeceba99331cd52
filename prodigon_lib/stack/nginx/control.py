"""The balancer of a running stack, as a lesson sets it: `stack.balancer`."""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Self

from prodigon_lib.stack.folder import StackFolder
from prodigon_lib.stack.logs import read_logs

Ask = Callable[..., dict[str, Any]]
"""Sends a request to the supervisor; gives its answer."""


class Balancer:
    """nginx in front of the model service's replicas.

        stack.balancer.set(policy="round_robin", weights={"model-3": 3})
        stack.balancer.set(drained=["model-2"])
        stack.balancer.answered()

    Every call raises StackError when the stack does not run any more.
    """

    def __init__(self, ask: Ask, folder: StackFolder, replicas: Mapping[str, str]) -> None:
        self._ask, self._folder, self._replicas = ask, folder, dict(replicas)

    @property
    def replicas(self) -> dict[str, str]:
        """`host:port` where nginx finds each, by name."""
        return dict(self._replicas)

    def set(
        self,
        *,
        policy: str | None = None,
        weights: Mapping[str, int] | None = None,
        drained: Iterable[str] | None = None,
    ) -> Self:
        """Change what is named, and leave the rest as it is. What is in flight ends as it began.

        An nginx older than 1.27.4 closes connections that are idle just then; a caller that meets one so
        sends again, as the gateway and the workers do.

        Args:
            policy: `round_robin`, `least_connections`, `two_choices` or `hash`.
            weights: by replica, from 1 to 100; those that are not named have 1.
            drained: replicas that get no new request; `[]` lets all of them answer again.

        Raises:
            StackError: it names a policy or a replica that there is not, or nobody would be left.
        """
        wish = {"policy": policy, "weights": weights, "drained": None if drained is None else list(drained)}
        self._ask(do="balance", wish=wish)
        return self

    def get(self) -> dict[str, Any]:
        """`policy`, `weights` and `drained` as they are now."""
        return self._ask(do="balance", wish=None)

    def answered(self) -> Counter[str]:
        """How many requests each replica has answered since the stack began, by nginx's own log; those that
        only looked at its health are left out."""
        names = {address: name for name, address in self._replicas.items()}
        counts = Counter(dict.fromkeys(self._replicas, 0))
        for record in read_logs(self._folder, service="nginx"):
            last = str(record.get("to", "")).rpartition(", ")[2]
            if last in names and not str(record.get("path", "")).startswith("/health"):
                counts[names[last]] += 1
        return counts

    def __repr__(self) -> str:
        return f"Balancer({json.dumps(self.get())})"
