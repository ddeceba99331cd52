"""A leak is measured and named from outside; what processes share is counted once."""

import pytest

from prodigon_lib.workshop.lessons.lesson_07_memory_management.sharing import four_workers, together
from prodigon_lib.workshop.load import closed_loop
from prodigon_lib.workshop.memory import SHARE
from prodigon_lib.workshop.memory_growth import resident, traced, watch_growth
from prodigon_lib.workshop.service_process import service_process
from prodigon_lib.workshop.targets import Target
from tests.integration.workshop.leaking_service import FACTORY, LEAK


async def test_the_slope_of_a_leak_is_measured_and_its_line_named() -> None:
    with service_process(FACTORY) as served:
        assert resident(served.url) > 20
        leak, sound = Target(f"{served.url}/leak"), Target(f"{served.url}/sound")
        flat = await watch_growth(served.url, sound, requests=240)
        steep = await watch_growth(served.url, leak, requests=240)
        with traced(served.url) as grown:
            await closed_loop(leak, in_flight=4, count=40)
    assert steep.slope == pytest.approx(LEAK / 1000, rel=0.25)
    assert flat.slope < steep.slope / 4
    where, code, megabytes, _ = grown.table().rows[0]
    assert (where.split(":")[0], code) == (
        "tests/integration/workshop/leaking_service.py",
        'kept.append(b"x" * LEAK)',
    )
    assert megabytes == pytest.approx(40 * LEAK / 1e6, rel=0.1)


@pytest.mark.skipif(SHARE != "proportional", reason="only Linux counts shared pages once")
def test_what_is_mapped_or_forked_is_there_once_and_used_objects_are_copied() -> None:
    found = together(four_workers(16))
    assert found["each loads it"] == pytest.approx(64, rel=0.15)
    assert found["each maps it"] == pytest.approx(16, rel=0.3)
    assert found["forked after loading"] == pytest.approx(16, rel=0.3)
    assert found["forked, then objects used"] > 50
