"""The account groups of a load: few big ones and many small ones, each with lists, people and a key of its own."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from dataclasses import dataclass, field
from typing import Any

import httpx

LISTS = 6
_PEOPLE_A_REQUEST = 500


@dataclass
class Group:
    """One account group. `lists` are its audiences, `people` the ids that its requests use; an id may have been moved,
    erased or merged since, which the service then says. `changes` are the ids of the changes that were answered."""

    id: str
    client: httpx.AsyncClient
    size: int
    lists: list[str] = field(default_factory=list)
    people: list[str] = field(default_factory=list)
    changes: list[str] = field(default_factory=list)

    async def fill(self) -> None:
        """Creates the lists and brings the people in, spread over the lists."""
        for n in range(LISTS):
            made = await self._must("POST", "/audiences", {"name": f"List {n}", "type": "on_demand"})
            self.lists.append(made["id"])
        for first in range(0, self.size, _PEOPLE_A_REQUEST):
            people = [
                {"email": f"person{n}@load-{self.id[-6:]}.example.com", "name": f"Person {n}", "title": "Engineer"}
                for n in range(first, min(first + _PEOPLE_A_REQUEST, self.size))
            ]
            await self._must("POST", f"/audiences/{self.lists[first % LISTS]}/prospects", {"prospects": people})
        self.people = [each["id"] for audience_id in self.lists for each in await self.members(audience_id)]

    async def members(self, audience_id: str) -> list[dict[str, Any]]:
        """Returns all people of the list, page by page."""
        items: list[dict[str, Any]] = []
        cursor = ""
        while True:
            query = f"?limit=200{f'&cursor={cursor}' if cursor else ''}"
            page = await self._must("GET", f"/audiences/{audience_id}/prospects{query}")
            items += page["items"]
            if not page["hasMore"]:
                return items
            cursor = page["nextCursor"]

    async def _must(self, method: str, path: str, body: Any = None) -> dict[str, Any]:
        answer = await self.client.request(method, path, json=body)
        if answer.status_code not in (200, 201):
            raise SystemExit(f"{method} {path}: {answer.status_code} {answer.text}")
        data: dict[str, Any] = answer.json()["data"]
        return data


def sizes(groups: int, people: int) -> list[int]:
    """Returns the number of people of each group, the biggest first: the n-th has an n-th of the first one's people, as
    in most installations, and at least 50."""
    whole = sum(1 / rank for rank in range(1, groups + 1))
    return [max(50, round(people / rank / whole)) for rank in range(1, groups + 1)]


def chosen(groups: list[Group], chance: random.Random) -> Group:
    """Returns the group of the next request: a group gets requests according to its size."""
    return chance.choices(groups, [group.size for group in groups])[0]


def create_groups(urls: list[str], database_url: str, count: int, people: int) -> list[Group]:
    """Creates that many empty account groups by the commands of an operator. Their requests go to the services of
    `urls` in turn."""
    permissions = ("audiences:read", "audiences:write", "prospects:read", "prospecting:read", "prospecting:write")
    made = []
    for n, size in enumerate(sizes(count, people)):
        group_id = _command(database_url, "account-groups", "create", f"Load {n}")["id"]
        options = [f"--permission={each}" for each in permissions]
        key = _command(database_url, "keys", "create", "--name", "load", "--account-group", group_id, *options)["key"]
        client = httpx.AsyncClient(
            base_url=f"{urls[n % len(urls)]}/v1/accounts/{group_id}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=120,
            limits=httpx.Limits(keepalive_expiry=2),
        )
        made.append(Group(group_id, client, size))
    return made


def run_command(database_url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a command of the operator on the database, with JSON as its output."""
    return subprocess.run(
        [sys.executable, "-m", "leadyard", *arguments, "--json"],
        env={**os.environ, "LEADYARD_DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )


def _command(database_url: str, *arguments: str) -> dict[str, Any]:
    done = run_command(database_url, *arguments)
    if done.returncode != 0:
        raise SystemExit(done.stdout + done.stderr)
    result: dict[str, Any] = json.loads(done.stdout)
    return result
