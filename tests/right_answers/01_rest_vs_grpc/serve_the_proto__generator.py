from collections.abc import AsyncIterator
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

    async def StreamGenerate(
        self, request: pb.GenerateRequest, context: aio.ServicerContext
    ) -> AsyncIterator[pb.StreamGenerateResponse]:
        """`self._model.stream(…)` gives an `Opening`, then tokens (`str`), then a `Usage`."""
        asked = await self._checked(request, context)
        async with aclosing(self._model.stream(asked)) as items:
            async for item in items:
                match item:
                    case str():
                        yield pb.StreamGenerateResponse(token=item)
                    case Usage():
                        yield pb.StreamGenerateResponse(usage=from_usage(item))
                    case _:
                        yield pb.StreamGenerateResponse(opening=pb.Opening(model=item.model))

    async def _checked(self, request: pb.GenerateRequest, context: aio.ServicerContext) -> GenerateRequest:
        """The request as the model takes it; `to_request` makes the same checks as HTTP."""
        try:
            return to_request(request)
        except ValidationFailed as error:
            refused = error.message
        await context.abort(StatusCode.INVALID_ARGUMENT, refused)
        return None
