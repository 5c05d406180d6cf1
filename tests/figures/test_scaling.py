"""Figures of scaling show their numbers and what these cannot tell."""

import numpy as np
import pytest
import xarray as xr

from diffhep.figures import scaling


@pytest.fixture
def noise():
    sizes = np.array([10, 100, 1000])
    values = np.stack([sizes**-0.5, 2 * sizes**-0.5])
    dims = ("objective", "batch_size")
    return xr.Dataset(
        {
            "bias": (dims, [[0.3, 0.2, 0.1], [0.01, 0.01, 0.01]]),
            "bias_error": (dims, np.full((2, 3), 0.02)),
            "spread": (dims, values),
            "cosine": (dims, 1 - 0.1 * values),
        },
        coords={"objective": ["cls", "bce_augmented"], "batch_size": sizes},
    )


def test_every_measure_has_a_panel_with_a_line_for_each_objective(noise):
    bias, spread, cosine = scaling.gradient_noise(noise).axes
    np.testing.assert_allclose(spread.lines[0].get_ydata(), noise["spread"][0])
    np.testing.assert_allclose(cosine.lines[1].get_ydata(), noise["cosine"][1])
    assert bias.get_yscale() == spread.get_yscale() == "log" and cosine.get_yscale() == "linear"


def test_a_bias_that_is_not_told_from_zero_is_only_faint(noise):
    bias = scaling.gradient_noise(noise).axes[0]
    drawn = [np.isfinite(line.get_ydata()).sum() for line in bias.lines if line.get_alpha() is None]
    assert drawn == [3, 0]


@pytest.fixture
def cost():
    values = np.array([[1.0, 10.0], [2.0, np.nan], [3.0, 30.0]])
    return xr.Dataset(
        {"seconds": (("point", "peer"), values), "bytes": (("point", "peer"), 1e6 * values)},
        coords={
            "peer": ["diffhep", "pyhf"],
            "axis": ("point", ["bins", "bins", "nuisance_parameters"]),
            "size": ("point", [5, 10, 1]),
        },
    )


def test_costs_have_a_row_each_and_a_column_for_each_size_that_is_varied(cost):
    axes = scaling.cost(cost).axes
    assert [axis.get_xlabel() for axis in axes] == ["nuisance parameters", "bins"] * 2
    assert [axes[0].get_ylabel(), axes[2].get_ylabel()] == ["milliseconds", "megabytes"]
    np.testing.assert_allclose(axes[1].lines[0].get_xydata(), [[5, 1000], [10, 2000]])
    np.testing.assert_allclose(axes[3].lines[1].get_ydata(), [10, np.nan])


def test_panels_of_a_row_share_their_range(cost):
    for row in np.reshape(scaling.cost(cost).axes, (2, 2)):
        assert row[0].get_ylim() == row[1].get_ylim()
