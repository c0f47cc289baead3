"""Row 5: what a move costs in an account group with many memberships, compared with a small one in the same
database."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass

from benchmarks.suite.figures import Figure, take_turns
from benchmarks.suite.filling import Filler, steps
from benchmarks.suite.stage import TITLES, Kind, Stage
from rig.service import Service, Tenant, make_tenant

LEADS_A_MOVE = 25
FULL_AUDIENCES = 9  # Plus two halves, between which the leads move: ten memberships for each lead.
Choice = Callable[["Group"], list[int]]


@dataclass
class Group:
    """An account group whose even leads are in `here`, its odd ones in `there`, and all of them in nine more."""

    tenant: Tenant
    here: str
    there: str
    leads: int
    filler: Filler
    dice: random.Random

    @property
    def memberships(self) -> int:
        return self.leads * (FULL_AUDIENCES + 1)

    def timed_move(self, choose: Choice) -> float:
        """Returns the seconds that a move of newly chosen leads takes, without moving them back."""
        lead_ids = [self.filler.id_of(number) for number in choose(self)]
        started = time.perf_counter()
        answer = self.tenant.move(self.here, self.there, lead_ids)
        took = time.perf_counter() - started
        assert answer.status_code == 200, answer.text
        back = self.tenant.move(self.there, self.here, lead_ids)
        assert back.status_code == 200, back.text
        return took


def _neighbours(group: Group) -> list[int]:
    """Returns leads that are next to each other somewhere in the list, as people select them on a page."""
    start = group.dice.randrange(group.leads // 2 - LEADS_A_MOVE)
    return [2 * number for number in range(start, start + LEADS_A_MOVE)]


def _scattered(group: Group) -> list[int]:
    """Returns leads from all over the audience. No two of them share a page of a table or of an index."""
    return [2 * number for number in group.dice.sample(range(group.leads // 2), LEADS_A_MOVE)]


CHOICES: dict[str, tuple[str, Choice]] = {
    "neighbours": ("25 neighbours in the list", _neighbours),
    "scattered": ("25 leads from all over it", _scattered),
}


def big_group(stage: Stage) -> list[Figure]:
    found = _on("postgresql", stage, big=stage.size(10_000_000, 200_000), small=stage.size(10_000, 5_000))
    return found + _on("sqlite", stage, big=stage.size(1_000_000, 200_000), small=stage.size(10_000, 5_000))


def _on(kind: Kind, stage: Stage, *, big: int, small: int) -> list[Figure]:
    with ExitStack() as closing:
        service = closing.enter_context(stage.service(kind))
        many = _make_group(stage, kind, service, "big", big, closing)
        few = _make_group(stage, kind, service, "small", small, closing)
        return [_measure(stage, kind, name, many, few) for name in CHOICES]


def _make_group(stage: Stage, kind: Kind, service: Service, name: str, memberships: int, closing: ExitStack) -> Group:
    tenant = make_tenant(service, name)
    closing.callback(tenant.client.close)
    leads = memberships // (FULL_AUDIENCES + 1)
    here, there, *full = [tenant.create_audience(f"Audience {n}") for n in range(FULL_AUDIENCES + 2)]
    filler = Filler(tenant, kind=name)
    total = steps(leads) * (FULL_AUDIENCES + 3)
    with filler, stage.progress(f"{memberships:,} memberships, {TITLES[kind]}", total) as told:
        filler.add_leads(leads, told)
        for audience_id in full:
            filler.add_members(audience_id, leads, told)
        filler.add_members(here, leads, told, half=0)
        filler.add_members(there, leads, told, half=1)
    return Group(tenant, here, there, leads, filler, random.Random(1))


def _measure(stage: Stage, kind: Kind, name: str, many: Group, few: Group) -> Figure:
    words, choose = CHOICES[name]
    rounds = stage.rounds(300, 60)
    with stage.progress(f"moves of {words}, {kind}", rounds + 1) as told:
        found = take_turns(lambda: many.timed_move(choose), lambda: few.timed_move(choose), rounds=rounds, told=told)
    return Figure(
        number=5,
        name=f"big-group-{name}-{kind}",
        what=f"time of a move of {words}, account group with {many.memberships:,} memberships, {TITLES[kind]}",
        against=f"the same in one with {few.memberships:,}",
        ratio=found.ratio,
        better="lower",
        goal=1.25,
        rounds=found.ratios,
        details={"bigSeconds": found.ours, "smallSeconds": found.theirs, "memberships": many.memberships},
    )
