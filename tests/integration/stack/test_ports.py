"""Two stacks of one machine beside each other, one of them short of a service."""

from prodigon_lib import Stack
from tests.polling import eventually_sync


def test_a_service_that_is_down_finds_its_port_again() -> None:
    with Stack.start("ports-first", profile="instant", restart="never") as first:
        address = first.urls["model"]
        first.kill("model")
        eventually_sync(lambda: "model" not in first.status().pids)
        with Stack.start("ports-second", profile="instant") as second:
            assert address not in second.urls.values()
            first.restart_service("model")
            assert first.urls["model"] == address
            assert first.status().healthy
            assert second.status().healthy
