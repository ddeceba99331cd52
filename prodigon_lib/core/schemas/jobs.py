"""Batch jobs: many prompts, one job, results in the order of the prompts."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, Field

from prodigon_lib.core.schemas.generate import DEFAULT_MAX_TOKENS, MAX_PROMPT, MAX_TOKENS
from prodigon_lib.core.schemas.text import NO_NUL, ModelName, text_schema

MAX_PROMPTS = 100


class JobStatus(StrEnum):
    PENDING = "pending"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def finished(self) -> bool:
        return self in {JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED}


class JobSubmission(BaseModel):
    prompts: Annotated[
        list[Annotated[str, Field(min_length=1, max_length=MAX_PROMPT), NO_NUL, text_schema(1, MAX_PROMPT)]],
        Field(min_length=1, max_length=MAX_PROMPTS),
    ]
    model: ModelName | None = None
    max_tokens: Annotated[int, Field(ge=1, le=MAX_TOKENS)] = DEFAULT_MAX_TOKENS


class PromptError(BaseModel):
    """Why one prompt failed; `index` is its place in the job, from 0."""

    index: int
    code: str
    message: str


class JobView(BaseModel):
    """A job as a client sees it.

    `results` has one entry a prompt, in their order, `null` until done or where the prompt failed.
    `completed_prompts` counts the entries that are not `null`. `completed_at` is set once the job has
    finished in any way.
    """

    job_id: UUID
    status: JobStatus
    created_at: datetime
    completed_at: datetime | None = None
    total_prompts: int
    completed_prompts: int
    results: list[str | None]
    errors: list[PromptError]
    error: str | None = None
