"""What the fault panel shows is what the simulated model is told, and the other way round."""

import pytest

from prodigon_lib.model.providers.simulated.controls import Controls
from prodigon_lib.stack.edges.faults import EdgeFaults
from prodigon_lib.widgets.dashboard.faults import EDGE_FAULTS, named
from prodigon_lib.widgets.dashboard.harm import controls_of, harm_of


@pytest.mark.parametrize(
    "harm",
    [
        {},
        {"slow": 3.0},
        {"fail": 50.0},
        {"limit": 10},
        {"cut": 100.0},
        {"slow": 2.0, "fail": 25.0, "limit": 60},
    ],
)
def test_harm_survives_the_way_there_and_back(harm: dict[str, float]) -> None:
    controls = Controls().changed_by(Controls.model_validate(controls_of(harm)))
    assert {name: value for name, value in harm_of(controls.model_dump()).items() if value} == harm


def test_no_harm_takes_all_back() -> None:
    harmed = Controls.model_validate(controls_of({"slow": 3, "fail": 50, "limit": 10, "cut": 100}))
    assert harmed.changed_by(Controls.model_validate(controls_of({}))) == Controls()


@pytest.mark.parametrize("word", EDGE_FAULTS)
def test_each_word_for_an_edge_is_a_fault_that_there_is(word: str) -> None:
    assert EdgeFaults().changed(dict(EDGE_FAULTS[word])) != EdgeFaults()
    assert named(EDGE_FAULTS[word]) == word


def test_a_fault_that_somebody_else_set_on_an_edge_is_shown_as_it_is() -> None:
    assert named({"latency": 2.0}) == "latency=2.0"
    assert named({}) == ""
