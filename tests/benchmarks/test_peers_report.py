"""The comparison with other services: shares of the same round, and targets for some sizes."""

from __future__ import annotations

from benchmarks.peers.report import TARGETS, Figures, Turn


def figures_of(size: int, **rates: tuple[float, ...]) -> Figures:
    figures = Figures()
    for name, of_rounds in rates.items():
        for rate in of_rounds:
            figures.add(size, name.replace("_", " "), Turn(rate, 1.0))
    return figures


def test_a_target_is_reached_by_the_median_of_the_rounds() -> None:
    figures = figures_of(25, Leadyard=(120, 240, 600), PostGraphile=(100, 200, 50), Django_REST=(30, 30, 10))
    rows = {row["name"]: row for row in figures.rows(25)}
    assert rows["PostGraphile"]["leadyardIsTimes"] == TARGETS["PostGraphile"][25] == 1.2
    assert rows["PostGraphile"]["reached"] is True
    assert (rows["Django REST"]["leadyardIsTimes"], rows["Django REST"]["reached"]) == (8.0, True)
    assert rows["Leadyard"]["target"] is None and rows["Leadyard"]["reached"] is None
    slower = figures_of(1_000, Leadyard=(119,), PostGraphile=(100,))
    assert {row["name"]: row["reached"] for row in slower.rows(1_000)} == {"Leadyard": None, "PostGraphile": False}
    line = next(line for line in slower.table().splitlines() if line.startswith("PostGraphile"))
    assert "1.19 x" in line and "≥ 1.2 missed" in line


def test_a_size_without_a_target_has_none() -> None:
    [row, _] = figures_of(77, Leadyard=(2,), PostGraphile=(1,)).rows(77)
    assert row["target"] is None and row["reached"] is None
