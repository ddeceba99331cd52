"""A quiz is answered with the keyboard alone, in a real browser."""

from pathlib import Path

from playwright.sync_api import Page

import prodigon_lib.workshop

FORM = Path(prodigon_lib.workshop.__file__).with_name("quiz_form.js").read_text()
QUESTIONS = [
    {"text": "1. One?", "options": ["a) yes", "b) <b>no</b>", "c) maybe"]},
    {"text": "2. Two?", "options": ["a) `yes`", "b) no"]},
]
SHOW = """
async ([code, questions]) => {
  const module = await import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})));
  const state = {questions, said: questions.map(() => "")}, listeners = [];
  window.given = [];
  const model = {
    get: (name) => state[name],
    set: (name, value) => window.given.push(value),
    save_changes: () => {},
    on: (_, listener) => listeners.push(listener),
  };
  window.say = (said) => { state.said = said; listeners.forEach((listener) => listener()); };
  module.default.render({model, el: document.body});
}
"""


def answers(page: Page) -> list[tuple[int, int]]:
    return [(each["question"], each["option"]) for each in page.evaluate("window.given")]


def test_tab_arrows_and_enter_answer_a_question(page: Page) -> None:
    page.set_content("<!doctype html><title>quiz</title>")
    page.evaluate(SHOW, [FORM, QUESTIONS])
    for key in ("Tab", "Space", "ArrowDown", "Tab", "Enter"):
        page.keyboard.press(key)
    assert answers(page) == [(0, 1)]
    for key in ("Tab", "Tab", "Space"):
        page.keyboard.press(key)
    assert answers(page) == [(0, 1), (1, -1)]


def test_a_reply_is_read_out_and_options_are_plain_text(page: Page) -> None:
    page.set_content("<!doctype html><title>quiz</title>")
    page.evaluate(SHOW, [FORM, QUESTIONS])
    page.evaluate("window.say(['<p>right</p>', ''])")
    assert page.get_by_role("status").first.inner_text() == "right"
    assert page.get_by_text("b) <b>no</b>").is_visible()
    assert page.locator("code").all_inner_texts() == ["yes"]
    assert page.get_by_role("group", name="1. One?").get_by_role("radio", name="b) <b>no</b>").count() == 1


def test_jupyterlab_keeps_its_hands_off_the_arrow_keys(page: Page) -> None:
    """It asks the element that has the focus alone, so each that can have it says so."""
    page.set_content("<!doctype html><title>quiz</title>")
    page.evaluate(SHOW, [FORM, QUESTIONS])
    focusable = page.locator("input, button")
    kept = page.locator("input[data-lm-suppress-shortcuts], button[data-lm-suppress-shortcuts]")
    assert kept.count() == focusable.count() == 7
