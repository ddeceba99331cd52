"""Identifiers, one type each, so that a session's id is never taken for a job's."""

from collections.abc import Iterator
from secrets import token_hex
from typing import NewType
from uuid import UUID, uuid4

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
MessageId = NewType("MessageId", UUID)
JobId = NewType("JobId", UUID)
KeyId = NewType("KeyId", UUID)
LoginId = NewType("LoginId", UUID)
RequestId = NewType("RequestId", str)

REQUEST_ID_BYTES = 16
DRAWN_AT_ONCE = 64

DEFAULT_USER_ID = UserId(UUID("00000000-0000-4000-8000-000000000001"))
"""The user who owns every session and job until accounts exist; the first migration writes the row."""


def new_user_id() -> UserId:
    return UserId(uuid4())


def new_key_id() -> KeyId:
    return KeyId(uuid4())


def new_login_id() -> LoginId:
    return LoginId(uuid4())


def new_session_id() -> SessionId:
    return SessionId(uuid4())


def new_message_id() -> MessageId:
    return MessageId(uuid4())


def new_job_id() -> JobId:
    return JobId(uuid4())


def request_ids() -> Iterator[RequestId]:
    """New ids without end, drawn many at a time: a system call each would cost more."""
    while True:
        drawn = token_hex(REQUEST_ID_BYTES * DRAWN_AT_ONCE)
        digits = 2 * REQUEST_ID_BYTES
        for start in range(0, len(drawn), digits):
            yield RequestId(drawn[start : start + digits])
