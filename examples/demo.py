"""The demo: real people, the real service, one move, one refusal, one check-up. Run it with script/demo."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

CONGRESS = Path(__file__).with_name("legislators-current.csv")
READY_WITHIN_S = 20
console = Console(highlight=False, soft_wrap=True)


def main() -> None:
    with tempfile.TemporaryDirectory(prefix="leadyard-demo-") as folder:
        environment = {**os.environ, "LEADYARD_DATA_DIR": folder, "LEADYARD_DATABASE_URL": ""}
        group = run(environment, "account-groups", "create", "Demo")["id"]
        permissions = "audiences:read,audiences:write,prospects:read"
        key = run(environment, "keys", "create", "--account-group", group, "--permission", permissions)["key"]
        with (
            service(environment) as base_url,
            httpx.Client(headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client,
        ):
            client.base_url = f"{base_url}/v1/accounts/{group}"
            show(environment, client, group)


def show(environment: dict[str, str], client: httpx.Client, group: str) -> None:
    heading("Two audiences, created over HTTP; 537 members of Congress imported into the first")
    congress, senate = (create_audience(client, name) for name in ("Congress", "Senate"))
    imported = run(
        environment, "import", str(CONGRESS), "--account-group", group, "--audience", congress,
        "--identity-column", "bioguide_id",
    )  # fmt: skip
    print_json({name: imported[name] for name in ("read", "created", "matched", "added", "rejected")})
    senators = [person["id"] for person in walk(client, congress) if person["customFields"].get("type") == "sen"]
    print_counts(client, congress, senate)

    heading(f"The move: {len(senators)} senators leave Congress for the Senate, all of them or none")
    body = {"targetAudienceId": senate, "leadIds": senators}
    move = client.build_request("POST", f"/audiences/{congress}/move-leads", json=body)
    console.print(f"POST {move.url.path}")
    print_json({**body, "leadIds": [*senators[:3], f"... {len(senators) - 3} more"]})
    answer = client.send(move)
    console.print(f"{answer.status_code} {answer.reason_phrase}    Move-Id: {answer.headers.get('Move-Id')}")
    print_json(answer.json())
    print_counts(client, congress, senate)

    heading("The same move again: refused as a whole, because they are no longer there")
    refusal = client.post(move.url, json=body)
    error = refusal.json()["error"]
    console.print(f"{refusal.status_code} {error['code']}\n{error['message']}\n{error['details']}")
    print_counts(client, congress, senate)

    heading("The check-up")
    run(environment, "doctor", as_json=False)
    expected = (
        answer.json()["data"]["movedCount"],
        refusal.status_code,
        count(client, congress),
        count(client, senate),
    )
    if expected != (100, 422, 437, 100):
        sys.exit(f"The demo did not go as expected: {expected}")


def create_audience(client: httpx.Client, name: str) -> str:
    answer = client.post("/audiences", json={"name": name, "type": "on_demand"}).raise_for_status()
    audience_id: str = answer.json()["data"]["id"]
    return audience_id


def walk(client: httpx.Client, audience_id: str) -> Iterator[dict[str, Any]]:
    """Yields every person of the audience, page by page."""
    query: dict[str, str | int] = {"limit": 200}
    while True:
        page = client.get(f"/audiences/{audience_id}/prospects", params=query).raise_for_status().json()["data"]
        yield from page["items"]
        if not page["hasMore"]:
            return
        query["cursor"] = page["nextCursor"]


def count(client: httpx.Client, audience_id: str) -> int:
    answer = client.get(f"/audiences/{audience_id}").raise_for_status()
    prospect_count: int = answer.json()["data"]["prospectCount"]
    return prospect_count


def print_counts(client: httpx.Client, congress: str, senate: str) -> None:
    console.print(f"Congress {count(client, congress)}    Senate {count(client, senate)}")


def heading(text: str) -> None:
    console.print(f"\n[bold]{text}[/bold]")


def print_json(value: Any) -> None:
    """Coloured on a terminal, plain JSON elsewhere."""
    if console.is_terminal:
        console.print_json(data=value)
    else:
        print(json.dumps(value, indent=2, ensure_ascii=False), flush=True)


def run(environment: dict[str, str], *arguments: str, as_json: bool = True) -> dict[str, Any]:
    """Runs a command of leadyard as the operator would."""
    command = [sys.executable, "-m", "leadyard", *arguments, *(["--json"] if as_json else [])]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE if as_json else None, check=False)
    if done.returncode != 0:
        sys.exit(f"'leadyard {' '.join(arguments)}' ended with {done.returncode}. {(done.stdout or b'').decode()}")
    result: dict[str, Any] = json.loads(done.stdout) if as_json else {}
    return result


@contextmanager
def service(environment: dict[str, str]) -> Iterator[str]:
    """Runs the real service on a free port; yields its URL once it answers, stops it at the end."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    log_level = environment.get("LEADYARD_LOG_LEVEL", "error")
    process = subprocess.Popen(
        [sys.executable, "-m", "leadyard", "serve", "--host", "127.0.0.1", "--port", str(port)],
        env={**environment, "LEADYARD_LOG_LEVEL": log_level},
    )
    try:
        wait_until_ready(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


def wait_until_ready(process: subprocess.Popen[bytes], base_url: str) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while process.poll() is None and time.monotonic() < deadline:
        try:
            httpx.get(f"{base_url}/v1/accounts", trust_env=False)
            return
        except httpx.TransportError:
            time.sleep(0.05)
    sys.exit("The service did not start.")


if __name__ == "__main__":
    main()
