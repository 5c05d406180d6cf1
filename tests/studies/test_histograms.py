"""Every density of the bandwidth study has unit area, and the estimates have the limits they should."""

from itertools import pairwise

import numpy as np
import pytest
from scipy import stats
from support.study_settings import study_settings

from diffhep.studies import histograms

STUDY = study_settings("histograms")
SETTINGS = STUDY["bandwidth_tradeoff"] | {"seed": 0}


@pytest.fixture(scope="module")
def data():
    return histograms.bandwidth_tradeoff(SETTINGS)


def test_figure_has_the_papers_200_events_from_a_mixture_of_two(data):
    assert data.sizes["event"] == 200
    assert {len(entries) for entries in SETTINGS["mixture"].values()} == {2}


def test_all_densities_have_unit_area(data):
    width = np.diff(data["edges"])
    np.testing.assert_allclose(data["hard"].values @ width, 1)
    np.testing.assert_allclose(data["binned"].values @ width, 1)
    leaks = [0, 0, 0, 0.02]  # beyond the range that is drawn, at the largest bandwidth
    for bandwidth, leak in zip(data["bandwidth"], leaks, strict=True):
        area = data["curve"].sel(bandwidth=bandwidth).integrate("x")
        assert 1 - leak - 1e-3 <= area <= 1 + 1e-6
    np.testing.assert_allclose(data["truth"].integrate("x"), 1, rtol=1e-6)


def test_densities_are_those_of_the_reference_implementations(data):
    events, edges, x = (data[name].values for name in ("events", "edges", "x"))
    hard, _ = np.histogram(events, edges, density=True)
    np.testing.assert_allclose(data["hard"], hard)
    for bandwidth in data["bandwidth"].values:
        here = data.sel(bandwidth=bandwidth)
        kde = stats.gaussian_kde(events, bw_method=bandwidth / events.std(ddof=1))  # one unit is one bin width
        np.testing.assert_allclose(here["curve"], kde(x), atol=1e-12)
        shares = np.array([kde.integrate_box_1d(*bin_) for bin_ in pairwise(edges)])
        np.testing.assert_allclose(here["binned"], shares / shares.sum(), atol=1e-12)


def test_curve_is_the_mean_of_the_kernels(data):
    np.testing.assert_allclose(data["curve"], data["kernels"].mean("event"))


def test_binned_kde_becomes_the_histogram_as_the_bandwidth_vanishes():
    data = histograms.bandwidth_tradeoff(SETTINGS | {"bandwidths": [1e-6]})
    np.testing.assert_allclose(data["binned"][0], data["hard"], atol=1e-12)


def test_bias_grows_with_the_bandwidth(data):
    distance = np.abs(data["binned"] - data["hard"]).sum("bin")
    assert (np.diff(distance) > 0).all()


def test_bandwidth_is_relative_to_the_bin_width():
    scaled = SETTINGS | {"range": [-14.0, 14.0], "mixture": {
        "weights": SETTINGS["mixture"]["weights"],
        "means": [2 * mean for mean in SETTINGS["mixture"]["means"]],
        "widths": [2 * width for width in SETTINGS["mixture"]["widths"]],
    }}  # fmt: skip
    wide, narrow = histograms.bandwidth_tradeoff(scaled), histograms.bandwidth_tradeoff(SETTINGS)
    np.testing.assert_allclose(2 * wide["binned"], narrow["binned"], rtol=1e-9)


def test_events_follow_the_density_that_is_called_true():
    many = SETTINGS | {"events": 20_000, "bandwidths": [0.01], "points": 3}
    drawn = histograms.bandwidth_tradeoff(many)
    edges, mixture = drawn["edges"].values, SETTINGS["mixture"]
    cumulative = stats.norm.cdf(edges[:, None], mixture["means"], mixture["widths"]) @ mixture["weights"]
    expected = np.diff(cumulative)
    error = np.sqrt(expected / 20_000) + 1e-4
    assert (np.abs(drawn["hard"].values - expected) < 4 * error).all()


def test_another_seed_draws_other_events(data):
    other = histograms.bandwidth_tradeoff(SETTINGS | {"seed": 1})
    assert not np.isin(other["events"], data["events"]).any()


def test_central_bin_of_the_translated_histogram_is_the_one_at_0():
    settings = STUDY["translation"] | {"seed": 0, "mu": {"range": [-2.0, 2.0], "points": 5}}
    found = histograms.translation(settings)
    centre = int(np.searchsorted(found["edges"], 0.0)) - 1
    for mu in (-2.0, 0.0, 2.0):
        assert float(found["hard"].sel(mu=mu)) == float(found["counts"].sel(shown=mu)[centre])
    assert found["counts"].sum("bin").max() <= settings["events"]


@pytest.fixture(scope="module")
def gradients():
    settings = STUDY["gradients"] | {"seed": 0, "mu": {"range": [-2.0, 2.0], "points": 41}, "events": [20, 20_000]}
    return histograms.gradients(settings)


def test_true_yield_and_its_derivative_are_the_normal_distribution_s(gradients):
    mu = gradients["mu"].values
    expected = stats.norm.cdf(0.5, mu) - stats.norm.cdf(-0.5, mu)
    np.testing.assert_allclose(gradients["yield_truth"].sel(events=20), 20 * expected)
    slope = 20 * (stats.norm.pdf(-0.5, mu) - stats.norm.pdf(0.5, mu))
    np.testing.assert_allclose(gradients["gradient_truth"].sel(events=20), slope)


def test_automatic_derivative_is_that_of_the_smooth_yield(gradients):
    for name in ("binned", "softmax"):
        smooth = gradients.sel(bandwidth=0.8, events=20)
        numeric = np.gradient(smooth[f"yield_{name}"], smooth["mu"], edge_order=2)
        np.testing.assert_allclose(smooth[f"gradient_{name}"], numeric, atol=0.05)


def test_bkde_of_many_events_is_the_truth_smeared_by_its_bandwidth(gradients):
    mu, width = gradients["mu"].values, np.sqrt(1 + 0.5**2)
    smeared = 20_000 * (stats.norm.cdf(0.5, mu, width) - stats.norm.cdf(-0.5, mu, width))
    np.testing.assert_allclose(gradients["yield_binned"].sel(bandwidth=0.5, events=20_000), smeared, rtol=0.05)


def test_map_marks_the_lowest_error_and_its_power_law():
    grid = {"mu": {"range": [-2.0, 2.0], "points": 20}, "events": {"range": [10, 1000], "points": 4}}
    found = histograms.gradient_map(STUDY["gradient_map"] | grid | {"seed": 0})
    np.testing.assert_array_equal(found["best"], found["bandwidth"][found["error"].argmin("bandwidth")])
    slope, intercept = np.polyfit(
        np.log(np.tile(found["events"], 3)), np.log(found["best_of_seed"].values.ravel()), deg=1
    )
    np.testing.assert_allclose([found["exponent"], np.log(found["factor"])], [slope, intercept], rtol=1e-8)
    assert -0.4 < float(found["exponent"]) < 0
