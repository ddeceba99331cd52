"""What the gateway's routes call: the model, the jobs, the chats."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge

from prodigon_lib.core.http.application import Check, Service
from prodigon_lib.core.ids import UserId
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.settings import split_urls
from prodigon_lib.gateway.answers import CachedAnswers, cached_answers
from prodigon_lib.gateway.metering import MeteredModel
from prodigon_lib.gateway.settings import AuthType, GatewaySettings
from prodigon_lib.persistence.audit import AuditRepository
from prodigon_lib.persistence.chats import ChatRepository, HistoryLimits
from prodigon_lib.persistence.database import Database
from prodigon_lib.persistence.url import parse_database_url, rotating_url
from prodigon_lib.persistence.usage import UsageRepository
from prodigon_lib.security.audit import AuditLog
from prodigon_lib.security.envelope_keys import EnvelopeKeys
from prodigon_lib.security.quotas import Quotas
from prodigon_lib.security.service_identity import identity
from prodigon_lib.transport.addresses import Resilience
from prodigon_lib.transport.carriers import Connection, model_carrier
from prodigon_lib.transport.http import ServiceClient, Timeouts
from prodigon_lib.transport.jobs import HttpJobsClient, JobsClient
from prodigon_lib.transport.metrics import UpstreamMetrics
from prodigon_lib.transport.model import ModelClient

if TYPE_CHECKING:
    from prodigon_lib.security.accounts import Accounts


@dataclass(slots=True)
class Collaborators:
    """One of each, for the life of the process. `opened` connects what has to be connected."""

    model: ModelClient
    jobs: JobsClient
    chats: ChatRepository
    history: HistoryLimits
    checks: dict[str, Check] = field(default_factory=dict)
    services: list[Connection] = field(default_factory=list)
    database: Database | None = None
    answers: CachedAnswers | None = None
    """Whole answers through a cache; without one, the model's own."""
    accounts: "Accounts | None" = None
    audit: AuditLog | None = None
    quotas: Quotas | None = None

    def model_of(self, user: UserId) -> ModelClient:
        """The model; what it takes is the user's, where tokens are counted."""
        return self.model if self.quotas is None else MeteredModel(self.model, self.quotas, user)

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            if self.answers is not None:
                stack.push_async_callback(self.answers.close)
            if self.database is not None:
                stack.push_async_callback(self.database.close)
            if self.audit is not None:
                await stack.enter_async_context(self.audit.opened())
            if self.accounts is not None:
                await stack.enter_async_context(self.accounts.opened())
            for service in self.services:
                await service.open()
                stack.push_async_callback(service.close)
            yield


def show_connections(metrics: Metrics, database: Database) -> None:
    """Asked for when the metrics are: a request pays nothing for it."""
    connections = Gauge(
        "prodigon_chat_database_connections",
        "Of the gateway's pool; at most DATABASE_POOL_SIZE are open.",
        ("state",),
        registry=metrics.registry,
    )
    connections.labels("open").set_function(lambda: database.connections[0])
    connections.labels("in_use").set_function(lambda: database.connections[1])


def collaborators(
    service: Service,
    settings: GatewaySettings,
    *,
    model: ModelClient | None = None,
    jobs: JobsClient | None = None,
    chats: ChatRepository | None = None,
) -> Collaborators:
    """Those that are given, whose life and health are the giver's; the others over HTTP and from Postgres."""
    checks: dict[str, Check] = {}
    services: list[Connection] = []
    database = None
    metrics = UpstreamMetrics(service.metrics)
    resilience = Resilience(settings.breaker_failures, settings.breaker_seconds, settings.retry_percent)

    if model is None:
        timeouts = Timeouts(
            connect=settings.connect_seconds,
            idle=settings.connection_idle_seconds,
            first_byte=settings.generate_seconds,
            between=settings.stream_idle_seconds,
            whole=settings.generate_seconds,
        )
        urls = split_urls(settings.model_service_url)
        model, connection = model_carrier(
            urls,
            service.telemetry,
            timeouts,
            resilience=resilience,
            metrics=metrics,
            identity=identity(settings.service_keys, service.name, "model"),
        )
        services.append(connection)
        checks["model"] = connection.check
    if jobs is None:
        timeouts = Timeouts(
            connect=settings.connect_seconds,
            idle=settings.connection_idle_seconds,
            first_byte=settings.jobs_seconds,
            between=settings.stream_idle_seconds,
            whole=settings.jobs_seconds,
        )
        client = ServiceClient(
            "worker",
            split_urls(settings.worker_service_url),
            service.telemetry,
            timeouts,
            resilience=resilience,
            metrics=metrics,
            identity=identity(settings.service_keys, service.name, "worker"),
        )
        services.append(client)
        checks["worker"] = client.check
        jobs = HttpJobsClient(client)
    if chats is None or settings.auth is AuthType.ACCOUNTS or settings.token_quota is not None:
        secret = service.secrets.rotating(settings, "database_url", parse_database_url)
        database = Database(
            rotating_url(secret) if secret is not None else None,
            pool_size=settings.database_pool_size,
            seconds=settings.database_seconds,
        )
        checks["database"] = database.check
        show_connections(service.metrics, database)
        chats = chats or ChatRepository(database)
    limits = HistoryLimits(settings.chat_history_messages, settings.chat_history_characters)
    answers = cached_answers(service, settings, model)
    bound = Collaborators(model, jobs, chats, limits, checks, services, database, answers)
    if settings.token_quota is not None:
        assert database is not None
        bound.quotas = Quotas(UsageRepository(database), settings.token_quota)
    if settings.auth is AuthType.ACCOUNTS:
        assert database is not None
        bound.audit = audit_log(service.metrics, database)
        bound.accounts = accounts_of(settings, database, bound.audit)
    return bound


def audit_log(metrics: Metrics, database: Database) -> AuditLog:
    lost = Counter(
        "prodigon_audit_lost_total",
        "Records of the audit log that could not be kept.",
        registry=metrics.registry,
    )
    return AuditLog(AuditRepository(database), lost=lost.inc)


def accounts_of(settings: GatewaySettings, database: Database, audit: AuditLog) -> "Accounts":
    # Imported only when on: hashing and signing cost memory that a gateway without accounts should not pay.
    from prodigon_lib.security.accounts import Terms
    from prodigon_lib.security.composition import build_accounts
    from prodigon_lib.security.envelope import Envelope

    assert settings.envelope_keys is not None  # the settings see to it
    keys = EnvelopeKeys.parse(settings.envelope_keys.get_secret_value())
    terms = Terms(
        login=timedelta(days=settings.login_days),
        access_seconds=settings.access_token_seconds,
        open_registration=settings.open_registration,
        signing_key_days=settings.signing_key_days,
    )
    return build_accounts(database, Envelope.of(keys), audit, terms)
