#!/usr/bin/env bash
# standardwebhooks signs an aware time as if its clock showed UTC, so the receiver refuses the signature.
#
# Expected: `sign()` takes a `datetime`. An aware `datetime` names one instant, so every time zone of that instant gives
# the same signature. Expected too: `sign()` takes the body that `verify()` takes, `str` or `bytes`.
#
# Observed: `sign()` replaces the time zone by UTC instead of converting it. A time in Tokyo is signed nine hours late.
# The header `webhook-timestamp` that you send has the right instant, so `verify()` reports "No matching signature found",
# which looks like a wrong secret. It works in UTC, so it passes on a server and fails with `datetime.now().astimezone()`
# elsewhere. And bytes are signed as their Python literal, with `b` and quotes: `verify()` takes bytes, and refuses them.
#
# Versions: standardwebhooks 1.1.0 (PyPI). Seen on 2026-11-29 with Python 3.11:
#
#   time in UTC: verified
#   the same instant in Tokyo: WebhookVerificationError: No matching signature found
#   body as bytes: WebhookVerificationError: No matching signature found
#
# For you: sign with `datetime.now(timezone.utc)` and a `str`. Leadyard does both for its webhooks.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check standardwebhooks==1.1.0 2>/dev/null
"$work/venv/bin/python" - <<'PYTHON'
import base64
from datetime import datetime, timedelta, timezone

from standardwebhooks import Webhook, WebhookVerificationError

webhook = Webhook("whsec_" + base64.b64encode(b"only for this example.......").decode())
utc = datetime.now(timezone.utc)
tokyo = utc.astimezone(timezone(timedelta(hours=9)))
assert utc == tokyo


def outcome(time, body):
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(time.timestamp())),
        "webhook-signature": webhook.sign("msg_1", time, body),
    }
    try:
        webhook.verify(body, headers)
    except WebhookVerificationError as error:
        return f"WebhookVerificationError: {error}"
    return "verified"


body = '{"type":"job.completed"}'
seen = {"time in UTC": outcome(utc, body), "the same instant in Tokyo": outcome(tokyo, body)}
seen["body as bytes"] = outcome(utc, body.encode())
for case, result in seen.items():
    print(f"{case}: {result}")
refused = "WebhookVerificationError: No matching signature found"
if list(seen.values()) != ["verified", refused, refused]:
    print("CHANGED: standardwebhooks no longer signs as described.")
    raise SystemExit(1)
PYTHON
