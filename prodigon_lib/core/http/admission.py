"""What stands before a service's routes: who is let in, and what is said of it in the answer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.types import Scope

from prodigon_lib.core.errors import ProdigonError

SERVICE_HEADER = "X-Service-Token"
"""Says which service of ours calls; `Authorization` is for who calls the gateway."""

RawHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Admission:
    """A request may go on, or is answered with `refusal`; the headers stand in the answer either way."""

    headers: RawHeaders = ()
    refusal: ProdigonError | None = None


Guard = Callable[[Scope], Awaitable[Admission]]


def in_turn(*guards: Guard | None) -> Guard | None:
    """One guard of those that are there: each is asked once those before it have let the request in."""
    there = [guard for guard in guards if guard is not None]
    if len(there) < 2:
        return there[0] if there else None

    async def ask(scope: Scope) -> Admission:
        said: list[tuple[bytes, bytes]] = []
        for guard in there:
            admission = await guard(scope)
            said += admission.headers
            if admission.refusal is not None:
                return Admission(said, admission.refusal)
        return Admission(said)

    return ask
