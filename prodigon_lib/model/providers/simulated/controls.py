"""What a learner sets on the simulated model while it runs: the document of `GET` and `PUT /simulated`."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from prodigon_lib.core.schemas.text import ModelName
from prodigon_lib.model.providers.simulated.profiles import ProfileName

PerMinute = Annotated[int, Field(ge=1, le=1_000_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Limits(Part):
    """For each key and model. `null` is no limit."""

    requests_per_minute: PerMinute | None = None
    tokens_per_minute: PerMinute | None = None


class Faults(Part):
    """Shares of the requests that fail, drawn in turn from the seed.

    At most one fault meets a request: an error, else a stall, else a cut.
    """

    error_rate: Share = 0.0
    error_status: Annotated[int, Field(ge=400, le=599)] = 500
    retry_after: Annotated[float, Field(ge=0, le=3600)] | None = None
    """Seconds; sent with an error."""
    stall_rate: Share = 0.0
    stall_seconds: Annotated[float, Field(ge=0, le=3600)] = 30.0
    stall_after: Annotated[int, Field(ge=0, le=10_000)] = 0
    """Tokens before the silence; 0 is before the first."""
    cut_rate: Share = 0.0
    cut_after: Annotated[int, Field(ge=0, le=10_000)] = 10
    """Tokens before the connection breaks; an answer that is shorter breaks at its end."""
    leak_mb: Annotated[float, Field(ge=0, le=100)] = 0.0
    """Megabytes that each request leaves behind, until the process ends."""
    models: list[ModelName] | None = None
    """Only requests for these fail; `null` is all."""


class Controls(Part):
    """All that can be set."""

    profile: ProfileName | None = None
    """For every model; `null` gives each its own."""
    seed: Annotated[int, Field(ge=0, le=2**53)] = 0
    limits: Limits = Limits()
    faults: Faults = Faults()

    def changed_by(self, change: "Controls") -> "Controls":
        """What `change` leaves out stays as it is; a part that it has replaces the whole part."""
        return self.model_copy(update={name: getattr(change, name) for name in change.model_fields_set})
