"""Figures of pulls: histograms are densities, and the coverage of an unbiased ensemble is Student's."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from diffhep.figures import flow_interpolation_pulls as figures
from diffhep.histogramming.pulls import fit_normal, pulls, rebin
from diffhep.studies.flow_interpolation.pull_summaries import summarise_pulls


@pytest.fixture(scope="module")
def predicted():
    """Four contexts, one of them unseen, and members that scatter about the truth as Poisson counts do."""
    rng = np.random.default_rng(0)
    axis, offsets = np.linspace(-2.45, 2.45, 50), np.linspace(-3, 3, 31)
    density = np.exp(-0.5 * (offsets[:, None] ** 2 + offsets**2)) / (2 * np.pi)
    share = np.exp(-0.5 * (axis[:, None] ** 2 + axis**2)) / (2 * np.pi) * 0.1**2
    expected = np.broadcast_to(10_000 * share, (4, 50, 50))
    bins = ("context", "y", "x")
    histograms = xr.Dataset(
        {
            "mean": (("context", "axis"), [[0.0, 0.0], [6.0, 0.0], [0.0, 6.0], [6.0, 6.0]]),
            "covariance": (("context", "axis", "other"), np.broadcast_to(np.eye(2), (4, 2, 2))),
            "trained": ("context", [True, True, True, False]),
            "counts": (("member", *bins), rng.poisson(expected, (3, 4, 50, 50)).astype(float)),
            "data": (bins, rng.poisson(expected).astype(float)),
            "expected": (bins, expected),
            "density": (("context", "v", "u"), np.broadcast_to(density, (4, 31, 31))),
            "kl": (("member", "context"), np.array([[0.1, 0.2, 0.3, 0.4]] * 3)),
            "kl_ensemble": ("context", [0.05, 0.1, 0.2, 0.3]),
        },
        coords={"x": axis, "y": axis, "u": offsets, "v": offsets},
    )
    return histograms.merge(summarise_pulls(histograms, {"bins": 25, "min_events": 10}))


def titles(figure):
    return [axis.get_title() for axis in figure.axes if axis.get_title()]


@pytest.mark.parametrize(("trained", "number"), [(True, 3), (False, 1)])
def test_differences_have_one_panel_a_context_and_a_symmetric_scale(predicted, trained, number):
    figure = figures.differences(predicted, trained=trained)
    panels = [axis for axis in figure.axes if axis.get_title()]
    assert len(panels) == number
    low, high = panels[0].collections[0].get_clim()
    assert low == -high and high > 0


def test_pulls_are_densities_with_the_normal_of_their_quantiles(predicted):
    figure = figures.pull_distributions(predicted)
    assert [title.split("\n")[0] for title in titles(figure)] == ["training points", "unseen points"]
    axis = figure.axes[0]
    filled = axis.patches[0].get_data()
    assert 0.9 < np.sum(filled.values * np.diff(filled.edges)) <= 1
    seen = rebin(predicted, 25).sel(context=predicted["trained"])
    centre, width = fit_normal(pulls(seen, min_events=10))
    assert f"at least 10 events: {centre:.2f} ± {width:.2f}" in axis.get_title()
    np.testing.assert_allclose(axis.lines[0].get_ydata().max(), stats.norm.pdf(0, scale=width), rtol=1e-2)


def test_coverage_of_members_that_scatter_about_the_truth_is_students(predicted):
    axis = figures.coverage(mean=predicted).axes[0]
    assert axis.get_title() == "following the mean"
    drawn = {line.get_label(): line for line in axis.lines}
    ideal = drawn["3 unbiased members (Student's t)"]
    k = ideal.get_xdata()
    np.testing.assert_allclose(ideal.get_ydata(), 2 * stats.t.cdf(k * np.sqrt(3), 2) - 1)
    np.testing.assert_allclose(drawn["training points"].get_ydata(), ideal.get_ydata(), atol=0.08)
