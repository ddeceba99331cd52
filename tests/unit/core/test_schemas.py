"""Limits and defaults of what a caller may send."""

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from prodigon_lib.core.schemas.chat import MessageCreate, SessionCreate, TurnRequest
from prodigon_lib.core.schemas.generate import GenerateRequest, Role
from prodigon_lib.core.schemas.jobs import JobSubmission

GOOD = [
    (GenerateRequest, {"prompt": "x" * 10_000}),
    (GenerateRequest, {"prompt": "x", "max_tokens": 8192, "temperature": 2}),
    (GenerateRequest, {"prompt": "x", "max_tokens": 1, "temperature": 0}),
    (GenerateRequest, {"messages": [{"role": "user", "content": "x" * 64_000}]}),
    (JobSubmission, {"prompts": ["x"] * 100}),
    (SessionCreate, {"title": "x" * 200}),
    (SessionCreate, {}),
    (MessageCreate, {"role": "system", "content": "x", "meta": {"a": [1, {"b": None}]}}),
    (TurnRequest, {"content": "x"}),
]
BAD = [
    (GenerateRequest, {}, "exactly one"),
    (GenerateRequest, {"prompt": "x", "messages": [{"role": "user", "content": "x"}]}, "exactly one"),
    (GenerateRequest, {"prompt": ""}, "prompt"),
    (GenerateRequest, {"prompt": "x" * 10_001}, "prompt"),
    (GenerateRequest, {"prompt": "a\x00b"}, "prompt"),
    (GenerateRequest, {"messages": []}, "messages"),
    (GenerateRequest, {"messages": [{"role": "robot", "content": "x"}]}, "role"),
    (GenerateRequest, {"messages": [{"role": "user", "content": "x" * 64_001}]}, "content"),
    (GenerateRequest, {"prompt": "x", "max_tokens": 0}, "max_tokens"),
    (GenerateRequest, {"prompt": "x", "max_tokens": 8193}, "max_tokens"),
    (GenerateRequest, {"prompt": "x", "temperature": 2.01}, "temperature"),
    (GenerateRequest, {"prompt": "x", "model": ""}, "model"),
    (JobSubmission, {"prompts": []}, "prompts"),
    (JobSubmission, {"prompts": ["x"] * 101}, "prompts"),
    (JobSubmission, {"prompts": ["x", "a\x00"]}, "prompts"),
    (SessionCreate, {"title": "x" * 201}, "title"),
    (SessionCreate, {"title": "\x00"}, "title"),
    (MessageCreate, {"role": "user", "content": ""}, "content"),
    (MessageCreate, {"role": "user", "content": "x", "meta": {"a": ["\x00"]}}, "meta"),
    (MessageCreate, {"role": "user", "content": "x", "meta": {"\x00": 1}}, "meta"),
]


@pytest.mark.parametrize(("kind", "body"), GOOD)
def test_the_limits_themselves_are_allowed(kind: type[BaseModel], body: dict[str, Any]) -> None:
    assert kind.model_validate(body)


@pytest.mark.parametrize(("kind", "body", "named"), BAD)
def test_beyond_them_the_field_is_named(kind: type[BaseModel], body: dict[str, Any], named: str) -> None:
    with pytest.raises(ValidationError, match=named):
        kind.model_validate(body)


def test_defaults_are_the_contract() -> None:
    request = GenerateRequest(prompt="x")
    assert (request.max_tokens, request.temperature, request.model) == (1024, 0.7, None)
    assert SessionCreate().title == "New Chat"
    assert JobSubmission(prompts=["x"]).max_tokens == 1024


def test_the_system_prompt_comes_first() -> None:
    turns = GenerateRequest(prompt="ask", system_prompt="be brief").conversation()
    assert [(turn.role, turn.content) for turn in turns] == [(Role.SYSTEM, "be brief"), (Role.USER, "ask")]


def test_the_schema_tells_of_the_limits() -> None:
    prompt = GenerateRequest.model_json_schema()["properties"]["prompt"]["anyOf"][0]
    assert (prompt["minLength"], prompt["maxLength"]) == (1, 10_000)
    assert "u0000" in prompt["pattern"]
