"""The error tree as gRPC statuses, and back: nothing is lost on the way."""

import pytest
from grpc import StatusCode

from prodigon_lib.core import errors
from prodigon_lib.core.errors import ProdigonError
from prodigon_lib.transport.grpc_status import CODES, DETAILS, code_for, details_of, error_in

NEVER_ON_A_WIRE = (ProdigonError, errors.SettingsError, errors.StackError)
KINDS = [
    kind
    for kind in vars(errors).values()
    if isinstance(kind, type) and issubclass(kind, ProdigonError) and kind not in NEVER_ON_A_WIRE
]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_each_error_comes_back_as_it_was(kind: type[ProdigonError]) -> None:
    error = kind("größer: “no” 🦉", retry_after=2.5)
    found = error_in(details_of(error, "request-1"))
    assert type(found) is kind
    assert (found.code, found.message, found.retry_after) == (error.code, error.message, 2.5)
    assert found.request_id == "request-1"


def test_a_code_of_its_own_is_kept() -> None:
    found = error_in(details_of(errors.Conflict("again", code="JOB_FINISHED"), "r"))
    assert (type(found), found.code, found.retry_after) == (errors.Conflict, "JOB_FINISHED", None)


def test_every_status_has_a_code() -> None:
    assert {kind.status for kind in KINDS} <= set(CODES)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_only_what_may_succeed_later_invites_another_try(kind: type[ProdigonError]) -> None:
    retried = {StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED, StatusCode.DEADLINE_EXCEEDED}
    assert (code_for(kind("x")) in retried) == kind.retryable


@pytest.mark.parametrize("trailing", [(), ((DETAILS, b"\xff\xff"),), ((DETAILS, b""),), (("other", "text"),)])
def test_what_is_not_ours_is_none(trailing: tuple[tuple[str, str | bytes], ...]) -> None:
    assert error_in(trailing) is None
