#!/usr/bin/env python3
"""Brings the people of a file into a list of Leadyard, for cron. It needs Python 3.11 or newer, and nothing else.

    LEADYARD_URL=https://leads.example.com LEADYARD_API_KEY=sk_live_… \
        nightly_sync.py contacts.csv --account-group ID --audience ID

Run it as often as you like: people who are in the list already stay there once, and their fields are updated. If it is
interrupted, run the same command again. For the same file on the same day (UTC) it continues the same job.

Exit codes:
    0   all people of the file are in the list
    1   the service refused, or the job failed. The reason is on standard error, and a person has to act
    2   the arguments or the environment are wrong
    3   the job has completed, but some rows were rejected. They are in FILE.rejects.csv
    75  not now: another run is active, or the service did not answer in time. Nothing is lost, run it again
"""

from __future__ import annotations

import argparse
import base64
import fcntl
import hashlib
import json
import os
import shutil
import sys
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path
from typing import Any

DONE, REFUSED, USAGE, SOME_REJECTED, NOT_NOW = 0, 1, 2, 3, 75
# 502 and 504 come from a proxy. A 409 is retried only if it has Retry-After: then the list is busy, or the same request
# is still in flight.
RETRIED = {429, 502, 503, 504}
LONGEST_PAUSE_S = 60
ANSWER_WITHIN_S = 120
BETWEEN_LOOKS_S = 1


class Stop(Exception):
    """Ends the program with an exit code and a sentence."""

    def __init__(self, code: int, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


@dataclass
class Leadyard:
    """The requests of one run. Together they may take `patience_s` seconds, pauses included."""

    base_url: str
    key: str
    patience_s: float
    deadline: float = field(init=False)

    def __post_init__(self) -> None:
        self.deadline = time.monotonic() + self.patience_s

    def post(self, path: str, body: bytes | Path, content_type: str, idempotency_key: str, **headers: str) -> Any:
        """Returns `data` of the answer. The key makes it safe to send the request again when the answer is lost."""
        return self._send(
            "POST", path, body, {"Content-Type": content_type, "Idempotency-Key": idempotency_key, **headers}
        )

    def get(self, path: str) -> Any:
        """Returns `data` of the answer."""
        return self._send("GET", path, None, {})

    def download(self, path: str, file: Path) -> None:
        """Writes the answer to the file."""
        with self._open("GET", path, None, {}) as answer, file.open("wb") as output:
            shutil.copyfileobj(answer, output)

    def pause(self, seconds: float, reason: str) -> None:
        """Waits, or ends the program if the time is up."""
        if time.monotonic() + seconds > self.deadline:
            raise Stop(
                NOT_NOW, f"{reason} The time is up after {self.patience_s:.0f} s. Run the same command again later."
            )
        time.sleep(seconds)

    def _send(self, method: str, path: str, body: bytes | Path | None, headers: dict[str, str]) -> Any:
        with self._open(method, path, body, headers) as answer:
            return json.load(answer)["data"]

    def _open(self, method: str, path: str, body: bytes | Path | None, headers: dict[str, str]) -> Any:
        backoff = 1.0
        while True:
            try:
                return self._open_once(method, path, body, headers)
            except urllib.error.HTTPError as error:
                wait = _retry_after(error)
                if error.code not in RETRIED and not (error.code == 409 and wait is not None):
                    raise Stop(REFUSED, _sentence_of(error)) from None
                reason = f"The service answered {error.code}."
            except (OSError, HTTPException) as error:
                wait, reason = None, f"The service at {self.base_url} did not answer: {error}."
            self.pause(min(LONGEST_PAUSE_S, max(wait or 0, backoff)), reason)
            backoff *= 2

    def _open_once(self, method: str, path: str, body: bytes | Path | None, headers: dict[str, str]) -> Any:
        headers = {**headers, "Authorization": f"Bearer {self.key}"}
        if not isinstance(body, Path):
            request = urllib.request.Request(self.base_url + path, body, headers, method=method)
            return urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S)
        with body.open("rb") as content:
            headers["Content-Length"] = str(os.fstat(content.fileno()).st_size)
            request = urllib.request.Request(self.base_url + path, content, headers, method=method)
            return urllib.request.urlopen(request, timeout=ANSWER_WITHIN_S)


def _retry_after(error: urllib.error.HTTPError) -> float | None:
    value = error.headers.get("Retry-After", "")
    return float(value) if value.isdecimal() else None


def _sentence_of(error: urllib.error.HTTPError) -> str:
    try:
        refusal = json.load(error)["error"]
        return f"{error.code} {refusal['code']}: {refusal['message']} {refusal['details']}"
    except (ValueError, LookupError, TypeError):
        return f"The service answered {error.code}."


def sync(leadyard: Leadyard, file: Path, audience_id: str, run: str) -> str:
    """Uploads the file, starts the job, waits for its end, and returns a line for the log. Raises Stop."""
    digest = hashlib.sha256(file.read_bytes()).digest()
    # The same file on the same day has the same keys, so a second run finds the upload and the job of the first one.
    name = f"nightly-{run}-{audience_id}-{digest.hex()[:24]}"
    integrity = f"sha-256=:{base64.b64encode(digest).decode()}:"
    upload = leadyard.post("/uploads", file, "text/csv", f"{name}-upload", **{"Content-Digest": integrity})
    job = {
        "type": "csv_upload",
        "uploadId": upload["uploadId"],
        "audience": {"id": audience_id},
        "onKnown": "update",
    }
    started = leadyard.post("/prospecting", json.dumps(job).encode(), "application/json", f"{name}-start")
    ended = _wait_for(leadyard, started["jobId"])
    counts = ended["counts"]
    line = f"job {ended['jobId']}: " + ", ".join(f"{key} {counts[key]}" for key in ("read", "added", "rejected"))
    if ended["status"] != "completed":
        error = ended["error"] or {}
        raise Stop(
            REFUSED, f"{line}. The job is {ended['status']}: {error.get('message', '')} Use --again to retry it."
        )
    if counts["rejected"]:
        rejects = file.with_suffix(".rejects.csv")
        leadyard.download(f"/prospecting/{ended['jobId']}/rejected.csv", rejects)
        raise Stop(SOME_REJECTED, f"{line}. Fix the rows in {rejects}, and import that file.")
    return line


def _wait_for(leadyard: Leadyard, job_id: str) -> Any:
    while (job := leadyard.get(f"/prospecting/{job_id}"))["status"] in ("queued", "running"):
        leadyard.pause(BETWEEN_LOOKS_S, f"Job {job_id} is {job['status']}.")
    return job


def _locked(file: Path) -> Any:
    """Returns the open lock file. The system frees the lock when the program ends, however it ends."""
    lock = file.with_suffix(".lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Stop(NOT_NOW, f"Another run for {file} is active.") from None
    return lock


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Brings the people of a file into a list of Leadyard.")
    parser.add_argument("file", type=Path, help="CSV, Excel, OpenDocument or vCard")
    parser.add_argument("--account-group", required=True, metavar="ID")
    parser.add_argument("--audience", required=True, metavar="ID", help="the list that gets the people")
    parser.add_argument("--patience", type=float, default=900, metavar="SECONDS", help="give up after this (900)")
    parser.add_argument("--again", action="store_true", help="start a new job, even if this file had one today")
    given = parser.parse_args()
    if not given.file.is_file():
        parser.error(f"There is no file {given.file}.")
    for name in ("LEADYARD_URL", "LEADYARD_API_KEY"):
        if not os.environ.get(name):
            parser.error(f"Set the environment variable {name}.")
    return given


def main() -> int:
    """Returns the exit code."""
    given = _arguments()
    run = datetime.now(UTC).strftime("%Y%m%dT%H%M%S" if given.again else "%Y%m%d")
    url = f"{os.environ['LEADYARD_URL'].rstrip('/')}/v1/accounts/{given.account_group}"
    try:
        with _locked(given.file):
            print(sync(Leadyard(url, os.environ["LEADYARD_API_KEY"], given.patience), given.file, given.audience, run))
    except Stop as stop:
        print(f"nightly_sync: {stop}", file=sys.stderr)
        return stop.code
    return DONE


if __name__ == "__main__":
    sys.exit(main())
