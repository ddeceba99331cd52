"""The turns that run in a panel, at most one a session. They end with their answer, not with a view."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from prodigon_lib.client import AsyncClient
from prodigon_lib.core.errors import Conflict, MessageNotFound, ProdigonError
from prodigon_lib.core.schemas.generate import MAX_CONTENT, Role
from prodigon_lib.widgets.chat.turn import Turn
from prodigon_lib.widgets.pace import in_beats

LOOK_SECONDS = 2.0
"""A fault is not to be told late because the next call hangs."""

Changed = Callable[[Turn], None]
Grown = Callable[[Turn, int, str], None]


class Turns:
    """Runs them. `changed` hears of each new state, `grown` of each token and where in the text it begins."""

    def __init__(
        self, client: AsyncClient, changed: Changed, grown: Grown, failed: Callable[..., None]
    ) -> None:
        self._client = client
        self._changed, self._grown, self._failed = changed, grown, failed
        self._turns: dict[str, Turn] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def of(self, session: str) -> Turn | None:
        """The latest of a session."""
        return self._turns.get(session)

    def start(self, turn: Turn, replace: str | None = None) -> None:
        """Ask; with `replace`, that message and all after it make room first.

        Raises:
            Conflict: an answer of this session is still being written.
        """
        session = turn.session
        if session in self._tasks:
            raise Conflict("an answer of this chat is still being written: stop it first")
        self._turns[session] = turn
        self._changed(turn)
        task = self._tasks[session] = asyncio.get_running_loop().create_task(
            self._run(turn, replace), name="panel turn"
        )
        task.add_done_callback(lambda _: self._tasks.pop(session, None))

    async def stop(self, session: str) -> None:
        """End the answer of a session, if one is being written; returns when what came of it is kept."""
        turn, task = self._turns.get(session), self._tasks.get(session)
        if turn is not None and task is not None:
            turn.stopping = True
            task.cancel()
            await asyncio.wait([task])

    def forget(self, session: str) -> None:
        self._turns.pop(session, None)

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, turn: Turn, replace: str | None) -> None:
        try:
            await self._take(turn, replace)
        except asyncio.CancelledError:
            if not turn.stopping:
                raise
            turn.stop()
            with suppress(ProdigonError):
                await self._keep(turn)
        except Exception as error:
            turn.fail(error)
            self._failed(error)
            await self._find_question(turn)
        self._changed(turn)

    async def _take(self, turn: Turn, replace: str | None) -> None:
        if replace is not None:
            with suppress(MessageNotFound):
                await self._client.delete_messages_from(turn.session, replace)
        async with self._client.chat(turn.session, turn.content, **turn.options) as tokens:
            turn.begin(tokens)
            self._changed(turn)
            async for token in in_beats(tokens):
                at = turn.length
                turn.add(token)
                self._grown(turn, at, token)
            turn.complete(tokens)

    async def _find_question(self, turn: Turn) -> None:
        """The id of a question that was saved before its turn failed, so that it can be edited."""
        with suppress(ProdigonError, TimeoutError):
            async with asyncio.timeout(LOOK_SECONDS):
                messages = (await self._client.session(turn.session)).messages
            if messages and (messages[-1].role, messages[-1].content) == (Role.USER, turn.content):
                turn.question_id = str(messages[-1].id)

    async def _keep(self, turn: Turn) -> None:
        """Save what was written before the stop: the server keeps whole answers only."""
        messages = (await self._client.session(turn.session)).messages
        if not messages or messages[-1].role is not Role.USER:
            return
        turn.question_id = str(messages[-1].id)
        if turn.text:
            meta: dict[str, Any] = turn.meta()
            kept = await self._client.add_message(
                turn.session, "assistant", turn.text[:MAX_CONTENT], meta=meta
            )
            turn.answer_id = str(kept.id)
