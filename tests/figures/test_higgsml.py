"""Figures of the challenge show what they are given: intervals, belts, tables and coverage."""

import numpy as np
import pytest
import xarray as xr

from diffhep.figures import higgsml as figures

STRATEGIES = list(figures.STRATEGIES)


@pytest.fixture(scope="module")
def marginal():
    edges = np.linspace(0, 200, 5)
    return xr.Dataset(
        {
            "expected": (("process", "bin"), np.arange(1, 17.0).reshape(4, 4)),
            "truth": (("category", "label", "bin"), np.ones((2, 2, 4)) / 200),
            "learned": (("category", "strength", "bin"), np.ones((2, 2, 4)) / 200),
            "edges": ("edge", edges),
        },
        coords={
            "process": list(figures.PROCESSES),
            "category": ["one_jet", "two_jets"],
            "label": ["signal", "background"],
            "strength": [2.0, 0.5],
        },
    )


@pytest.fixture(scope="module")
def table():
    number = len(STRATEGIES)
    values = {name: ("strategy", np.full(number, 0.5)) for name in ("score", "width", "coverage", "rmse", "minutes")}
    errors = {f"{name}_error": ("strategy", np.full(number, 0.01)) for name in ("score", "width", "coverage")}
    rest = {
        "n_toys": ("strategy", np.full(number, 1000)),
        "window": (("strategy", "side"), np.tile([0.65, 0.71], (number, 1))),
        "distance": ("strategy", np.where(np.array(STRATEGIES) == "baseline", 0.1, 0.0)),
        "truth": ("set", [0.5, 1.5]),
        "set_coverage": (("set_strategy", "set"), np.full((number - 1, 2), 0.7)),
        "set_window": (("set_strategy", "side"), np.tile([0.6, 0.8], (number - 1, 1))),
    }
    return xr.Dataset(values | errors | rest, coords={"strategy": STRATEGIES, "set_strategy": STRATEGIES[:-1]})


def test_intervals_that_miss_the_truth_are_told(marginal):
    low = np.array([[0.0, 2.0], [1.0, 1.5]])
    intervals = xr.Dataset(
        {"low": (("set", "toy"), low), "high": (("set", "toy"), low + 1), "truth": ("set", [0.5, 2.0])}
    )
    _, axis = figures.masses_and_intervals(marginal, intervals, n_intervals=4).axes
    assert [text.get_text() for text in axis.get_legend().get_texts()][:2] == [
        "holds the truth: 3",
        "misses the truth: 1",
    ]


def test_the_belt_stands_beside_the_line_of_no_bias(marginal):
    templates = xr.Dataset(
        {
            "counts": (("point", "network", "process", "bin"), np.ones((23, 1, 4, 5))),
            "shift": (("point", "nuisance"), np.concatenate([np.tile([1.0, 1.0, 0.0], (16, 1)), np.ones((7, 3))])),
        },
        coords={"network": ["cnf"]},
    )
    estimates = np.random.default_rng(0).normal(size=(2, 50))
    belt = xr.Dataset(
        {"estimate": (("strength", "toy"), estimates), "low": ("truth", [-1.0, 0.0]), "high": ("truth", [1.0, 2.0])},
        coords={"strength": [0.0, 1.0], "truth": [0.0, 1.0]},
    )
    axes = figures.method_overview(marginal, templates, belt).axes
    line = next(line for line in axes[3].lines if line.get_linestyle() == "--")
    np.testing.assert_array_equal(line.get_ydata(), belt["truth"])
    assert [text.get_text() for text in axes[1].get_legend().get_texts()] == ["1.000"] * 4


def test_the_table_has_a_row_a_strategy_and_marks_bad_coverage(table):
    (drawn,) = figures.table(table).axes[0].tables
    marked = [row for row in range(1, 1 + len(STRATEGIES)) if drawn[row, 3].get_facecolor()[:3] != (1, 1, 1)]
    assert marked == [1 + STRATEGIES.index("baseline")]
    assert drawn[1, 1].get_text().get_text() == "0.50 ± 0.01"


def test_coverage_has_a_panel_a_strategy(table):
    assert sum(axis.get_visible() for axis in figures.coverage(table).axes) == len(STRATEGIES) - 1


def test_differences_of_the_surface_are_in_units_of_its_noise():
    dims = ("point", "bin")
    check = xr.Dataset({name: (dims, np.full((4, 3), 9.0)) for name in ("surface", "direct")})
    check = check.assign(pull=(dims, np.full((4, 3), 0.25)), shift=(("point", "nuisance"), np.ones((4, 3))))
    below = figures.response_surface(check).axes[3]
    assert below.patches[0].get_data().values.tolist() == [0.25] * 3
