"""Secrets that change while the process runs: read again from where they came, taken by who needs one next.

What was begun with the old one ends with it. So a rotation has three steps: let both be valid, write the new
one where the process reads it, and end the old one once nobody asks with it.
"""

import asyncio
import signal
import sys
import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from prodigon_lib.core.errors import SettingsError
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.redaction import learn
from prodigon_lib.core.settings import Settings

logger = get_logger("secrets")

ASKED_AGAIN_SECONDS = 1.0
"""A secret that is refused for good must not have its sources asked with every request."""


class RotatingSecret:
    """One secret as it is now.

    Args:
        read: its value in the sources, or `None` where they have none any more. It may block.
    """

    def __init__(self, name: str, value: str, read: Callable[[], str | None] | None = None) -> None:
        self.name, self.now = name, value
        self._before: str | None = None
        self._read = read
        self._asking = asyncio.Lock()
        self._asked = float("-inf")

    async def other_than(self, refused: str) -> str | None:
        """What to try in place of the one that was refused just now: a newer one, else the one before.

        Who keeps the lock may be a moment behind who wrote the key down.
        """
        async with self._asking:  # of many that were refused at once, one asks
            if self.now == refused and time.monotonic() - self._asked >= ASKED_AGAIN_SECONDS:
                await self._ask()
            return self.now if self.now != refused else self._before

    async def refresh(self) -> None:
        """Take what the sources have now. One that they lost, or that can't be asked, leaves it as it is."""
        async with self._asking:
            await self._ask()

    async def _ask(self) -> None:
        if self._read is None:
            return
        self._asked = time.monotonic()
        try:
            found = await asyncio.to_thread(self._read)
        except SettingsError as error:
            logger.warning("a secret can't be read again", setting=self.name, reason=error.message)
            return
        if found is not None and found != self.now:
            learn([found])
            self.now, self._before = found, self.now
            logger.info("a secret was rotated", setting=self.name)


class Secrets:
    """Those of a process that may change while it runs; it looks for that at SIGHUP, and now and then."""

    def __init__(self, seconds: float) -> None:
        """`seconds` is how long a secret may be old before somebody refuses it."""
        self._seconds = seconds
        self._secrets: list[RotatingSecret] = []
        self._again = asyncio.Event()

    def rotating(
        self, settings: Settings, name: str, check: Callable[[str], object] = str
    ) -> RotatingSecret | None:
        """The setting `name`, where it is set. Settings that were not loaded can't be read again.

        Args:
            check: raises SettingsError for a value that is of no use; the one before is kept then.
        """
        value = getattr(settings, name)
        if value is None:
            return None
        again = settings.load_again

        def read() -> str | None:
            assert again is not None
            found = getattr(again(), name)
            if found is None:
                return None
            check(found.get_secret_value())
            return str(found.get_secret_value())

        secret = RotatingSecret(name.upper(), value.get_secret_value(), read if again is not None else None)
        if again is not None:
            self._secrets.append(secret)
        return secret

    def look(self) -> None:
        """Ask the sources soon, as at SIGHUP."""
        self._again.set()

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Looks for new ones while the block runs."""
        if not self._secrets:
            yield
            return
        task = asyncio.create_task(self._watch())
        heard = hears_hangups()
        loop = asyncio.get_running_loop()
        if heard:
            loop.add_signal_handler(signal.SIGHUP, self.look)
        try:
            yield
        finally:
            if heard:
                loop.remove_signal_handler(signal.SIGHUP)
            task.cancel()

    async def _watch(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._seconds):
                    await self._again.wait()
            except TimeoutError:
                pass
            self._again.clear()
            for secret in self._secrets:
                await secret.refresh()


def hears_hangups() -> bool:
    """Whether SIGHUP means to look again. In a terminal it means that the terminal is gone, and ends us."""
    in_terminal = sys.stdin is not None and sys.stdin.isatty()
    return threading.current_thread() is threading.main_thread() and not in_terminal
