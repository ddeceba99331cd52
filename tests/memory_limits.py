"""What a worker's ceiling on its memory must be, wherever it is deployed."""

from prodigon_lib.worker.ceiling import MEGABYTE

IDLE_BYTES = 110 * MEGABYTE
"""A service's own bound; with less above it, a worker would begin anew without end."""
ROOM_TO_DRAIN = 50 * MEGABYTE
"""For what it has in hand when it stops taking more."""


def check_ceiling(megabytes: str, container_mebibytes: int) -> None:
    assert IDLE_BYTES < MEGABYTE * int(megabytes) <= 2**20 * container_mebibytes - ROOM_TO_DRAIN
