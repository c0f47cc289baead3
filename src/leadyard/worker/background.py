"""The work of a worker process: jobs and webhooks, side by side."""

from __future__ import annotations

import asyncio

from leadyard.worker.jobs.worker import Worker
from leadyard.worker.webhooks.sender import WebhookSender


class Background:
    """Runs jobs and sends webhooks."""

    def __init__(self, worker: Worker, sender: WebhookSender) -> None:
        self._worker = worker
        self._sender = sender

    def stop(self) -> None:
        """Ends both: they start nothing new, and save what is done."""
        self._worker.stop()
        self._sender.stop()

    async def run(self) -> None:
        """Works until `stop` is called, or until it is cancelled, which has the same effect."""
        async with asyncio.TaskGroup() as both:
            both.create_task(self._worker.run())
            both.create_task(self._sender.run())
