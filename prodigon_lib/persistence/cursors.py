"""Opaque cursors: where a page of a list ended, as its last entry's time and id.

A page that begins after an entry, and not at a count of entries, neither repeats nor skips one when others
are added in between.
"""

import base64
import binascii
from datetime import UTC, datetime
from uuid import UUID

from prodigon_lib.core.errors import ValidationFailed


def encode_cursor(moment: datetime, id: UUID) -> str:
    """URL-safe text that only `decode_cursor` need understand."""
    plain = f"{moment.astimezone(UTC).isoformat()} {id}"
    return base64.urlsafe_b64encode(plain.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, UUID]:
    """The time and the id that it holds.

    Raises:
        ValidationFailed: it is none that `encode_cursor` gave.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        moment, _, id = base64.b64decode(padded, altchars=b"-_", validate=True).decode().partition(" ")
        parsed = datetime.fromisoformat(moment)
        if parsed.tzinfo is None:
            raise ValueError("a cursor's time has a zone")
        return parsed.astimezone(UTC), UUID(id)
    except (ValueError, OverflowError, binascii.Error):
        raise ValidationFailed("cursor: is none that this list gave") from None
