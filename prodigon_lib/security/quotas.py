"""How many tokens a user may use on one day of UTC.

Tokens are set aside before a model is asked, as many as the answer may take at most: what is only counted
afterwards lets any number in at once. When the answer is there, what it took stands in their place.
"""

from datetime import UTC, datetime, time, timedelta

from prodigon_lib.core.errors import ProdigonError, QuotaExceeded
from prodigon_lib.core.ids import UserId
from prodigon_lib.core.logging import get_logger
from prodigon_lib.persistence.usage import Reservation, UsageRepository

BYTES_OF_A_TOKEN = 3
"""Fewer than most tokens have: an estimate of a prompt should not be too small."""

logger = get_logger("quotas")


class Quotas:
    """Args: `limit` is in tokens, prompts and answers together."""

    def __init__(self, usage: UsageRepository, limit: int) -> None:
        self.usage, self.limit = usage, limit

    async def reserve(self, user: UserId, tokens: int) -> Reservation:
        """
        Raises:
            QuotaExceeded: so many are not left today.
        """
        reservation = await self.usage.reserve(user, tokens, self.limit)
        if reservation is None:
            message = f"at most {self.limit} tokens may be used on one day, and this may take {tokens}"
            raise QuotaExceeded(message, retry_after=until_tomorrow(datetime.now(UTC)))
        return reservation

    async def settle(self, reservation: Reservation, used: int) -> None:
        """What can't be settled stays set aside until the day ends; the answer is given all the same."""
        if used == reservation.tokens:
            return
        try:
            await self.usage.settle(reservation, used)
        except ProdigonError as error:
            logger.warning("tokens stay set aside", reason=error.message, tokens=reservation.tokens)


def estimate(text_bytes: int) -> int:
    """Tokens of a prompt, before a model has counted them."""
    return -(-text_bytes // BYTES_OF_A_TOKEN)


def until_tomorrow(now: datetime) -> float:
    """Seconds until the day of UTC ends."""
    tomorrow = datetime.combine(now.date() + timedelta(days=1), time(), UTC)
    return (tomorrow - now).total_seconds()
