"""One handler behind two faces, FastAPI and `grpc.aio`, in a process of its own: what lesson 1 measures.

python -m prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.twin

It prints one line with its ports, and ends when its standard input does. Each answer says, beside its
content, how many seconds the handler took, and how many it took to encode what the handler gave.
"""

import asyncio
import json
import random
import socket
import struct
import sys
import time
from collections.abc import AsyncIterator
from typing import Any

import grpc
import uvicorn
from fastapi import FastAPI, Response
from fastapi.responses import StreamingResponse
from grpc import aio
from pydantic import BaseModel

from prodigon_lib.core import sse
from prodigon_lib.workshop.lessons.lesson_01_rest_vs_grpc.protos import twin_v1_pb2 as pb

HOST = "127.0.0.1"
NAME = pb.DESCRIPTOR.services_by_name["Twin"].full_name
DIMENSIONS = 1536
BACKLOG = 2048
WORDS = "a queue keeps work until somebody has time for it and says so when it is full".split()
HANDLER, ENCODE = "x-handler-seconds", "x-encode-seconds"


class Handler:
    """The work itself: it knows of neither face."""

    def chat(self, text: str) -> str:
        """About as long as an answer of a chat: 120 words."""
        draw = random.Random(text)
        return " ".join(draw.choice(WORDS) for _ in range(120))

    def embed(self, text: str) -> list[float]:
        """As many 32-bit floats as a common embedding model gives."""
        draw = random.Random(text)
        packed = struct.pack(f"{DIMENSIONS}f", *(draw.uniform(-0.1, 0.1) for _ in range(DIMENSIONS)))
        return list(struct.unpack(f"{DIMENSIONS}f", packed))

    def tokens(self, text: str) -> list[str]:
        return [f" {word}" for word in self.chat(text).split()]


class Text(BaseModel):
    text: str


class Embedding(BaseModel):
    values: list[float]


def rest(handler: Handler) -> FastAPI:
    app = FastAPI(openapi_url=None)

    def answered(started: float, found: BaseModel) -> Response:
        done = time.perf_counter()
        body = found.model_dump_json()
        spent = {HANDLER: str(done - started), ENCODE: str(time.perf_counter() - done)}
        return Response(body, headers=spent, media_type="application/json")

    @app.post("/chat")
    async def chat(asked: Text) -> Response:
        started = time.perf_counter()
        return answered(started, Text(text=handler.chat(asked.text)))

    @app.post("/embed")
    async def embed(asked: Text) -> Response:
        started = time.perf_counter()
        return answered(started, Embedding(values=handler.embed(asked.text)))

    @app.post("/stream")
    async def stream(asked: Text) -> Response:
        async def events() -> AsyncIterator[bytes]:
            for token in handler.tokens(asked.text):
                yield sse.token_bytes(token)
            yield sse.DONE

        return StreamingResponse(events(), media_type=sse.CONTENT_TYPE)

    return app


def face(handler: Handler) -> grpc.GenericRpcHandler:
    """Handlers that encode by themselves, so that the time of it can be told."""

    def answered(started: float, message: Any, context: Any) -> bytes:
        done = time.perf_counter()
        body: bytes = message.SerializeToString()
        context.set_trailing_metadata(
            ((HANDLER, str(done - started)), (ENCODE, str(time.perf_counter() - done)))
        )
        return body

    async def chat(asked: pb.Text, context: Any) -> bytes:
        started = time.perf_counter()
        return answered(started, pb.Text(text=handler.chat(asked.text)), context)

    async def embed(asked: pb.Text, context: Any) -> bytes:
        started = time.perf_counter()
        return answered(started, pb.Embedding(values=handler.embed(asked.text)), context)

    async def stream(asked: pb.Text, context: Any) -> None:
        for token in handler.tokens(asked.text):
            await context.write(pb.Token(token=token).SerializeToString())

    unary, streaming = grpc.unary_unary_rpc_method_handler, grpc.unary_stream_rpc_method_handler
    methods = {
        "Chat": unary(chat, pb.Text.FromString, bytes),
        "Embed": unary(embed, pb.Text.FromString, bytes),
        "Stream": streaming(stream, pb.Text.FromString, bytes),
    }
    return grpc.method_handlers_generic_handler(NAME, methods)


async def main() -> None:
    handler = Handler()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind((HOST, 0))
    listener.listen(BACKLOG)
    web = uvicorn.Server(
        uvicorn.Config(rest(handler), log_level="warning", timeout_keep_alive=60, backlog=BACKLOG, ws="none")
    )
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    server = aio.server(options=[("grpc.so_reuseport", 0)])
    server.add_generic_rpc_handlers((face(handler),))
    port = server.add_insecure_port(f"{HOST}:0")
    await server.start()
    print(json.dumps({"rest": listener.getsockname()[1], "grpc": port}), flush=True)
    await asyncio.to_thread(sys.stdin.read)
    web.should_exit = True
    await server.stop(0.2)
    await serving


if __name__ == "__main__":
    asyncio.run(main())
