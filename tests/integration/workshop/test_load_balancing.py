"""The experiments of lesson 8 that need no stack."""

from prodigon_lib.workshop.lessons.lesson_08_load_balancing_and_caching.layer_four import (
    AT_ONCE,
    CALLS,
    three_ways,
    three_ways_plot,
)


async def test_a_balancer_of_connections_pins_grpc_to_one_replica() -> None:
    counts = await three_ways()
    http, pinned, dealt_out = counts.values()
    assert [found.total() for found in counts.values()] == [CALLS] * 3
    assert max(pinned.values()) == CALLS
    assert len(http) == len(dealt_out) == 3
    assert max(dealt_out.values()) - min(dealt_out.values()) <= AT_ONCE
    assert "gRPC, balanced" in repr(three_ways_plot(counts))
