"""Clients of a stack's gateway, and the users whose they are."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.folder import StackFolder

if TYPE_CHECKING:
    from prodigon_lib.client import AsyncClient, Client


class StackClients:
    """The part of a `Stack` that makes them."""

    _folder: StackFolder
    _facts: Mapping[str, Any]

    @property
    def auth(self) -> bool:
        """Whether accounts are on."""
        return bool(self._facts.get("auth"))

    def client(self, *, user: str | None = None, role: str | None = None, **options: Any) -> "Client":
        """A client of the gateway; `options` as `Client` takes them.

        Args:
            user: whose it is, where accounts are on; without a `password` the account is this stack's own,
                and is made when there is none.
            role: that such an account gets, `learner`, `teacher` or `operator`; a new one is a learner's.

        Raises:
            StackError: accounts are off, or the account is not the stack's.
        """
        from prodigon_lib.client import Client

        return Client(str(self._facts["url"]), **self.credential(user, role=role, **options))

    def async_client(
        self, *, user: str | None = None, role: str | None = None, **options: Any
    ) -> "AsyncClient":
        from prodigon_lib.client import AsyncClient

        return AsyncClient(str(self._facts["url"]), **self.credential(user, role=role, **options))

    def credential(self, user: str | None, *, role: str | None = None, **options: Any) -> dict[str, Any]:
        """What a client of that user is made with, as `client` describes it."""
        if user is None or "password" in options:
            return options | ({} if user is None else {"user": user})
        if not self.auth:
            raise StackError(
                f"user: this stack has no accounts: Stack.start({self._folder.name!r}, auth=True)"
            )
        from prodigon_lib.stack.accounts import kept_account

        return options | {
            "user": user,
            "password": kept_account(self._folder, str(self._facts["database"]), user, role),
        }
