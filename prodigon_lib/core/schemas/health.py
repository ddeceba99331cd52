"""What a service says of itself."""

from typing import Literal

from pydantic import BaseModel, Field


class Health(BaseModel):
    status: Literal["healthy"] = "healthy"
    service: str
    version: str
    environment: str


class Readiness(BaseModel):
    """`failing` names each dependency that is away, with a word on why."""

    status: Literal["ready", "not ready"]
    service: str
    version: str
    environment: str
    failing: dict[str, str] = Field(default_factory=dict)


class ErrorBody(BaseModel):
    code: str
    message: str
    request_id: str


class ErrorEnvelope(BaseModel):
    error: ErrorBody
