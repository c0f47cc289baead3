"""Row 12: a transfer of a whole audience beside one bare UPDATE of the same rows, and the memory of its worker."""

from __future__ import annotations

import time
from pathlib import Path

from benchmarks.suite.figures import Figure, Limit, take_turns
from benchmarks.suite.filling import Filler, steps
from benchmarks.suite.stage import Stage
from leadyard.clock import now_ms
from leadyard.ids import number_of
from rig.service import Tenant, WorkerProcess, make_tenant, run_sql
from rig.transfers import run_transfer, start_transfer, wait_for_transfer

_BARE = "UPDATE memberships SET audience_id = $1, added_at = $2 WHERE account_group_id = $3 AND audience_id = $4"
_MOST_MIB = 160


class _There:
    """Two audiences, one of which has all leads. Each call moves them to the other one."""

    def __init__(self, tenant: Tenant, filler: Filler, leads: int) -> None:
        self.tenant = tenant
        self.here, self.there = tenant.create_audience(), tenant.create_audience()
        filler.add_members(self.here, leads, lambda: None)

    def by_transfer(self) -> float:
        """Returns the seconds from the request until the transfer has completed."""
        self._tidy()
        started = time.perf_counter()
        ended = run_transfer(self.tenant, start_transfer(self.tenant, "move", self.here, self.there))
        return self._moved(started, ended["status"] == "completed")

    def by_update(self) -> float:
        """Returns the seconds of one UPDATE of the same rows."""
        self._tidy()
        numbers = number_of(self.there), now_ms(), self.tenant.number, number_of(self.here)
        started = time.perf_counter()
        run_sql(self.tenant.service.database_url, _BARE, *numbers)
        return self._moved(started, True)

    def _moved(self, started: float, is_done: bool) -> float:
        seconds = time.perf_counter() - started
        assert is_done
        self.here, self.there = self.there, self.here
        return seconds

    def _tidy(self) -> None:
        """Removes the rows that the last move has left dead, so that both sides find the table as the other did."""
        run_sql(self.tenant.service.database_url, "VACUUM memberships")
        run_sql(self.tenant.service.database_url, "CHECKPOINT")


def transfers(stage: Stage) -> list[Figure]:
    leads, rounds = stage.size(1_000_000, 50_000), stage.rounds(5, 2)
    with stage.service("postgresql") as service:
        tenant = make_tenant(service)
        with Filler(tenant) as filler:
            with stage.progress(f"{leads:,} leads", 2 * steps(leads)) as told:
                filler.add_leads(leads, told)
            ours, theirs = _There(tenant, filler, leads), _There(tenant, filler, leads)
        with stage.progress(f"transfers of {leads:,} leads", rounds + 1) as told:
            found = take_turns(theirs.by_update, ours.by_transfer, rounds=rounds, told=told)
        most_mib = _memory_of_a_worker(stage, ours)
        tenant.client.close()
    return [
        Figure(
            number=12,
            name="transfer",
            what=f"speed of a transfer of {leads:,} leads, PostgreSQL",
            against="one bare UPDATE of the same rows with the same indexes",
            ratio=found.ratio,
            better="higher",
            goal=0.60,
            rounds=found.ratios,
            limits=(Limit("the worker", most_mib, _MOST_MIB, "MiB"),),
            details={"updateSeconds": found.ours, "transferSeconds": found.theirs},
        )
    ]


def _memory_of_a_worker(stage: Stage, there: _There) -> float:
    """Returns the most memory that a worker has had during a transfer, in MiB; 0 without /proc."""
    tenant = there.tenant
    worker = WorkerProcess(tenant.service.database_url, stage.folder, {"LEADYARD_LOG_LEVEL": "info"}).start()
    try:
        wait_for_transfer(tenant, start_transfer(tenant, "move", there.here, there.there), within_s=900)
        assert worker.process is not None
        status = Path(f"/proc/{worker.process.pid}/status")
        peaks = [line.split()[1] for line in status.read_text().splitlines() if line.startswith("VmHWM")]
        return round(int(peaks[0]) / 1024, 1) if peaks else 0.0
    except FileNotFoundError:
        return 0.0
    finally:
        worker.stop()
