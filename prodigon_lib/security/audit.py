"""The audit log: who did what, and what came of it.

It is written beside the request and never in its way: a request that is turned away must not cost a round
trip, nor one that is let in fail since the log is away. What can't be kept is counted, and the count is
written down once the log is back.
"""

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from enum import StrEnum
from itertools import islice
from typing import Any
from uuid import uuid4

from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.core.ids import KeyId, UserId
from prodigon_lib.core.logging import get_logger
from prodigon_lib.persistence.audit import AuditRecord, AuditRepository

logger = get_logger("audit", service="gateway")

MOST_WAITING = 10_000
AT_ONCE = 500
"""Rows in one statement: each has ten values, and Postgres takes 32,767 in all."""
TRY_AGAIN_SECONDS = 0.5
CLOSE_SECONDS = 3.0
PRUNE_EVERY_SECONDS = 3600.0
LONGEST = {"target": 200, "address": 64, "request_id": 128}

Key = tuple[object, ...]


class AuditEvent(StrEnum):
    """`what.became_of_it`; a denial is `access` with the route as its target."""

    ACCESS = "access"
    LOGIN = "login"
    OIDC_LOGIN = "login.oidc"
    LOGOUT = "logout"
    REFRESH_REUSED = "refresh.reused"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_DELETED = "account.deleted"
    ACCOUNT_DISABLED = "account.disabled"
    ACCOUNT_ENABLED = "account.enabled"
    PASSWORD_CHANGED = "password.changed"  # noqa: S105 (a name of what happened)
    PASSWORD_RESET = "password.reset"  # noqa: S105 (so too)
    ROLE_CHANGED = "role.changed"
    KEY_CREATED = "key.created"
    KEY_REVOKED = "key.revoked"
    KEYS_ROTATED = "keys.rotated"
    LOST = "audit.lost"
    """So many records found no room; `times` is how many."""


class Outcome(StrEnum):
    SUCCESS = "success"
    FAILURE = "failure"
    """The credential was wrong."""
    DENIED = "denied"
    """It was right, or not asked for, and the caller may not."""


class AuditLog:
    """`record` from anywhere in the loop that `opened` runs in.

    What failed or was denied several times in a row, alike but for the request's id, is one record with the
    number of times, for as long as it waits to be written. So a flood of wrong passwords can't fill the disk.

    Args:
        days: what is older is deleted; without it all stays.
        lost: is called with the number of records that could not be kept.
    """

    def __init__(
        self,
        repository: AuditRepository,
        *,
        most: int = MOST_WAITING,
        days: float | None = None,
        lost: Callable[[int], object] = lambda count: None,
    ) -> None:
        self._repository, self._most, self._days, self._on_lost = repository, most, days, lost
        self._waiting: dict[Key, AuditRecord] = {}
        self._writing: list[AuditRecord] = []
        self._some = asyncio.Event()
        self._lost = 0
        self._closing = False

    def record(
        self,
        event: AuditEvent,
        *,
        outcome: Outcome,
        actor: UserId | None = None,
        key: KeyId | None = None,
        target: str | None = None,
        address: str | None = None,
        request_id: str | None = None,
    ) -> None:
        """Returns at once, and raises nothing.

        Args:
            actor: whose credential it was; `None` where none was good.
            target: what it was done to: a route, a key's id, the name that somebody tried. Never a secret.
        """
        target, address = fitted("target", target), fitted("address", address)
        apart = request_id if outcome is Outcome.SUCCESS else None
        alike = (event, outcome, actor, key, target, address, apart)
        if (found := self._waiting.get(alike)) is not None:
            found.times += 1
            return
        if len(self._waiting) + len(self._writing) >= self._most:
            self._lose(1)
            return
        request_id = fitted("request_id", request_id)
        self._waiting[alike] = new_record(
            event, outcome, actor=actor, key_id=key, target=target, address=address, request_id=request_id
        )
        self._some.set()

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        """Writes until the end of the block, and then what still waits, for three seconds at most."""
        writing = asyncio.create_task(self._write())
        tasks = [writing] if self._days is None else [writing, asyncio.create_task(self._prune(self._days))]
        try:
            yield
        finally:
            self._closing = True
            self._some.set()
            await asyncio.wait([writing], timeout=CLOSE_SECONDS)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            self._writing += self._waiting.values()
            self._give_up()
            if self._lost:
                logger.warning("audit records were lost at the end", count=self._lost)

    async def _write(self) -> None:
        while True:
            await self._some.wait()
            self._some.clear()
            while self._waiting or self._lost:
                await self._write_next()
            if self._closing:
                return

    async def _write_next(self) -> None:
        """What comes meanwhile is a record of its own, even where it is like one that is being written."""
        if self._lost:
            self._writing = [new_record(AuditEvent.LOST, Outcome.FAILURE, times=self._lost)]
            self._lost = 0
        for alike in list(islice(self._waiting, AT_ONCE - len(self._writing))):
            self._writing.append(self._waiting.pop(alike))
        while self._writing:
            try:
                await self._repository.add(self._writing)
                self._writing = []
            except ProdigonError:  # Postgres is away, or slow
                await asyncio.sleep(TRY_AGAIN_SECONDS)
            except Exception:
                logger.exception("audit records could not be written")
                self._give_up()
                await asyncio.sleep(TRY_AGAIN_SECONDS)

    async def _prune(self, days: float) -> None:
        while True:
            await asyncio.sleep(PRUNE_EVERY_SECONDS * random.uniform(0.5, 1.0))
            with suppress(ProdigonError):
                await self._repository.prune(days)

    def _give_up(self) -> None:
        for record in self._writing:
            if record.event == AuditEvent.LOST:  # counted already
                self._lost += record.times
            else:
                self._lose(record.times)
        self._writing = []

    def _lose(self, count: int) -> None:
        self._lost += count
        self._on_lost(count)


def new_record(event: AuditEvent, outcome: Outcome, **others: Any) -> AuditRecord:
    return AuditRecord(uuid4(), datetime.now(UTC), event.value, outcome.value, **others)


def fitted(name: str, text: str | None) -> str | None:
    """As Postgres takes it: a caller's text may be of any length, and hold what no text there may."""
    if text is None:
        return None
    return text.replace("\0", "").encode("utf-8", "replace").decode()[: LONGEST[name]]
