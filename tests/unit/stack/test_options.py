"""What a stack may be asked for, and how two wishes are compared."""

import pytest

from prodigon_lib.core.errors import StackError
from prodigon_lib.stack.options import StackOptions, differences, stack_options


def test_defaults_are_one_of_each() -> None:
    options = stack_options()
    assert options.replicas == {"gateway": 1, "model": 1, "worker": 1}
    assert options.restart == "always"
    assert options.settings == {}


@pytest.mark.parametrize(
    ("wish", "word"),
    [
        ({"topology": "mesh"}, "topology"),
        ({"topology": "monolith", "replicas": {"worker": 2}}, "replicas"),
        ({"topology": "monolith", "grpc": True}, "grpc"),
        ({"auth": "yes"}, "auth"),
        ({"auth": True, "settings": {"AUTH": "none"}}, "auth"),
        ({"cache": "disk"}, "cache must be"),
        ({"faults": {"latency": 1}}, "faults"),
        ({"restart": "sometimes"}, "restart"),
        ({"replicas": {"worker": 0}}, "worker"),
        ({"replicas": {"worker": 17}}, "16"),
        ({"replicas": {"worker": True}}, "worker"),
        ({"replicas": {"gateway": 2}, "balancer": "none"}, "gateways"),
        ({"balancer": "fastest"}, "round_robin"),
        ({"balancer": "hash", "grpc": True}, "gRPC"),
        ({"replicas": {"redis": 1}}, "redis"),
        ({"replicas": {"worker": 2}, "settings": {"QUEUE_TYPE": "memory"}}, "QUEUE_TYPE"),
        ({"settings": {"GATEWAY_PORT": "eighty"}}, "GATEWAY_PORT"),
        ({"settings": {"GATEWAY_PORT": 70000}}, "GATEWAY_PORT"),
        ({"settings": {"MODEL_GRPC_PORT": 0}}, "MODEL_GRPC_PORT"),
        ({"settings": {"LOG_LEVLE": "INFO"}}, "LOG_LEVEL"),
        ({"settings": {"MODEL_SERVICE_URL": "http://elsewhere"}}, "MODEL_SERVICE_URL"),
    ],
)
def test_a_wrong_wish_is_named(wish: dict, word: str) -> None:
    with pytest.raises(StackError, match=word) as caught:
        stack_options(**wish)
    assert "\n" not in caught.value.message


def test_a_profile_asks_for_the_simulated_model() -> None:
    assert stack_options(profile="instant").settings == {"USE_MOCK": "true", "SIMULATED_PROFILE": "instant"}


def test_options_survive_the_wire() -> None:
    options = stack_options(replicas={"worker": 3}, restart="never", settings={"LOG_LEVEL": "DEBUG"})
    assert StackOptions.from_wire(options.wire()) == options


def test_a_topology_is_a_difference_that_is_named() -> None:
    one, other = stack_options(), stack_options(topology="monolith")
    assert StackOptions.from_wire(other.wire()) == other
    assert differences(one.fingerprint(), other.fingerprint()) == ["topology is services, not monolith"]


def test_differences_are_named_without_secrets() -> None:
    one = stack_options(settings={"GROQ_API_KEY": "key-one"}).fingerprint()
    other = stack_options(settings={"GROQ_API_KEY": "key-two"}, replicas={"worker": 2}).fingerprint()
    said = differences(one, other)
    assert said == ["GROQ_API_KEY differs", "worker replicas is 1, not 2"]
    assert "key-" not in f"{one}{other}"


def test_no_secret_in_a_repr() -> None:
    assert "key-one" not in repr(stack_options(settings={"GROQ_API_KEY": "key-one"}))


def test_alike_wishes_do_not_differ() -> None:
    assert differences(stack_options().fingerprint(), stack_options().fingerprint()) == []


def test_a_port_for_grpc_turns_it_on() -> None:
    assert not stack_options().grpc
    assert stack_options(grpc=True).grpc
    assert stack_options(settings={"MODEL_GRPC_PORT": 8003}).grpc
