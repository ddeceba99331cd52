"""What a stranger's page makes of lesson 10's assistant, and what each control does about it."""

import pytest

from prodigon_lib.workshop.lessons.lesson_10_securing_api_endpoints.assistant import (
    CONTROLS,
    PAGES,
    Assistant,
    got_through,
    injections_table,
    obedient_model,
)

HELD_OFF = {
    "nothing": set(),
    "marks": set(),
    "user's rights": {"another's chat"},
    "author's rights": {"another's chat", "the user's own chat, sent away"},
    "output": {"the user's own chat, sent away", "its instructions"},
    "all": set(PAGES),
}


@pytest.mark.parametrize("name", CONTROLS)
def test_each_control_holds_off_its_own(name: str) -> None:
    run = got_through(CONTROLS[name])
    assert {aim for aim in PAGES if not run[aim]} == HELD_OFF[name]


@pytest.mark.parametrize("name", CONTROLS)
def test_whoever_means_well_is_served_with_all_of_them(name: str) -> None:
    assistant = Assistant(CONTROLS[name])
    assert assistant.sum_up("A recipe.").answer == "A page."
    assert assistant.read_chat(1, ["ada"]) == assistant.chats[1][1]


def test_the_marks_are_there_and_the_stand_in_obeys_through_them() -> None:
    prompt = Assistant(CONTROLS["marks"]).prompt(PAGES["another's chat"])
    assert "written by strangers" in prompt
    assert "read chat 2" not in prompt
    assert obedient_model(prompt, lambda number: f"chat of {number}") == "Chat 2: chat of 2"


def test_the_table_has_a_row_for_each_page() -> None:
    table = injections_table({name: got_through(controls) for name, controls in CONTROLS.items()})
    assert [row[0] for row in table.rows] == list(PAGES)
    assert table.rows[0][1:] == ("through", "through", "held off", "held off", "through", "held off")
