"""The requests of a load, each with its share, the statuses that may answer it, and what it leaves behind."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import httpx

from benchmarks.load.groups import Group

Act = Callable[[Group, random.Random], Awaitable[httpx.Response]]
# The service may be busy, and says so; everything else that an act does not list is a fault.
BUSY = {429, 503}


@dataclass(frozen=True)
class Kind:
    """How often an act is chosen, and which answers it may get from a service that is not busy."""

    act: Act
    share: int
    answers: frozenset[int]


def _two(group: Group, chance: random.Random) -> tuple[str, str]:
    source, target = chance.sample(group.lists, 2)
    return source, target


def _some(group: Group, chance: random.Random, most: int) -> list[str]:
    return chance.sample(group.people, min(len(group.people), chance.randint(1, most)))


async def _members_of(group: Group, chance: random.Random, audience_id: str, most: int) -> list[str]:
    """Returns people who were in the list a moment ago, so that most moves succeed."""
    limit = chance.randint(1, most)
    answer = await group.client.get(f"/audiences/{audience_id}/prospects", params={"limit": limit})
    return [each["id"] for each in answer.json()["data"]["items"]] if answer.status_code == 200 else []


def _noted(group: Group, answer: httpx.Response) -> httpx.Response:
    if answer.status_code == 200 and "Change-Id" in answer.headers:
        group.changes.append(answer.headers["Change-Id"])
    return answer


async def _move(group: Group, chance: random.Random) -> httpx.Response:
    source, target = _two(group, chance)
    ids = await _members_of(group, chance, source, 50) or _some(group, chance, 5)
    body = {"targetAudienceId": target, "leadIds": ids}
    return _noted(group, await group.client.post(f"/audiences/{source}/move-leads", json=body))


async def _copy(group: Group, chance: random.Random) -> httpx.Response:
    source, target = _two(group, chance)
    ids = await _members_of(group, chance, source, 25) or _some(group, chance, 5)
    body = {"targetAudienceId": target, "leadIds": ids}
    return _noted(group, await group.client.post(f"/audiences/{source}/copy-leads", json=body))


async def _remove(group: Group, chance: random.Random) -> httpx.Response:
    source = chance.choice(group.lists)
    ids = await _members_of(group, chance, source, 5) or _some(group, chance, 5)
    return _noted(group, await group.client.post(f"/audiences/{source}/remove-leads", json={"leadIds": ids}))


async def _add(group: Group, chance: random.Random) -> httpx.Response:
    people = [
        {"email": f"person{chance.randrange(2 * group.size)}@load-{group.id[-6:]}.example.com"} for _ in range(20)
    ]
    return _noted(
        group, await group.client.post(f"/audiences/{chance.choice(group.lists)}/prospects", json={"prospects": people})
    )


async def _undo(group: Group, chance: random.Random) -> httpx.Response:
    if not group.changes:
        return await _changes(group, chance)
    change_id = chance.choice(group.changes[-50:])
    body = {"skipChanged": chance.random() < 0.7}
    return _noted(group, await group.client.post(f"/changes/{change_id}/undo", json=body))


async def _walk(group: Group, chance: random.Random) -> httpx.Response:
    return await group.client.get(f"/audiences/{chance.choice(group.lists)}/prospects", params={"limit": 100})


async def _search(group: Group, chance: random.Random) -> httpx.Response:
    query: dict[str, Any] = {"q": f"person {chance.randrange(group.size)}", "limit": 20}
    return await group.client.get(f"/audiences/{chance.choice(group.lists)}/prospects", params=query)


async def _navigation(group: Group, chance: random.Random) -> httpx.Response:
    return await group.client.get("/audiences/navigation")


async def _changes(group: Group, chance: random.Random) -> httpx.Response:
    return await group.client.get("/changes", params={"audienceId": chance.choice(group.lists), "limit": 20})


async def _edit(group: Group, chance: random.Random) -> httpx.Response:
    return await group.client.patch(f"/prospects/{chance.choice(group.people)}", json={"title": f"T{chance.random()}"})


async def _erase(group: Group, chance: random.Random) -> httpx.Response:
    return await group.client.delete(f"/prospects/{chance.choice(group.people)}")


async def _short_list(group: Group, chance: random.Random) -> httpx.Response:
    """Creates a list, copies people into it, and deletes it with them."""
    made = await group.client.post("/audiences", json={"name": "Short", "type": "on_demand"})
    if made.status_code != 201:
        return made
    audience_id = made.json()["data"]["id"]
    source = chance.choice(group.lists)
    if ids := await _members_of(group, chance, source, 10):
        copied = await group.client.post(
            f"/audiences/{source}/copy-leads", json={"targetAudienceId": audience_id, "leadIds": ids}
        )
        _noted(group, copied)
    return await group.client.delete(f"/audiences/{audience_id}")


async def _job(group: Group, chance: random.Random) -> httpx.Response:
    """Starts an import into a list of its own, by profile addresses."""
    urls = [f"https://www.linkedin.com/in/load-{group.id[-6:]}-{chance.randrange(group.size)}" for _ in range(20)]
    body = {"type": "url_upload", "audience": {"name": "Job"}, "profileUrls": urls}
    return await group.client.post("/prospecting", json=body)


KINDS: dict[str, Kind] = {
    "move": Kind(_move, 40, frozenset({200, 409, 422})),
    "copy": Kind(_copy, 6, frozenset({200, 409, 422})),
    "remove": Kind(_remove, 3, frozenset({200, 409, 422})),
    "add": Kind(_add, 6, frozenset({200, 409})),
    "undo": Kind(_undo, 5, frozenset({200, 404, 409, 422})),
    "list": Kind(_walk, 15, frozenset({200})),
    "search": Kind(_search, 8, frozenset({200})),
    "navigation": Kind(_navigation, 5, frozenset({200})),
    "changes": Kind(_changes, 5, frozenset({200})),
    "edit": Kind(_edit, 3, frozenset({200, 404})),
    "erase": Kind(_erase, 1, frozenset({200, 404, 409})),
    "create and delete": Kind(_short_list, 2, frozenset({200, 404, 409})),
    "job": Kind(_job, 1, frozenset({202})),
}
