"""Who shows that credential: what the gateway asks before each request, once accounts are on."""

from typing import Protocol

from prodigon_lib.core.principal import Principal


class Authenticator(Protocol):
    async def authenticate(self, credential: str) -> Principal:
        """Args: `credential` is what follows `Bearer`, an access token or an API key.

        Raises:
            Unauthenticated: it is none, or not good any more; the answer does not say why.
        """
        ...
