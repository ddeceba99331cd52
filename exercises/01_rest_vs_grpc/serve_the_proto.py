"""Exercise 1.1: serve the contract of `prodigon_lib/transport/protos/model_v1.proto`.

The model service is there already; HTTP calls the same object. What is missing is its face over gRPC.
Done when

- `Generate` answers as REST does, for the same seed and the same options;
- `StreamGenerate` gives its first token before half of the stream's time is over, and the usage at the end;
- what REST refuses with 422, such as an empty prompt, is INVALID_ARGUMENT, names the field, and never reaches
  the model.
"""

from contextlib import aclosing

from grpc import StatusCode, aio

from prodigon_lib.core.errors import ValidationFailed
from prodigon_lib.core.schemas.generate import GenerateRequest, Usage
from prodigon_lib.model.service import ModelService
from prodigon_lib.transport.model_messages import from_response, from_usage, to_request
from prodigon_lib.transport.protos import model_v1_pb2 as pb
from prodigon_lib.transport.protos.model_v1_pb2_grpc import ModelServicer


class Servicer(ModelServicer):
    """Answers the calls of the contract."""

    def __init__(self, model: ModelService) -> None:
        self._model = model

    async def Generate(
        self, request: pb.GenerateRequest, context: aio.ServicerContext
    ) -> pb.GenerateResponse:
        asked = await self._checked(request, context)
        # TODO Ask the model (`await self._model.generate(…)` has a `.response()`) and answer with a message.
        raise NotImplementedError

    async def StreamGenerate(self, request: pb.GenerateRequest, context: aio.ServicerContext) -> None:
        """`self._model.stream(…)` gives an `Opening`, then tokens (`str`), then a `Usage`."""
        asked = await self._checked(request, context)
        # TODO Write a message for each token as it comes, and one for the usage.
        raise NotImplementedError

    async def _checked(self, request: pb.GenerateRequest, context: aio.ServicerContext) -> GenerateRequest:
        """The request as the model takes it; `to_request` makes the same checks as HTTP."""
        # TODO End the call with the right status when a field is wrong.
        return to_request(request)
