"""The guard: a ratio that has fallen by more than a third, twice, stops a change; noise and a better ratio do not."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.suite import guard, run
from benchmarks.suite.figures import Better, Figure
from benchmarks.suite.guard import Committed
from benchmarks.suite.registry import BENCHMARKS, Benchmark
from benchmarks.suite.stage import Stage, ToolMissing

ROOT = Path(__file__).parents[2]


def figure(ratio: float, better: Better = "higher", name: str = "fake") -> Figure:
    return Figure(1, name, "one side", "the other", ratio, better, goal=0.5)


@pytest.mark.parametrize(
    ("better", "committed", "measured", "fallen"),
    [
        ("higher", 0.60, 0.60, False),
        ("higher", 0.60, 0.41, False),
        ("higher", 0.60, 0.39, True),
        ("higher", 0.60, 6.00, False),
        ("lower", 1.00, 1.49, False),
        ("lower", 1.00, 1.51, True),
        ("lower", 1.00, 0.10, False),
        ("lower", 4.00, 5.90, False),
        ("lower", 4.00, 6.10, True),
    ],
)
def test_what_has_fallen(better: Better, committed: float, measured: float, fallen: bool) -> None:
    known = {"fake": Committed(committed, better)}
    assert guard.has_fallen(figure(measured, better), known) is fallen
    assert bool(guard.complaints([figure(measured, better)], known)) is fallen


def test_it_says_what_to_do() -> None:
    [said] = guard.complaints([figure(0.3)], {"fake": Committed(0.6, "higher")})
    assert "0.3" in said and "0.6" in said and "at least 0.4" in said and guard.RENEW in said
    [said] = guard.complaints([figure(3, "lower")], {"fake": Committed(1, "lower")})
    assert "at most 1.5" in said


def test_what_nobody_committed_and_what_did_not_come() -> None:
    [said] = guard.complaints([figure(1)], {})
    assert "no committed ratio" in said and guard.RENEW in said
    [said] = guard.complaints([], {"gone": Committed(1, "higher")}, expected=["gone"])
    assert said.startswith("gone is committed and was not measured")


def test_a_busy_machine_is_told() -> None:
    assert guard.busy_sentence(1.9, cores=2) is None
    said = guard.busy_sentence(12.0, cores=2)
    assert said is not None and "a load of 12.0 on 2 cores" in said


def test_the_better_one_of_two_counts() -> None:
    assert guard.better_of(figure(0.3), figure(0.5)).ratio == 0.5
    assert guard.better_of(figure(0.3, "lower"), figure(0.5, "lower")).ratio == 0.3
    assert guard.better_of(figure(0.3), None).ratio == 0.3


def test_the_median_of_the_runs_is_committed(tmp_path: Path) -> None:
    file = tmp_path / "ratios.json"
    guard.write([[figure(1), figure(7, name="old")]], {}, file)
    guard.write([[figure(0.61)], [figure(0.1)], [figure(0.62)]], {"runs": 3}, file)
    assert guard.read(file) == {"fake": Committed(0.61, "higher"), "old": Committed(7, "higher")}
    assert json.loads(file.read_text())["about"] == {"runs": 3}


# ------------------------------------------------------------------------------- from the command to its exit code


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[int, int]]]:
    """A function that runs `script/bench --quick` on a benchmark that measures these ratios one after the other; 0.6 is
    committed. It returns the exit code and how often the benchmark was measured."""
    monkeypatch.delenv("CI", raising=False)

    def quick(*ratios: float | None, only_by_name: bool = False) -> tuple[int, int]:
        left = list(ratios)

        def measure(_: Stage) -> list[Figure]:
            ratio = left.pop(0)
            if ratio is None:
                raise ToolMissing("pgbench is not on the PATH.")
            return [figure(ratio), figure(1, name="steady")]

        monkeypatch.setitem(BENCHMARKS, "fake", Benchmark("fake", "nothing", measure, (1,), only_by_name=only_by_name))
        monkeypatch.setattr("sys.argv", ["bench", "--quick", "fake"])
        committed = {"fake": Committed(0.6, "higher"), "steady": Committed(1, "higher")}
        monkeypatch.setattr(guard, "read", lambda: committed)
        return run.main(), len(ratios) - len(left)

    yield quick
    monkeypatch.undo()


def test_a_good_ratio_is_measured_once(quickly: Callable[..., tuple[int, int]]) -> None:
    assert quickly(0.55, 9.9) == (0, 1)


def test_a_ratio_that_was_low_by_chance_passes(quickly: Callable[..., tuple[int, int]]) -> None:
    assert quickly(0.2, 0.55) == (0, 2)
    assert quickly(0.2, 0.3, 0.1, 0.55) == (0, 4)


def test_a_ratio_that_stays_low_fails(
    quickly: Callable[..., tuple[int, int]], capsys: pytest.CaptureFixture[str]
) -> None:
    assert quickly(0.2, 0.3, 0.1, 0.39, 9.9) == (1, 4)
    assert "FAILED: fake" in capsys.readouterr().out


def test_a_missing_tool_is_told_and_fails_only_in_ci(
    quickly: Callable[..., tuple[int, int]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert quickly(None) == (0, 1)
    assert "pgbench is not on the PATH" in " ".join(capsys.readouterr().out.split())
    monkeypatch.setenv("CI", "true")
    assert quickly(None) == (1, 1)


def test_a_benchmark_that_runs_only_by_name_is_compared_with_nothing(
    quickly: Callable[..., tuple[int, int]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It needs no committed ratio, and `--write` gives it none."""
    assert quickly(0.1, only_by_name=True) == (0, 1)
    assert "they run only by name: fake." in " ".join(capsys.readouterr().out.split())
    monkeypatch.setattr("sys.argv", ["bench", "--quick", "--write", "webhooks"])
    with pytest.raises(SystemExit):
        run.parse()
    assert "the guard does not compare webhooks" in capsys.readouterr().err


def test_a_figure_of_a_row_of_another_benchmark_is_refused() -> None:
    benchmark = Benchmark("fake", "nothing", lambda _: [figure(1)], (2, 3))
    with pytest.raises(ValueError, match="row 1, which is not its own"):
        run.measure(benchmark, Stage())


def test_the_guard_is_in_ci() -> None:
    assert "script/bench --quick" in (ROOT / ".ci" / "run").read_text()
