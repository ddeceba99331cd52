"""Ports that a stack keeps while nobody listens on them."""

from collections.abc import Iterator

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack import ports
from prodigon_lib.stack.ports import Ports


@pytest.fixture
def first() -> Iterator[Ports]:
    kept = Ports()
    yield kept
    kept.close()


@pytest.fixture
def second() -> Iterator[Ports]:
    kept = Ports()
    yield kept
    kept.close()


def given_up(kept: Ports) -> int:
    """The port of a service that has died: kept, and nobody listens."""
    with kept.free() as listener:
        return int(listener.getsockname()[1])


def test_a_port_of_a_dead_service_goes_to_no_other_stack(first: Ports, second: Ports) -> None:
    port = given_up(first)
    with second.free(port) as other:
        assert other.getsockname()[1] != port


def test_one_that_was_asked_for_is_refused_with_the_setting(first: Ports, second: Ports) -> None:
    port = given_up(first)
    with pytest.raises(StackError, match=f"GATEWAY_PORT: port {port} is kept by another stack"):
        second.asked(port, "GATEWAY_PORT")
    ports.listen(port).close()  # and nobody was left listening there


def test_the_service_itself_listens_there_again(first: Ports) -> None:
    port = given_up(first)
    with ports.listen(port) as again:
        assert again.getsockname()[1] == port


def test_a_stack_that_has_ended_keeps_nothing(first: Ports, second: Ports) -> None:
    port = given_up(first)
    first.close()
    with second.free(port) as other:
        assert other.getsockname()[1] == port


def test_many_stacks_get_ports_of_their_own(first: Ports, second: Ports) -> None:
    numbers = [given_up(each) for each in (first, second) * 20]
    assert len(set(numbers)) == len(numbers)
