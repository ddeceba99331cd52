"""How requests are dealt out among the replicas of the model service."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from prodigon_lib.core.errors import StackError

HEAVIEST = 100


class Policy(StrEnum):
    """Who gets the next request."""

    ROUND_ROBIN = "round_robin"
    LEAST_CONNECTIONS = "least_connections"
    TWO_CHOICES = "two_choices"
    """Of two drawn at random, the one with fewer requests in flight."""
    HASH = "hash"
    """The same body, the same replica: one that keeps what it worked out finds it again."""


DIRECTIVES: Mapping[Policy, tuple[str, ...]] = {
    Policy.ROUND_ROBIN: (),
    Policy.LEAST_CONNECTIONS: ("least_conn;",),
    Policy.TWO_CHOICES: ("random two least_conn;",),
    Policy.HASH: ("hash $same_replica consistent;",),
}


@dataclass(frozen=True, slots=True)
class Balance:
    """A policy, and what of it differs between replicas.

    Args:
        weights: by replica; one that is not named has 1.
        drained: replicas that get no new request.
    """

    policy: Policy = Policy.LEAST_CONNECTIONS
    weights: Mapping[str, int] = field(default_factory=dict)
    drained: frozenset[str] = frozenset()

    def changed(self, wish: Mapping[str, Any], replicas: Iterable[str]) -> Self:
        """With what `wish` names, and the rest as it is.

        Raises:
            StackError: it names no replica, a weight is no number from 1 to 100, or nobody would be left.
        """
        known = tuple(replicas)
        changes: dict[str, Any] = {}
        if wish.get("policy") is not None:
            changes["policy"] = policy(wish["policy"])
        if wish.get("weights") is not None:
            changes["weights"] = weights(wish["weights"], known)
        if wish.get("drained") is not None:
            changes["drained"] = drained(wish["drained"], known)
        return replace(self, **changes)

    def wire(self) -> dict[str, Any]:
        return {
            "policy": self.policy.value,
            "weights": dict(self.weights),
            "drained": sorted(self.drained),
        }


def policy(name: object) -> Policy:
    """Raises StackError, which names the policies that there are."""
    if name not in list(Policy):
        raise StackError(f"balancer must be one of {', '.join(Policy)}, not {name!r}")
    return Policy(str(name))


def weights(wanted: Mapping[str, object], known: tuple[str, ...]) -> dict[str, int]:
    check(wanted, known)
    found = {}
    for name, weight in wanted.items():
        if isinstance(weight, bool) or not isinstance(weight, int) or not 1 <= weight <= HEAVIEST:
            raise StackError(f"the weight of {name} must be a number from 1 to {HEAVIEST}, not {weight!r}")
        found[name] = weight
    return found


def drained(wanted: Iterable[str], known: tuple[str, ...]) -> frozenset[str]:
    names = frozenset([wanted] if isinstance(wanted, str) else wanted)
    check(names, known)
    if names >= set(known):
        raise StackError(f"one of {', '.join(known)} must be left to answer")
    return names


def check(names: Iterable[str], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            raise StackError(f"there is no replica {name!r}; there are {', '.join(known)}")
