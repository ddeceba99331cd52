"""What panels and their kernel say to each other.

browser to kernel                       kernel to browser, several in one `batch`
hello  view                             alive   unknown: asks that the kernel has forgotten
alive  views, asks                      answer  id, value
bye    view                             item    id, value: one of a stream
ask    id, view, method, params         end     id: of a stream
cancel id                               fault   id, fault
                                        event   name, value: to every view of the panel
"""

import logging
from dataclasses import dataclass
from typing import Any

from prodigon_lib.core.errors import ProdigonError

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Attached:
    """An answer with bytes beside it, which go as they are."""

    value: Any
    buffers: list[bytes]


def fault_of(error: BaseException) -> dict[str, Any]:
    """An error as a panel shows it. One that is not ours is a bug: its trace goes to the kernel's log."""
    if isinstance(error, ProdigonError):
        return {
            "code": error.code,
            "message": error.message,
            "retryable": error.retryable,
            "request_id": error.request_id,
        }
    log.error("a panel failed", exc_info=error)
    return {
        "code": "PANEL_ERROR",
        "message": f"{type(error).__name__}: {error}",
        "retryable": False,
        "request_id": None,
    }
