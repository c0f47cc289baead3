"""The run of one webhook: takes its lease, sends what it has to send, and gives the lease back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import structlog

from leadyard.clock import now_ms
from leadyard.database import Database
from leadyard.errors import LeaseLost, ServiceUnavailable
from leadyard.model import Attempt, ClaimedWebhook, Sending
from leadyard.operations.webhooks import sending as leases
from leadyard.operations.webhooks.results import Result, save_results
from leadyard.operations.webhooks.retries import asks_for_silence
from leadyard.operations.webhooks.sending import Work
from leadyard.webhooks.client import WebhookClient
from leadyard.webhooks.messages import event_text
from leadyard.webhooks.signing import Signer
from leadyard.worker.webhooks.in_order import send_in_order
from leadyard.worker.webhooks.places import Places

# How long a run starts requests before it saves. If the process dies, all that it has sent since then is sent again.
_SAVE_EVERY_S = 5.0
# How long a run goes on while other webhooks wait for a turn.
_TURN_S = 10.0
# Without its secrets a webhook cannot send. The operator, or a rotation, may change that.
_HOLD_WITHOUT_SECRETS_MS = 60_000
_log = structlog.get_logger("leadyard.webhooks")


@dataclass(slots=True, kw_only=True)
class WebhookRun:
    """One turn of a webhook. `events_at_once` returns how many events it may have in memory, and `others_wait` whether
    other webhooks wait for a turn."""

    db: Database
    client: WebhookClient
    places: Places
    account_group_id: str
    webhook_id: str
    lease_ms: int
    events_at_once: Callable[[], int]
    is_stopping: Callable[[], bool]
    others_wait: Callable[[], bool]
    _results: list[Result] = field(default_factory=list, init=False)
    _began: float = field(default_factory=time.monotonic, init=False)
    _is_lost: bool = field(default=False, init=False)
    _is_silenced: bool = field(default=False, init=False)

    async def run(self) -> None:
        """Sends until nothing is left to send, the turn is over, or the worker stops. Raises only CancelledError. The
        events whose results it could not save are sent again, by this worker or another one."""
        log = _log.bind(webhook_id=self.webhook_id, account_group_id=self.account_group_id)
        try:
            claimed = await self._claim()
            if claimed is None:
                return
            if claimed.secrets:
                await self._send_all(claimed)
            else:
                log.error("webhook_secret_unreadable")
                await leases.release_webhook(self.db, claimed, hold_ms=_HOLD_WITHOUT_SECRETS_MS)
        except LeaseLost:
            log.info("webhook_lease_lost")
        except ServiceUnavailable as error:
            # The lease runs out by itself.
            log.warning("webhook_interrupted", **error.for_log())
        except Exception:
            log.exception("webhook_run_failed")

    async def _claim(self) -> ClaimedWebhook | None:
        async with self.places.database:
            return await leases.claim_webhook(
                self.db, account_group_id=self.account_group_id, webhook_id=self.webhook_id, lease_ms=self.lease_ms
            )

    async def _send_all(self, claimed: ClaimedWebhook) -> None:
        heart = asyncio.create_task(self._beat(claimed))
        try:
            goes_on = True
            while goes_on:
                claimed, goes_on = await self._step(claimed)
        finally:
            heart.cancel()
            await asyncio.gather(heart, return_exceptions=True)

    async def _step(self, claimed: ClaimedWebhook) -> tuple[ClaimedWebhook, bool]:
        """Reads what is next, sends it and saves the results. Returns the webhook as it is now, and whether to go on.
        Raises LeaseLost."""
        async with self.places.database:
            work = await leases.read_work(self.db, claimed, limit=self.events_at_once())
        self._results, self._is_silenced = [], False
        save_at = time.monotonic() + min(_SAVE_EVERY_S, self.lease_ms / 3000)
        signer = Signer(claimed.secrets)

        async def send(sending: Sending) -> bool:
            return await self._send(claimed, signer, sending)

        try:
            sent = await send_in_order(
                work.sendings,
                send,
                is_over=lambda: self._must_stop() or time.monotonic() > save_at,
            )
        except asyncio.CancelledError:
            # The worker does not wait any longer. Events that have arrived need not be sent again.
            await self._save(claimed, work, _without_gaps(work, self._results), release=True)
            raise
        has_more = work.has_more or sent < len(work.sendings)
        release = not has_more or self.is_stopping() or self._is_turn_over()
        return await self._save(claimed, work, self._results, release=release)

    async def _send(self, claimed: ClaimedWebhook, signer: Signer, sending: Sending) -> bool:
        text = event_text(sending.event)
        async with self.places.connection(is_failing=claimed.webhook.failing_since is not None):
            at = now_ms()
            headers = signer.headers(sending.event.id, at // 1000, text)
            outcome = await self.client.post(claimed.webhook.url, headers, text.encode())
        attempt = Attempt(at=at, status_code=outcome.status, duration_ms=outcome.duration_ms, error=outcome.error)
        self._results.append(Result(sending=sending, attempt=attempt, asked_s=outcome.retry_after_s))
        self._is_silenced = self._is_silenced or asks_for_silence(outcome.status, outcome.retry_after_s)
        return outcome.error is None

    def _must_stop(self) -> bool:
        return self._is_lost or self._is_silenced or self.is_stopping()

    async def _save(
        self, claimed: ClaimedWebhook, work: Work, results: Sequence[Result], *, release: bool
    ) -> tuple[ClaimedWebhook, bool]:
        async with self.places.database:
            saved = await save_results(self.db, claimed, work, results, lease_ms=self.lease_ms, release=release)
        return saved.claimed, saved.goes_on and not release

    def _is_turn_over(self) -> bool:
        return time.monotonic() - self._began > _TURN_S and self.others_wait()

    async def _beat(self, claimed: ClaimedWebhook) -> None:
        """Extends the lease while requests run. When it is lost, no further request begins."""
        while not self._is_lost:
            await asyncio.sleep(self.lease_ms / 3000)
            try:
                await leases.extend_webhook(self.db, claimed, lease_ms=self.lease_ms)
            except LeaseLost:
                self._is_lost = True
            except ServiceUnavailable as error:
                _log.warning("webhook_heartbeat_missed", webhook_id=self.webhook_id, **error.for_log())
            except Exception:
                # The next beat may succeed.
                _log.exception("webhook_heartbeat_failed", webhook_id=self.webhook_id)


def _without_gaps(work: Work, results: Sequence[Result]) -> list[Result]:
    """Returns the results of the first sendings up to the first one without a result, in the order in which they came.
    A position cannot express more."""
    done = {result.sending.event.id for result in results}
    first: set[str] = set()
    for sending in work.sendings:
        if sending.event.id not in done:
            break
        first.add(sending.event.id)
    return [result for result in results if result.sending.event.id in first]
