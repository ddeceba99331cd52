"""The network, as exercise 10.3 uses it: a name is looked up, and a request goes to an address."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Page:
    """An answer; `location` is where a redirect leads."""

    status: int
    text: str = ""
    location: str = ""


class Network(Protocol):
    async def lookup(self, host: str) -> list[str]:
        """The addresses of a host, as text; also of an address, in whichever way it is written.

        Raises:
            OSError: it has none.
            UnicodeError: it can be nobody's name.
        """
        ...

    async def get(self, url: str, address: str | None = None) -> Page:
        """One request; redirects are not followed.

        Args:
            address: where to connect to. Without it the host is looked up, now.

        Raises:
            OSError: nobody answers.
        """
        ...
