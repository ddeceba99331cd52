"""The gateway's composition root."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from prodigon_lib.cache.control import AGE_HEADER, STATUS_HEADER
from prodigon_lib.core.context import REQUEST_ID_HEADER
from prodigon_lib.core.http.admission import in_turn
from prodigon_lib.core.http.application import Check, Service
from prodigon_lib.core.http.client_address import parse_networks
from prodigon_lib.core.http.hosts import TrustedHosts, parse_hosts
from prodigon_lib.core.settings import load_settings
from prodigon_lib.gateway import chats as chat_routes
from prodigon_lib.gateway import jobs as job_routes
from prodigon_lib.gateway import openai as openai_routes
from prodigon_lib.gateway.access import access, needs_credential
from prodigon_lib.gateway.collaborators import Collaborators, collaborators
from prodigon_lib.gateway.dependencies import NEXT_CURSOR_HEADER
from prodigon_lib.gateway.generate import generate_routes
from prodigon_lib.gateway.rate_limit import rate_limits
from prodigon_lib.gateway.settings import GatewaySettings
from prodigon_lib.gateway.turns import ANSWER_HEADER, QUESTION_HEADER
from prodigon_lib.persistence.chats import ChatRepository
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.security.authenticator import Authenticator
from prodigon_lib.transport.jobs import JobsClient
from prodigon_lib.transport.model import ModelClient

DESCRIPTION = """
Completions, chats and batch jobs. Every error is `{"error": {"code", "message", "request_id"}}`; under `/v1`
and `/openai/v1` the schema and the errors are OpenAI's.
"""
READABLE_HEADERS = [
    REQUEST_ID_HEADER,
    NEXT_CURSOR_HEADER,
    QUESTION_HEADER,
    ANSWER_HEADER,
    STATUS_HEADER,
    AGE_HEADER,
    "X-Process-Time",
    "Retry-After",
    "RateLimit",
    "RateLimit-Policy",
]


def create_app(
    settings: GatewaySettings | None = None,
    *,
    model: ModelClient | None = None,
    jobs: JobsClient | None = None,
    chats: ChatRepository | None = None,
    checks: Mapping[str, Check] | None = None,
    beside: Sequence[Service] = (),
    authenticator: Authenticator | None = None,
    audit: AuditLog | None = None,
) -> FastAPI:
    """The gateway. It starts while what stands behind it is away, and `/health/ready` says what is.

    Args:
        model, jobs, chats: bound in-process, not reached over the wire; the giver opens and closes them.
        checks: of what is bound so, for `/health/ready`, with the gateway's own.
        beside: services in this process, as `Service` describes them.
        authenticator, audit: in place of those that `AUTH=accounts` makes; the giver opens the log.

    Raises:
        SettingsError: a setting is wrong; the message names it.
    """
    settings = settings or load_settings(GatewaySettings)
    service = Service("gateway", settings, beside=beside)
    bound = collaborators(service, settings, model=model, jobs=jobs, chats=chats)
    limits = rate_limits(settings, service.metrics)
    authenticator, audit = authenticator or bound.accounts, audit or bound.audit
    door = access(settings, service.metrics, authenticator, audit) if authenticator is not None else None

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        if door is not None:
            door.read(app.routes)
        async with bound.opened(), limits.opened():
            yield
        service.telemetry.shutdown()

    app = service.application(
        title="Prodigon",
        description=DESCRIPTION,
        lifespan=lifespan,
        checks={**bound.checks, **(checks or {})},
        guard=in_turn(limits.address, door, limits.principal),
        hosts=TrustedHosts(parse_hosts(settings.trusted_hosts), loopback=not settings.in_production),
    )
    app.state.collaborators = bound
    app.accounts_on = door is not None
    if door is not None:
        app.state.needs_credential = needs_credential
    app.router.routes[:0] = generate_routes(bound)  # routes are tried in their order
    app.include_router(chat_routes.router)
    app.include_router(job_routes.router)
    app.include_router(openai_routes.router)
    app.include_router(openai_routes.router, prefix="/openai", include_in_schema=True)
    if bound.accounts is not None:
        include_accounts(app, settings, bound)
    if settings.allowed_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.allowed_origins,
            allow_methods=["GET", "POST", "PATCH", "DELETE"],
            allow_headers=["*"],
            expose_headers=READABLE_HEADERS,
        )
    return app


def include_accounts(app: FastAPI, settings: GatewaySettings, bound: Collaborators) -> None:
    """Imported only when on, as what they need costs memory."""
    from prodigon_lib.gateway import accounts, operators

    app.state.trusted_proxies = parse_networks(settings.trusted_proxies)
    app.include_router(accounts.router)
    app.include_router(operators.router)
    if settings.oidc_issuer is not None:
        from prodigon_lib.gateway import oidc

        app.state.oidc = oidc.oidc_login(settings, bound)
        app.include_router(oidc.router)
