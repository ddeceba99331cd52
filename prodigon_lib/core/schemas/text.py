"""Strings as the contract accepts them: Unicode without U+0000, which Postgres can't store."""

from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema


def refuse_nul(value: str) -> str:
    if "\x00" in value:
        raise ValueError("must not contain the character U+0000")
    return value


NO_NUL = AfterValidator(refuse_nul)
"""Put it after the limits on length: `Annotated[str, Field(max_length=9), NO_NUL, text_schema(0, 9)]`."""


def text_schema(min_length: int, max_length: int | None) -> WithJsonSchema:
    """What OpenAPI says of such a string; the check for U+0000 is code, which a schema can't see."""
    schema: dict[str, Any] = {"type": "string", "pattern": r"^[^\u0000]*$"}
    if min_length:
        schema["minLength"] = min_length
    if max_length is not None:
        schema["maxLength"] = max_length
    return WithJsonSchema(schema)


ModelName = Annotated[str, Field(min_length=1, max_length=200), NO_NUL, text_schema(1, 200)]
