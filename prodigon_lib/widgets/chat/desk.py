"""The kernel's half of the chat panel."""

from collections.abc import Mapping
from typing import Any

from prodigon_lib.client import calls
from prodigon_lib.client.values import Options
from prodigon_lib.core.errors import Conflict
from prodigon_lib.core.schemas.chat import MAX_TITLE, SessionView
from prodigon_lib.core.schemas.generate import DEFAULT_MAX_TOKENS, DEFAULT_TEMPERATURE, MAX_TOKENS, Role
from prodigon_lib.widgets.bridge import Bridge, Handler
from prodigon_lib.widgets.chat.turn import Turn
from prodigon_lib.widgets.chat.turns import Turns
from prodigon_lib.widgets.desk import Desk
from prodigon_lib.widgets.target import Target

TITLE_CHARACTERS = 60


class ChatDesk(Desk):
    """Sessions and messages are the gateway's; turns that run, and the settings, are kept here."""

    def __init__(self, target: Target, bridge: Bridge) -> None:
        super().__init__(target, bridge)
        self._turns = Turns(self.client, self._tell_turn, self._tell_text, self.met)
        self._options: Options = {"temperature": DEFAULT_TEMPERATURE, "max_tokens": DEFAULT_MAX_TOKENS}

    def handlers(self) -> Mapping[str, Handler]:
        return {
            **super().handlers(),
            "settings": self.settings,
            "models": self.models,
            "sessions": self.sessions,
            "open": self.open,
            "ask": self.ask,
            "again": self.again,
            "stop": self.stop,
            "change": self.change,
            "delete": self.delete,
        }

    async def settings(self, options: Options | None = None) -> dict[str, Any]:
        """How answers are asked for; with `options`, from now on."""
        if options is not None:
            self._options = options
        return {"options": self._options, "most_tokens": MAX_TOKENS}

    async def models(self) -> list[str]:
        return [card.id for card in await self.client.models()]

    async def sessions(self, q: str | None = None, cursor: str | None = None) -> dict[str, Any]:
        """One page, newest first."""
        page = await self.client.call(calls.sessions_page(q or None, cursor))
        return {"items": [view.model_dump(mode="json") for view in page.items], "next": page.next_cursor}

    async def open(self, session: str) -> dict[str, Any]:
        """A session with its messages, and its latest turn with its text so far."""
        detail = await self.client.session(session)
        turn = self._turns.of(session)  # after the wait: a view goes on from here with the texts that follow
        shown = None if turn is None else {**turn.wire(), "text": turn.text}
        return {"session": detail.model_dump(mode="json"), "turn": shown}

    async def ask(
        self,
        content: str,
        turn: str,
        session: str | None = None,
        replace: str | None = None,
        system_prompt: str | None = None,
    ) -> dict[str, Any]:
        """Begin the turn that the view calls `turn`, in a new session when none is named.

        `replace` is an earlier message of the session: it and all after it make room.
        """
        made: SessionView | None = None
        if session is None:
            made = await self.client.create_session(title_of(content), system_prompt=system_prompt or None)
            session = str(made.id)
            self._tell_sessions()
        self._turns.start(Turn(session, content, self._options, turn), replace)
        return {"session": session, "made": None if made is None else made.model_dump(mode="json")}

    async def again(self, session: str, turn: str) -> dict[str, Any]:
        """Ask a session's last question once more: after a fault, a stop, or for another answer."""
        messages = (await self.client.session(session)).messages
        asked = next((each for each in reversed(messages) if each.role is Role.USER), None)
        last = self._turns.of(session)
        if last is not None and last.question_id is None and (asked is None or asked.content != last.content):
            return await self.ask(last.content, turn, session)  # it failed before it was saved
        if asked is None:
            raise Conflict("there is no question to ask again")
        return await self.ask(asked.content, turn, session, replace=str(asked.id))

    async def stop(self, session: str) -> None:
        await self._turns.stop(session)

    async def change(self, session: str, **changes: Any) -> dict[str, Any]:
        """A new `title` or `system_prompt`."""
        view = await self.client.update_session(session, **changes)
        self._tell_sessions()
        return view.model_dump(mode="json")

    async def delete(self, session: str) -> None:
        await self._turns.stop(session)
        await self.client.delete_session(session)
        self._turns.forget(session)
        self.publish("deleted", {"session": session})
        self._tell_sessions()

    async def close(self) -> None:
        await self._turns.close()
        await super().close()

    def _tell_turn(self, turn: Turn) -> None:
        self.publish("turn", turn.wire())
        if turn.ended:
            self._tell_sessions()

    def _tell_text(self, turn: Turn, at: int, text: str) -> None:
        self.publish_text("text", {"session": turn.session, "turn": turn.id, "at": at}, text, key=turn.id)

    def _tell_sessions(self) -> None:
        self.publish("sessions", {}, latest=True)


def title_of(content: str) -> str:
    """A session's first title: how its first question begins."""
    line = " ".join(content.split())[:MAX_TITLE]
    return line if len(line) <= TITLE_CHARACTERS else f"{line[: TITLE_CHARACTERS - 1].rstrip()}…"
