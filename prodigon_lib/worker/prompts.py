"""Running one prompt: the model's answer, or what is to become of the prompt without one."""

import time
from dataclasses import dataclass

from prodigon_lib.core.context import current_request_id
from prodigon_lib.core.errors import InternalError, OutOfMemory, ProdigonError
from prodigon_lib.core.ids import RequestId
from prodigon_lib.core.logging import get_logger
from prodigon_lib.core.schemas.generate import GenerateRequest
from prodigon_lib.core.telemetry import SpanKind, Telemetry, mark_failed
from prodigon_lib.transport.model import ModelClient
from prodigon_lib.worker.backoff import Backoff
from prodigon_lib.worker.concurrency import Concurrency
from prodigon_lib.worker.metrics import WorkerMetrics
from prodigon_lib.worker.pause import Pause
from prodigon_lib.worker.queues.base import Claim, Completion, Failure, Retry

logger = get_logger("worker", service="worker")

Outcome = Completion | Failure | Retry


@dataclass(slots=True)
class PromptRunner:
    """Runs a claim inside the request that enqueued it: its id is in the logs, its trace goes on."""

    model: ModelClient
    backoff: Backoff
    max_attempts: int
    pause: Pause
    concurrency: Concurrency
    telemetry: Telemetry
    metrics: WorkerMetrics

    async def run(self, claim: Claim) -> Outcome:
        """Raises nothing but `CancelledError`, which ends the model's call."""
        current_request_id.set(RequestId(claim.request_id) if claim.request_id else None)
        headers = {"traceparent": claim.traceparent} if claim.traceparent else {}
        attributes: dict[str, str | int] = {
            "job_id": str(claim.job),
            "position": claim.position,
            "attempt": claim.attempt,
        }
        with self.telemetry.span(
            "run prompt", kind=SpanKind.CONSUMER, headers=headers, attributes=attributes
        ) as span:
            started, begun = time.perf_counter(), self.pause.clock()
            try:
                request = GenerateRequest(prompt=claim.prompt, model=claim.model, max_tokens=claim.max_tokens)
                answer = await self.model.generate(request)
            except ProdigonError as error:
                mark_failed(span, error.message)
                return self._after(error, claim)
            except MemoryError:  # perhaps for what others have left behind: a fresh process may have room
                mark_failed(span, "out of memory")
                return self._after(OutOfMemory("the worker had no memory left for it"), claim)
            except Exception:
                logger.exception("a prompt could not be run", job_id=claim.job, position=claim.position)
                mark_failed(span, "unexpected error")
                return self._after(InternalError("something went wrong in the worker"), claim)
            finally:
                self.metrics.seconds.observe(time.perf_counter() - started)
            self.concurrency.succeeded()
            if self.pause.succeeded(begun):
                logger.info("the model answers again")
            return Completion(claim, answer.text)

    def _after(self, error: ProdigonError, claim: Claim) -> Outcome:
        about = {
            "job_id": claim.job,
            "position": claim.position,
            "attempt": claim.attempt,
            "code": error.code,
        }
        if self.pause.refused(error):
            self.concurrency.refused(error)
            logger.warning(
                "the model refuses: claiming pauses",
                code=error.code,
                seconds=self.pause.seconds_left(),
                then_at_once=self.concurrency.allowed,
            )
        if error.retryable and claim.attempt < self.max_attempts:
            delay = self.backoff.delay(claim.attempt, error.retry_after)
            logger.info("a prompt will be tried again", **about, seconds=round(delay, 2))
            return Retry(claim, delay)
        logger.warning("a prompt failed", **about, reason=error.message)
        return Failure(claim, error.code, error.message)
