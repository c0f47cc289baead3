"""Clients that move leads back and forth while the database fails, and the proof that nothing is lost."""

from __future__ import annotations

import itertools
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from rig.racing import (
    Replay,
    assert_documented_503,
    assert_exact,
    assert_healthy,
    code_of,
    is_of_unknown_outcome,
    membership,
    recorded_moves,
    wait_until,
)
from rig.service import Service, Tenant, make_tenant


@dataclass
class Mover:
    """Moves leads back and forth without a pause. Looks where they are whenever an answer leaves that open."""

    tenant: Tenant
    one: str
    other: str
    leads: list[str]
    accepted: list[httpx.Response] = field(default_factory=list)
    unknown: int = 0
    told: Counter[str] = field(default_factory=Counter)
    last_success: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        here, there = self.one, self.other
        with self.tenant.new_client() as client:
            while not self.stop.is_set():
                answer = self.tenant.move(here, there, self.leads, client)
                self.told[f"{answer.status_code} {code_of(answer)}".strip()] += 1
                if answer.status_code == 200:
                    self.accepted.append(answer)
                    self.last_success = time.monotonic()
                    here, there = there, here
                elif code_of(answer) == "LEADS_NOT_IN_SOURCE":
                    # Only a move of unknown outcome that was in fact done can have moved them.
                    assert self.unknown
                    assert answer.json()["error"]["leadCount"] == len(self.leads)
                    here, there = there, here
                else:
                    assert_documented_503(answer)
                    self.unknown += is_of_unknown_outcome(answer)
                    self.stop.wait(0.02)


@dataclass
class KeyedMover(Mover):
    """Sends each move with a key, and repeats it with the same key until it has a success. It never looks where the
    leads are. It waits `patience_s` for an answer, and then cuts the connection."""

    patience_s: float = 60
    _numbers: Iterator[int] = field(default_factory=itertools.count)

    def run(self) -> None:
        here, there = self.one, self.other
        while not self.stop.is_set():
            key = f"{self.one}-{next(self._numbers)}"
            answer, tries = self._send_until_done(here, there, key)
            self.accepted.append(answer)
            self.last_success = time.monotonic()
            if tries > 1:
                # Not only the repeat that settled it: each one gets the same bytes.
                again, _ = self._send_until_done(here, there, key)
                assert (again.content, again.headers["Idempotency-Replayed"]) == (answer.content, "true")
            here, there = there, here

    def _send_until_done(self, here: str, there: str, key: str) -> tuple[httpx.Response, int]:
        """Returns the success, and the number of requests that it took."""
        deadline = time.monotonic() + 60
        for tries in itertools.count(1):
            outcome, answer = self._send(here, there, key)
            self.told[outcome] += 1
            if answer is not None:
                return answer, tries
            assert time.monotonic() < deadline, f"{key} has no success: {self.told}"
            # A service that is not ready needs the machine more than its clients do.
            time.sleep(0.2)
        raise AssertionError

    def _send(self, here: str, there: str, key: str) -> tuple[str, httpx.Response | None]:
        # A new connection each time, as after a cut one.
        with self.tenant.new_client() as client:
            try:
                answer = client.post(
                    f"/audiences/{here}/move-leads",
                    json={"targetAudienceId": there, "leadIds": self.leads},
                    headers={"Idempotency-Key": key},
                    timeout=self.patience_s,
                )
            except httpx.TimeoutException:
                return "cut", None
        outcome = f"{answer.status_code} {code_of(answer)}".strip()
        if outcome == "200":
            return outcome, answer
        if outcome == "409 IDEMPOTENCY_CONFLICT":
            assert answer.headers["Retry-After"] == "1"
        else:
            assert_documented_503(answer)
        return outcome, None


@dataclass
class Scene:
    """Movers at work, each with its own audiences."""

    tenant: Tenant
    movers: list[Mover]
    at_first: dict[str, set[str]]

    def wait_for_success(self, *, within_s: float = 60) -> None:
        """Every mover gets another 200, although the service is not restarted."""
        before = [mover.last_success for mover in self.movers]
        wait_until(
            lambda: all(mover.last_success > then for mover, then in zip(self.movers, before, strict=True)),
            "moves go through again",
            within_s=within_s,
        )


@contextmanager
def at_work(service: Service, keyed: Mapping[str, float] | None = None, /, **sizes: int) -> Iterator[Scene]:
    """Runs a mover of each size while the block runs; then proves that the record, the answers and the audiences
    agree. `keyed` are movers with keys, and how long each waits for an answer."""
    tenant = make_tenant(service)
    process = service.process

    def places(name: str, size: int) -> tuple[str, str, list[str]]:
        one, other = tenant.create_audience(f"{name} one"), tenant.create_audience(f"{name} other")
        return one, other, tenant.add_leads(one, size, prefix=name)

    movers = [Mover(tenant, *places(name, size)) for name, size in sizes.items()]
    movers += [
        KeyedMover(tenant, *places(name, 2), patience_s=patience_s) for name, patience_s in (keyed or {}).items()
    ]
    scene = Scene(tenant, movers, membership(tenant))
    with ThreadPoolExecutor(len(movers)) as pool:
        running = [pool.submit(mover.run) for mover in movers]
        try:
            scene.wait_for_success()
            yield scene
            scene.wait_for_success()
        finally:
            for mover in movers:
                mover.stop.set()
            for each in running:
                each.result()
    assert service.process is process and process is not None and process.poll() is None
    assert [line for line in service.log_lines() if line.get("event") == "unhandled_error"] == []
    assert_all_or_nothing(scene)
    print(f"\n{[dict(mover.told) for mover in movers]}, of unknown outcome: {[mover.unknown for mover in movers]}")


def assert_all_or_nothing(scene: Scene) -> None:
    tenant = scene.tenant
    record = recorded_moves(tenant)
    accepted = {answer.headers["Move-Id"] for mover in scene.movers for answer in mover.accepted}
    assert accepted <= set(record), "an answered move is gone"
    # The answer "nothing was changed" was true: only moves of unknown outcome may be on record without a 200.
    assert len(record) - len(accepted) <= sum(mover.unknown for mover in scene.movers)
    start = {audience: set[str]() for mover in scene.movers for audience in (mover.one, mover.other)}
    replay = Replay({**start, **{audience: set(leads) for audience, leads in scene.at_first.items()}})
    replay.run(record.values(), [answer for mover in scene.movers for answer in mover.accepted])
    for mover in scene.movers:
        for answer in mover.accepted:
            replay.assert_answer(answer)
    assert_exact(tenant, replay.members)
    assert_healthy(tenant)
