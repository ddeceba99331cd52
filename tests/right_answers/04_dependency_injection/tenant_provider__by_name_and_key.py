"""Locks in a dictionary by name; the client is replaced, and closed at the end, when the key changes."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Annotated, Any
from unittest.mock import patch

from fastapi import Depends, FastAPI, Header, HTTPException, Request
from pydantic import BaseModel

from prodigon_lib.workshop.lessons.lesson_04_dependency_injection.tenants import (
    Client,
    Directory,
    OpenClient,
    Tenant,
)


class Question(BaseModel):
    prompt: str


class Reply(BaseModel):
    tenant: str
    text: str


async def current_tenant(request: Request, x_tenant: Annotated[str, Header()]) -> Tenant:
    tenant: Tenant | None = await request.app.state.directory.find(x_tenant)
    if tenant is None:
        raise HTTPException(404, "no such tenant")
    return tenant


async def tenant_client(request: Request, tenant: Annotated[Tenant, Depends(current_tenant)]) -> Client:
    state = request.app.state
    lock = state.opening[tenant.name]
    async with lock:
        found = state.clients.setdefault(tenant.name, {})
        if tenant.key not in found:
            found[tenant.key] = await state.open_client(tenant)
        return found[tenant.key]


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.clients = {}
    app.state.opening = defaultdict(asyncio.Lock)
    yield
    for clients in app.state.clients.values():
        for client in clients.values():
            await client.close()


def create_app(directory: Directory, open_client: OpenClient) -> FastAPI:
    app = FastAPI(lifespan=lifespan)
    app.state.directory, app.state.open_client = directory, open_client

    @app.post("/ask")
    async def ask(
        question: Question,
        tenant: Annotated[Tenant, Depends(current_tenant)],
        client: Annotated[Client, Depends(tenant_client)],
    ) -> Reply:
        return Reply(tenant=tenant.name, text=await client.generate(question.prompt))

    return app


@contextmanager
def overridden(app: FastAPI, replacements: Mapping[Callable[..., Any], Callable[..., Any]]) -> Iterator[None]:
    """For a test: these overrides are in force within the block, beside those that are there already."""
    with patch.dict(app.dependency_overrides, replacements):
        yield
