"""A test of a webhook: one signed message, sent now."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.clock import now_ms
from leadyard.webhooks.client import Outcome, WebhookClient
from leadyard.webhooks.messages import sample_message
from leadyard.webhooks.signing import Signer


async def send_sample(client: WebhookClient, webhook_id: str, url: str, secrets: Sequence[str]) -> Outcome:
    """Sends a message of the type `webhook.test` and returns what came of it. It changes nothing: neither the state of
    the webhook nor its deliveries."""
    message_id, text = sample_message(webhook_id)
    headers = Signer(secrets).headers(message_id, now_ms() // 1000, text)
    return await client.post(url, headers, text.encode())
