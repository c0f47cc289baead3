"""Webhooks as the commands print them for people. For programs they print the objects of the API."""

from __future__ import annotations

from collections.abc import Sequence

from leadyard.cli.output import Data
from leadyard.cli.table import one_line


def webhooks_as_text(webhooks: Sequence[Data]) -> str:
    """Returns two lines about each webhook."""
    return "\n".join(map(_webhook, webhooks)) or "No webhooks found."


def _webhook(webhook: Data) -> str:
    reason = f" ({webhook['disabledReason']})" if webhook["disabledReason"] else ""
    failing = f", failing since {webhook['failingSince']}" if webhook["failingSince"] else ""
    wanted = ", ".join(webhook["types"]) or "all events"
    first = f"{webhook['id']}  {webhook['status']}{reason}  {one_line(webhook['url'])}"
    return f"{first}\n    {wanted}; last success: {webhook['lastSuccessAt'] or 'never'}{failing}"


def deliveries_as_table(deliveries: Sequence[Data]) -> str:
    """Returns one line per delivery, under a heading."""
    lines = [f"{'EVENT':<24}  {'TYPE':<18}  {'STATUS':<9}  {'TRIES':>5}  LAST ANSWER"]
    for each in deliveries:
        last = each["attempts"][-1] if each["attempts"] else None
        answer = "-" if last is None else f"{last['statusCode'] or last['error']} in {last['durationMs']} ms"
        again = f", next at {each['nextAttemptAt']}" if each["nextAttemptAt"] else ""
        tries = len(each["attempts"])
        lines.append(f"{each['eventId']}  {each['type']:<18}  {each['status']:<9}  {tries:>5}  {answer}{again}")
    return "\n".join(lines)
