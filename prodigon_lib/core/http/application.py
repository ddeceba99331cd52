"""The skeleton of a service: health, metrics, middleware, error answers. Each service adds its routes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from fastapi import FastAPI, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from prodigon_lib.core.http.admission import Guard
from prodigon_lib.core.http.documentation import Application, install_documentation
from prodigon_lib.core.http.errors import install_error_handlers
from prodigon_lib.core.http.hosts import TrustedHosts
from prodigon_lib.core.http.memory import memory_routes
from prodigon_lib.core.http.middleware import RequestMiddleware
from prodigon_lib.core.limits import raise_open_files
from prodigon_lib.core.logging import RequestLog, configure_logging, get_logger
from prodigon_lib.core.loop_lag import LoopLag
from prodigon_lib.core.memory import Tracing
from prodigon_lib.core.metrics import Metrics
from prodigon_lib.core.rotation import Secrets
from prodigon_lib.core.schemas.health import ErrorEnvelope, Health, Readiness
from prodigon_lib.core.settings import Settings
from prodigon_lib.core.telemetry import Telemetry
from prodigon_lib.core.version import library_version

logger = get_logger("service")

Check = Callable[[], Awaitable[None]]
"""Returns when the dependency answers, raises when it is away; the exception's text is the reason shown."""

CHECK_SECONDS = 2.0

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]

RETRY_AFTER = {"description": "Seconds to wait before another try", "schema": {"type": "integer"}}

ERROR_ANSWERS: dict[int | str, dict[str, object]] = {
    status: {
        "model": ErrorEnvelope,
        "description": text,
        "headers": {"Retry-After": RETRY_AFTER} if status in (429, 503) else {},
    }
    for status, text in {
        400: "Malformed JSON or a malformed id",
        404: "No such thing",
        405: "Wrong method",
        408: "The request took too long to come",
        409: "It conflicts with what is there",
        413: "The body is too large",
        422: "A field is wrong; `message` names it",
        429: "Too many requests; see `Retry-After`",
        431: "Too many headers, or too large ones",
        500: "A fault of ours",
        502: "A service behind this one failed",
        503: "A service behind this one is away",
        504: "A service behind this one took too long",
    }.items()
}


class Service:
    """What the parts of one service share: its name, its settings, where it logs, counts and traces."""

    def __init__(self, name: str, settings: Settings, *, beside: "Sequence[Service]" = ()) -> None:
        """`beside` are others in this process: their figures stand in the same document, spans in one file.

        The first of them writes all spans: it is shut down last.
        """
        self.name = name
        self.settings = settings
        self.metrics: Metrics = Metrics(name, beside=[service.metrics for service in beside])
        self.telemetry: Telemetry = Telemetry(name, settings, beside=beside[0].telemetry if beside else None)
        self.secrets: Secrets = beside[0].secrets if beside else Secrets(settings.secrets_refresh_seconds)
        self.log = RequestLog(name, settings)
        self.lag = LoopLag(name, settings.loop_lag_warn_seconds)
        configure_logging(name, settings)

    def application(
        self,
        *,
        title: str,
        description: str,
        lifespan: Lifespan,
        checks: Mapping[str, Check] | None = None,
        guard: Guard | None = None,
        hosts: TrustedHosts | None = None,
    ) -> Application:
        """A FastAPI application that lacks only the service's own routes.

        Args:
            lifespan: opens and closes what the routes use.
            checks: by the dependency's name; all must pass for `/health/ready` to answer 200.
            guard: asked before each route but those of probes.
            hosts: which `Host` a request may name; over loopback a loopback one, when nobody says more.
        """
        raise_open_files()
        app = Application(
            title=title,
            description=description,
            version=library_version(),
            lifespan=self._watched(lifespan),
            responses=ERROR_ANSWERS,
            docs_url=None,
            redoc_url=None,
            redirect_slashes=False,
            telemetry={"tracing": False, "metrics": False, "logs": False},  # the middleware's, not twice
        )
        app.state.service = self
        install_error_handlers(app)
        install_documentation(app)
        app.add_middleware(
            RequestMiddleware,
            telemetry=self.telemetry,
            metrics=self.metrics,
            log=self.log,
            max_body_bytes=self.settings.max_body_bytes,
            max_in_flight=self.settings.max_in_flight,
            turn_seconds=self.settings.turn_seconds,
            hosts=hosts or TrustedHosts(),
            guard=guard,
        )
        self._add_health(app, checks or {})
        self._add_metrics(app)
        if not self.settings.in_production:
            app.include_router(memory_routes(Tracing()))
        return app

    def _watched(self, lifespan: Lifespan) -> Lifespan:
        """Looks for rotated secrets, and measures the lag of the loop that serves, once all is open; several
        in a process share one loop."""
        self.metrics.registry.register(self.lag)

        @asynccontextmanager
        async def watched(app: FastAPI) -> AsyncIterator[None]:
            async with lifespan(app), self.secrets.watching():
                with self.lag.watching():
                    yield

        return watched

    def _add_health(self, app: FastAPI, checks: Mapping[str, Check]) -> None:
        about = {
            "service": self.name,
            "version": library_version(),
            "environment": self.settings.environment.value,
        }

        @app.get("/health", tags=["health"])
        async def health() -> Health:
            """The process answers; says nothing of what it depends on."""
            return Health(**about)

        @app.get("/health/live", tags=["health"])
        async def live() -> Health:
            """For a supervisor: restart me when this fails."""
            return Health(**about)

        @app.get("/health/ready", tags=["health"], responses={503: {"model": Readiness}})
        async def ready() -> Response:
            """All that this stands on answers, or what is away. To wait for and to alert on, not to route by:
            what is shared fails for every replica at once, and a part of the work may go on without it.
            """
            failing = await failures(checks)
            body = Readiness(status="not ready" if failing else "ready", failing=failing, **about)
            return JSONResponse(body.model_dump(), 503 if failing else 200)

    def _add_metrics(self, app: FastAPI) -> None:
        @app.get("/metrics", tags=["health"], response_class=PlainTextResponse)
        async def metrics() -> Response:
            """Prometheus text."""
            self.metrics.tasks.set(len(asyncio.all_tasks()))
            return Response(self.metrics.render(), media_type=self.metrics.content_type)


async def failures(checks: Mapping[str, Check]) -> dict[str, str]:
    """The dependencies that are away, each with why; asked at once, two seconds each at most."""

    async def why(check: Check) -> str | None:
        try:
            async with asyncio.timeout(CHECK_SECONDS):
                await check()
        except TimeoutError:
            return "no answer in time"
        except Exception as error:
            return getattr(error, "message", None) or type(error).__name__
        return None

    reasons = await asyncio.gather(*(why(check) for check in checks.values()))
    return {name: reason for name, reason in zip(checks, reasons, strict=True) if reason is not None}
