"""The name of an answer: alike for what may share one, and for nothing else."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as some

from prodigon_lib.cache.key import cache_key
from prodigon_lib.core.ids import UserId
from prodigon_lib.core.schemas.generate import GenerateRequest, Message, Role

ANN, BEN = UserId(UUID(int=1)), UserId(UUID(int=2))
ASKED: dict[str, Any] = {"prompt": "Hello", "temperature": 0}
TURN = {"role": "user", "content": "Hello"}


def key(asked: dict[str, Any], **others: Any) -> str:
    return cache_key(GenerateRequest(**asked), **{"default_model": "large", **others})


@pytest.mark.parametrize(
    "change",
    [
        {"prompt": "hello"},
        {"prompt": "Hello "},
        {"model": "small"},
        {"max_tokens": 1023},
        {"temperature": 0.1},
        {"system_prompt": "Be short."},
    ],
)
def test_what_changes_the_answer_changes_the_name(change: dict[str, Any]) -> None:
    assert key({**ASKED, **change}) != key(ASKED)


@pytest.mark.parametrize(
    "others", [{"user": ANN}, {"user": BEN}, {"version": "2"}, {"default_model": "small"}]
)
def test_so_does_who_asks_and_what_is_put_around_it(others: dict[str, Any]) -> None:
    assert key(ASKED, **others) != key(ASKED)
    assert key(ASKED, user=ANN) != key(ASKED, user=BEN)


@pytest.mark.parametrize(
    "same",
    [
        {"prompt": "Hello", "temperature": 0.0, "max_tokens": 1024},
        {"messages": [TURN], "temperature": 0},
        {"prompt": "Hello", "temperature": 0, "model": "large"},
        {"prompt": "Hello", "temperature": 0, "system_prompt": ""},
    ],
)
def test_two_ways_to_ask_the_same_share_an_answer(same: dict[str, Any]) -> None:
    assert key(same) == key(ASKED)


def test_a_system_prompt_in_either_place_is_the_same_conversation() -> None:
    turns = [{"role": "system", "content": "Be short."}, TURN]
    assert key({"messages": turns}) == key({"prompt": "Hello", "system_prompt": "Be short."})


@pytest.mark.parametrize("middle", ["", "|", ",", "|None|", "null", '",null,"', ",null,", "\x1f", "\n"])
def test_text_does_not_run_into_the_text_beside_it(middle: str) -> None:
    one = key({**ASKED, "model": "c"}, version=f"a{middle}b")
    assert one != key({**ASKED, "model": f"b{middle}c"}, version="a")


text = some.text(some.sampled_from('ab",:[]|\\\x1f\n'), min_size=1, max_size=6)
turn = some.builds(Message, role=some.sampled_from(Role), content=text)
asked = some.builds(
    GenerateRequest,
    messages=some.lists(turn, min_size=1, max_size=3),
    prompt=some.none(),
    model=text,
    max_tokens=some.integers(1, 12),
    temperature=some.sampled_from([0, 0.1, 1]),
    system_prompt=text,
)


@given(asked, asked, text, text)
def test_no_two_requests_run_into_each_other(
    one: GenerateRequest, other: GenerateRequest, version: str, another: str
) -> None:
    """Text from few letters, with what separators are made of: joined together, it would collide."""
    alike = (
        one.conversation() == other.conversation()
        and (one.model, one.max_tokens, one.temperature) == (other.model, other.max_tokens, other.temperature)
        and version == another
    )
    keys = {
        cache_key(request, default_model="", version=own)
        for request, own in ((one, version), (other, another))
    }
    assert (len(keys) == 1) == alike
