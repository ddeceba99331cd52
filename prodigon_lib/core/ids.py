"""Identifiers, one type each, so that a session's id is never taken for a job's."""

from secrets import token_hex
from typing import NewType
from uuid import UUID, uuid4

UserId = NewType("UserId", UUID)
SessionId = NewType("SessionId", UUID)
MessageId = NewType("MessageId", UUID)
JobId = NewType("JobId", UUID)
RequestId = NewType("RequestId", str)

DEFAULT_USER_ID = UserId(UUID("00000000-0000-4000-8000-000000000001"))
"""The user who owns every session and job until accounts exist; the first migration writes the row."""


def new_session_id() -> SessionId:
    return SessionId(uuid4())


def new_message_id() -> MessageId:
    return MessageId(uuid4())


def new_job_id() -> JobId:
    return JobId(uuid4())


def new_request_id() -> RequestId:
    return RequestId(token_hex(16))
