# fails: Generate of {'prompt': ''}
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
        answer = await self._model.generate(asked)
        return from_response(answer.response())

    async def StreamGenerate(self, request: pb.GenerateRequest, context: aio.ServicerContext) -> None:
        """`self._model.stream(…)` gives an `Opening`, then tokens (`str`), then a `Usage`."""
        asked = await self._checked(request, context)
        # `context.write` and no generator: cancelled while it waits for a slow reader, this still leaves the
        # block, and so ends the model's call. A generator that yields would do for readers that keep up.
        async with aclosing(self._model.stream(asked)) as items:
            async for item in items:
                if isinstance(item, str):
                    await context.write(pb.StreamGenerateResponse(token=item))
                elif isinstance(item, Usage):
                    await context.write(pb.StreamGenerateResponse(usage=from_usage(item)))

    async def _checked(self, request: pb.GenerateRequest, context: aio.ServicerContext) -> GenerateRequest:
        """The request as the model takes it; `to_request` makes the same checks as HTTP."""
        try:
            return to_request(request)
        except ValidationFailed as error:
            await context.abort(StatusCode.INTERNAL, error.message)
            raise
