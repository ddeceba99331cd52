"""What stands before a service's routes: who is let in, and what is said of it in the answer."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from starlette.types import Scope

from prodigon_lib.core.errors import ProdigonError

RawHeaders = Sequence[tuple[bytes, bytes]]


@dataclass(frozen=True, slots=True)
class Admission:
    """A request may go on, or is answered with `refusal`; the headers stand in the answer either way."""

    headers: RawHeaders = ()
    refusal: ProdigonError | None = None


Guard = Callable[[Scope], Awaitable[Admission]]
