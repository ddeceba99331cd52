"""The tree of errors crosses the wire and comes back as itself."""

import pytest

from prodigon_lib.core import errors
from prodigon_lib.core.errors import ProdigonError, RateLimited, UpstreamError, error_for


def kinds(root: type[ProdigonError] = ProdigonError) -> list[type[ProdigonError]]:
    """The tree in the module itself; a layer above may have leaves of its own that never cross the wire."""
    found = [kind for child in root.__subclasses__() for kind in (child, *kinds(child))]
    return [kind for kind in found if kind.__module__ == errors.__name__]


ON_THE_WIRE = [kind for kind in kinds() if kind not in (errors.SettingsError, errors.StackError)]


@pytest.mark.parametrize("kind", ON_THE_WIRE, ids=lambda kind: kind.__name__)
def test_an_error_is_rebuilt_from_its_own_envelope(kind: type[ProdigonError]) -> None:
    sent = kind("what went wrong")
    rebuilt = error_for(sent.status, sent.envelope("r-1"))
    assert type(rebuilt) is kind
    assert (rebuilt.code, rebuilt.message, rebuilt.request_id) == (sent.code, "what went wrong", "r-1")


@pytest.mark.parametrize("kind", ON_THE_WIRE, ids=lambda kind: kind.__name__)
def test_without_a_status_the_code_is_enough(kind: type[ProdigonError]) -> None:
    rebuilt = error_for(None, kind("no").envelope("r"))
    assert rebuilt.code == kind.default_code


def test_a_code_of_its_own_keeps_its_class() -> None:
    sent = errors.Conflict("other body", code="IDEMPOTENCY_CONFLICT")
    rebuilt = error_for(409, sent.envelope("r"))
    assert (type(rebuilt), rebuilt.code) == (errors.Conflict, "IDEMPOTENCY_CONFLICT")


@pytest.mark.parametrize("document", [None, [], "secret", {"error": "secret"}, {"detail": "secret"}])
def test_what_is_no_envelope_never_reaches_a_caller(document: object) -> None:
    error = error_for(500, document)
    assert "secret" not in str(error.envelope("r"))
    assert error.status == 500


def test_an_unknown_status_is_an_upstream_fault() -> None:
    assert type(error_for(418, None)) is UpstreamError


@pytest.mark.parametrize(
    ("seconds", "header"), [(0.0, "1"), (0.2, "1"), (1.0, "1"), (1.01, "2"), (59.5, "60")]
)
def test_retry_after_is_whole_seconds_and_never_too_soon(seconds: float, header: str) -> None:
    assert RateLimited("slow down", retry_after=seconds).headers() == {"Retry-After": header}


def test_codes_are_unique_and_in_capitals() -> None:
    codes = [kind.default_code for kind in kinds()]
    assert len(codes) == len(set(codes))
    assert all(code == code.upper() for code in codes)
