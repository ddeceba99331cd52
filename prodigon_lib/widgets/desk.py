"""The kernel's half of a panel, whatever it shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from prodigon_lib.core.errors import UpstreamError, UpstreamTimeout, UpstreamUnavailable
from prodigon_lib.widgets.assets import send_asset
from prodigon_lib.widgets.bridge import Bridge, Chore, Handler
from prodigon_lib.widgets.door import Door, PanelClient
from prodigon_lib.widgets.services import ServiceWatch
from prodigon_lib.widgets.target import Target


class Desk:
    """What a browser may ask of a panel. It is made, used and closed in the background's event loop.

    A panel's own desk adds to `handlers` what its page asks, and to `chores` what goes on while it is seen.
    """

    def __init__(self, target: Target, bridge: Bridge) -> None:
        self.target = target
        self.publish = bridge.publish
        self.publish_text = bridge.publish_text
        self.door = Door(target, self._tell_shut)
        self.client = PanelClient(self.door, target)
        self.watch = ServiceWatch(self.client, self._tell_away)

    def handlers(self) -> Mapping[str, Handler]:
        return {"asset": send_asset, "system": self.system}

    def chores(self) -> Sequence[Chore]:
        return [self.watch.run]

    async def system(self) -> dict[str, Any]:
        """What the panel looks at, which of its services are away, and why it is not let in."""
        self.watch.hurry()
        return {
            "name": self.target.name,
            "url": self.target.url,
            "stack": self.target.stack is not None,
            "away": self.watch.away,
            "shut": self.door.words,
        }

    def met(self, error: BaseException) -> None:
        """A call failed: see at once whether a service is away."""
        if isinstance(error, (UpstreamError, UpstreamTimeout, UpstreamUnavailable)):
            self.watch.hurry()

    async def close(self) -> None:
        await self.client.close()

    def _tell_away(self, away: dict[str, str]) -> None:
        self.publish("services", {"away": away}, latest=True)

    def _tell_shut(self, words: str) -> None:
        self.publish("door", {"shut": words}, latest=True)
