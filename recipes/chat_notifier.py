#!/usr/bin/env python3
"""Posts a line to a chat for each change of your lists. It receives a webhook of Leadyard, and needs
`pip install standardwebhooks`.

    WEBHOOK_SECRET=whsec_… CHAT_URL=https://chat.example.com/hooks/… PORT=9200 chat_notifier.py

`CHAT_URL` is an incoming webhook of Slack, Mattermost, Rocket.Chat or another chat that accepts `{"text": "…"}`.
SEEN_FILE, `notified.db` by default, remembers the events that were posted, so that no line comes twice.

It answers 204 when the line is posted or not wanted, 401 when the signature is wrong, 413 above 64 kB, and 503 when the
chat does not accept the line. Leadyard then sends the event again later.
"""

from __future__ import annotations

import json
import os
import sqlite3
import urllib.request
from http.client import HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

LARGEST_BODY = 65_536
CHAT_WITHIN_S = 10
VERBS = {
    "leads.moved": "moved",
    "leads.copied": "copied",
    "leads.removed": "removed",
    "leads.added": "added",
    "change.undone": "put back by an undo",
}


def line_about(event: dict[str, Any]) -> str | None:
    """Returns the line for the chat, or None for an event that is not about people in lists."""
    data = event["data"]
    if event["type"] == "job.failed":
        return f"A {data['kind']} job has failed ({data['errorCode']}): {data['jobId']}"
    if event["type"] not in VERBS or not data["leadCount"]:
        return None
    count = data["leadCount"]
    source, target = (_list(data[side]) for side in ("sourceAudience", "targetAudience"))
    way = "".join([f" from {source}" if source else "", f" to {target}" if target else ""])
    return f"{count:,} {'person' if count == 1 else 'people'} {VERBS[event['type']]}{way}"


def _list(audience: dict[str, Any] | None) -> str:
    if audience is None:
        return ""
    # In a chat these three characters would begin a link, a mention or a character code.
    name = audience["name"].replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return f"*{name}* (now {audience['prospectCount']:,})"


def post(url: str, line: str) -> None:
    """Posts the line. Raises OSError or HTTPException if the chat does not accept it."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(url, json.dumps({"text": line}).encode(), headers)
    with urllib.request.urlopen(request, timeout=CHAT_WITHIN_S):
        pass


class Seen:
    """The ids of the posted events, in a file. One request at a time is between `has` and `add`."""

    def __init__(self, path: str) -> None:
        self.lock = Lock()
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.execute("CREATE TABLE IF NOT EXISTS seen (id TEXT PRIMARY KEY, at TEXT DEFAULT CURRENT_TIMESTAMP)")
        # Leadyard repeats an event for four days at most, unless you replay it.
        self._db.execute("DELETE FROM seen WHERE at < datetime('now', '-40 days')")

    def has(self, event_id: str) -> bool:
        """Returns whether the event was posted."""
        return self._db.execute("SELECT 1 FROM seen WHERE id = ?", (event_id,)).fetchone() is not None

    def add(self, event_id: str) -> None:
        """Remembers that the event was posted."""
        self._db.execute("INSERT OR IGNORE INTO seen (id) VALUES (?)", (event_id,))


class Notifier(BaseHTTPRequestHandler):
    """Answers the requests of Leadyard. `main` sets the three values."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    webhook: Webhook
    chat_url: str
    seen: Seen

    def do_POST(self) -> None:
        """Verifies the event, posts its line, and answers."""
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal() or int(length) > LARGEST_BODY:
            self.close_connection = True
            self._answer(413)
            return
        body = self.rfile.read(int(length))
        try:
            event = self.webhook.verify(body, dict(self.headers))
        except (WebhookVerificationError, ValueError):
            self._answer(401)
            return
        self._answer(204 if self._notify(event) else 503)

    def _notify(self, event: dict[str, Any]) -> bool:
        line = line_about(event)
        if line is None:
            return True
        with self.seen.lock:
            if self.seen.has(event["id"]):
                return True
            try:
                post(self.chat_url, line)
            except (OSError, HTTPException) as error:
                self.log_message("the chat did not accept the line: %s", error)
                return False
            self.seen.add(event["id"])
        return True

    def _answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()


def main() -> None:
    """Serves until you stop it."""
    Notifier.webhook = Webhook(os.environ["WEBHOOK_SECRET"])
    Notifier.chat_url = os.environ["CHAT_URL"]
    Notifier.seen = Seen(os.environ.get("SEEN_FILE", "notified.db"))
    ThreadingHTTPServer((os.environ.get("HOST", "127.0.0.1"), int(os.environ["PORT"])), Notifier).serve_forever()


if __name__ == "__main__":
    main()
