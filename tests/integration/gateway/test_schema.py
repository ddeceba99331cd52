"""Every documented endpoint, fuzzed from the gateway's own OpenAPI document.

Asserted: no answer is a 5xx, and none is outside the document: its status, content type, headers and body.
In breadth with a model and jobs that answer whatever is asked, then with the three real services. The seed is
fixed, so that a run repeats.
"""

from collections.abc import Iterator
from functools import partial

import pytest
import schemathesis
from hypothesis import Phase

from prodigon_lib.gateway.app import create_app
from tests.integration.gateway.conftest import settings_for
from tests.integration.gateway.fakes import FakeJobs, FakeModel
from tests.integration.gateway.fuzzing import CHECKS, Fuzzed, a_database, repeatable, session
from tests.integration.gateway.threads import running_in_thread, serving_in_thread
from tests.integration.gateway.whole import whole_system

schema = schemathesis.openapi.from_dict(create_app(settings_for()).openapi())


@pytest.fixture(scope="module")
def gateway(postgres, template) -> Iterator[Fuzzed]:
    jobs = FakeJobs(finish_at_once=True)
    with a_database(postgres, template) as database:
        build = partial(create_app, settings_for(database), model=FakeModel(), jobs=jobs)
        with serving_in_thread(build) as url, session() as http:
            yield Fuzzed(url, http)


@pytest.fixture(scope="module")
def system(postgres, template) -> Iterator[Fuzzed]:
    with (
        a_database(postgres, template) as database,
        running_in_thread(lambda: whole_system(database)) as url,
        session() as http,
    ):
        yield Fuzzed(url, http)


def check(case, fuzzed: Fuzzed) -> None:
    """As it was drawn, then once more with ids of what is there."""
    case.call_and_validate(base_url=fuzzed.url, session=fuzzed.http, checks=CHECKS)
    if existing := fuzzed.existing(case.path_parameters or {}):
        case.path_parameters.update(existing)
        case.call_and_validate(base_url=fuzzed.url, session=fuzzed.http, checks=CHECKS)


@schema.parametrize()
@repeatable(10, Phase.explicit, Phase.generate)
def test_the_gateway_keeps_to_its_document(case, gateway: Fuzzed) -> None:
    check(case, gateway)


# The worker, in another thread of this process, draws its jitter while Hypothesis looks for randomness.
@pytest.mark.filterwarnings("ignore:Do not use the `random` module")
@schema.parametrize()
@repeatable(4, Phase.generate)
def test_the_whole_system_keeps_to_the_document(case, system: Fuzzed) -> None:
    check(case, system)
