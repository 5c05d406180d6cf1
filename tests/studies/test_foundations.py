"""Closed forms behind the first chapters, checked against scipy and against what the thesis says."""

import numpy as np
import pytest
from scipy import stats
from support.study_settings import study_settings

from diffhep.studies import foundations

SETTINGS = study_settings("foundations")


def stage(name):
    return getattr(foundations, name)({"seed": 0, **SETTINGS[name]})


def test_poisson_approaches_the_normal_distribution():
    found = stage("poisson")
    assert (np.diff(found["distance"]) < 0).all()
    np.testing.assert_allclose(found["probability"].sum("count"), 1, atol=1e-5)


@pytest.fixture(scope="module")
def interval():
    return stage("interval")


def test_limits_are_those_of_the_thesis_and_of_the_closed_form(interval):
    z = stats.norm.ppf(1 - (1 - 0.683) / 2)
    closed = [10 / (1 + 0.2 * z), 10 / (1 - 0.2 * z)]
    np.testing.assert_allclose(interval["limits"], closed, atol=2e-3)
    np.testing.assert_allclose(interval["limits"], [8.332, 12.502], atol=2e-3)


def test_neyman_band_gives_the_same_interval_and_covers(interval):
    np.testing.assert_allclose(interval["crossings"], interval["limits"], atol=2e-3)
    low, high = interval["acceptance"].values.T
    mu = interval["mu"].values
    np.testing.assert_allclose(stats.norm.cdf(high, mu, mu / 5) - stats.norm.cdf(low, mu, mu / 5), 0.683)


def test_test_has_its_size_and_power():
    found = stage("hypothesis_test")
    null, alternative = (found["density"].sel(hypothesis=name) for name in ("null", "alternative"))
    beyond = found["t"] >= found["cutoff"]
    assert float(null.where(beyond, 0).integrate("t")) == pytest.approx(0.05, abs=2e-3)
    assert float(alternative.where(beyond, 0).integrate("t")) == pytest.approx(float(found["power"]), abs=5e-3)


def test_density_estimates_have_unit_area():
    found = stage("density")
    for bins in SETTINGS["density"]["bins"]:
        widths = np.diff(found[f"edges_{bins}"])
        assert float(found[f"histogram_{bins}"].values @ widths) == pytest.approx(1, abs=0.01)
    assert float(found["kde"].sel(bandwidth=0.1).integrate("x")) == pytest.approx(1, abs=0.01)


def test_fits_end_where_the_likelihood_is_largest():
    found = stage("fit")
    assert float(found["loss_double"]) < float(found["loss_single"])
    assert abs(float(found["symmetric_excess"])) < 1e-4
    centre, width = (found["edges"].values[1:] + found["edges"].values[:-1]) / 2, np.diff(found["edges"])[0]
    mean = float((found["counts"] * centre).sum() * width)
    assert float((found["single"] * found["x"]).integrate("x")) == pytest.approx(mean, abs=0.05)  # a normal's best mean


def test_errors_of_differences_fall_with_the_order_of_the_method():
    found = stage("differences")
    sizes = found["size"].values
    coarse, fine = np.argmin(np.abs(sizes - 1e-1)), np.argmin(np.abs(sizes - 1e-2))
    for scheme, order in {"forward": 1, "central": 2}.items():
        errors = found["error"].sel(scheme=scheme).values
        slope = np.log(errors[coarse] / errors[fine]) / np.log(sizes[coarse] / sizes[fine])
        assert slope == pytest.approx(order, abs=0.05)
    assert float(found["error"].sel(scheme="automatic").max()) < 1e-15
    assert float(found["error"].sel(scheme="forward")[0]) > 1e-3  # rounding


def test_slopes_are_those_of_the_activations():
    found = stage("activations")
    numeric = found["value"].differentiate("x")
    smooth = [name for name in found["name"].values if name not in ("relu", "leaky_relu", "elu")]
    np.testing.assert_allclose(found["slope"].sel(name=smooth)[:, 1:-1], numeric.sel(name=smooth)[:, 1:-1], atol=1e-3)
