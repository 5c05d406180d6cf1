"""The fits of the challenge's chain: pseudo-experiments have the moments they should, and intervals cover."""

import numpy as np
import pytest
import xarray as xr

from diffhep.data.htautau import shifts as htautau_shifts
from diffhep.models import likelihood
from diffhep.studies.higgsml import challenge_score, illustrations, nuisance_conditioned, table
from diffhep.studies.higgsml import intervals as study
from diffhep.studies.higgsml import templates as higgsml_templates

NODES = [-3.0, -1.5, 0.0, 1.5, 3.0]
FITS = {
    "seed": 0,
    "luminosity": 0.1,
    "nodes": NODES,
    "order": 2,
    "truth": [0.1, 3.0],
    "profile_bins": {"cnf": 10},
    "method": "cnf",
    "shifts": True,
}


def contents(shifts):
    """Expected scores (point, process, bin), quadratic in the shifts."""
    middle, tes, jes = (np.arange(20) + 0.5) / 20, *(100 * (shifts[:, n, None] - 1) for n in (0, 1))
    soft = shifts[:, 2, None] ** 2 / 25
    signal = 400 * np.exp(4 * (middle - 1)) * (1 + 0.02 * tes + 0.01 * tes**2 * middle)
    background = 60000 * np.exp(-3.5 * middle) * (1 + (0.05 * tes - 0.02 * jes + 0.03 * soft) * (middle - 0.3))
    shares = np.array([0.8, 0.15, 0.05])
    return np.concatenate([signal[:, None], background[:, None] * shares[:, None]], axis=1)


def dataset(shifts):
    return xr.Dataset(
        {
            "counts": (("point", "network", "process", "bin"), contents(shifts)[:, None]),
            "shift": (("point", "nuisance"), shifts),
            "weight": 1e-3,
        },
        coords={"network": ["cnf"]},
    )


@pytest.fixture(scope="module")
def templates():
    return dataset(higgsml_templates.template_shifts({"nodes": NODES}))


@pytest.fixture(scope="module")
def chunks():
    points = higgsml_templates.design_shifts(48, 0)
    return {"0": dataset(points[::2]), "1": dataset(points[1::2])}


def test_the_response_surface_is_the_histograms_that_it_was_fitted_to(chunks):
    surface = study.fit_surface(chunks, "cnf", 2)
    shifts = higgsml_templates.design_shifts(16, 5)
    found = surface(study.surface_coordinates(shifts))
    np.testing.assert_allclose(found, contents(shifts), rtol=0.02)


def test_missing_momentum_counts_by_its_square():
    np.testing.assert_allclose(study.surface_coordinates(np.array([[1.01, 0.98, 3.0]])), [[1.01, 0.98, 9.0]])


def test_the_response_surface_is_checked_in_poisson_deviations(chunks):
    shifts = higgsml_templates.design_shifts(8, 5)
    expected = contents(shifts)
    direct = xr.Dataset(
        {"counts": (("network", "point", "process", "bin"), expected[None]), "shift": (("point", "nuisance"), shifts)},
        coords={"network": ["cnf"]},
    )
    found = illustrations.compare_surface({"order": 2, "luminosity": 0.1, "network": "cnf"}, chunks, direct)
    np.testing.assert_allclose(found["direct"], 0.1 * expected.sum(axis=1))
    deviation = np.sqrt(found["direct"])
    np.testing.assert_allclose(found["off"], (found["surface"] - found["direct"]) / deviation)
    assert np.abs(found["off"]).max() < 0.5


def test_pseudo_experiments_have_poisson_contents_around_what_is_expected(chunks):
    surface = study.fit_surface(chunks, "cnf", 2)
    drawn = study.draw_experiments(FITS, surface, np.array([0.5, 2.0]), 400, 1)
    pulls = (drawn.observed - drawn.expected) / np.sqrt(drawn.expected)
    assert abs(pulls.mean()) < 0.03 and pulls.std() == pytest.approx(1, abs=0.02)
    strong, weak = (drawn.expected[drawn.truth == each].sum(axis=1).mean() for each in (2.0, 0.5))
    signal = 0.1 * contents(np.array([[1.0, 1.0, 1.0]]))[0, 0].sum()
    assert strong - weak == pytest.approx(1.5 * signal, rel=0.4)
    np.testing.assert_array_equal(drawn.nuisances[:, 3].std() > 0, True)


def test_intervals_of_the_belt_cover_at_three_strengths(templates, chunks):
    settings = FITS | {"strengths": [0.0, 0.7, 1.4, 2.1, 2.8, 3.5, 4.5], "toys": 2000, "belt_order": 2}
    belt = study.build_belt(settings, templates, chunks)
    found = study.compute_intervals(settings | {"sets": 3, "toys": 700}, templates, chunks, belt)
    assert float(found["converged"]) > 0.99
    inside = ((found["low"] <= found["truth"]) & (found["truth"] <= found["high"])).mean("toy").values
    low, high = challenge_score.coverage_window(700)
    assert ((inside > low) & (inside < high)).all(), inside
    assert (found["high"] >= found["low"]).all()


def test_a_fit_without_shifts_does_not_move_them(templates, chunks):
    model = study.spline_model(FITS, templates, "cnf", shifts=False)
    drawn = study.draw_experiments(FITS, study.fit_surface(chunks, "cnf", 2), np.array([1.0]), 8, 2)
    _, found = study.fit_toys(model, drawn.observed)
    np.testing.assert_array_equal(found.parameters[:, 1:3], 0)


def test_both_models_expect_the_templates_that_they_are_made_of(templates):
    spline = study.spline_model(FITS, templates, "cnf", shifts=True)
    pars = np.array(likelihood.nominal_parameters(spline, 2.0))
    pars[1:3] = [1.5, -3.0]
    signal, *background = 0.1 * contents(np.array([[1.015, 0.97, 0.0]]))[0]
    np.testing.assert_allclose(likelihood.expected_rates(spline, pars), 2 * signal + sum(background), rtol=1e-6)
    profile = study.profile_model(FITS, templates, "cnf")
    for name, shift in (("tes", [1.01, 1.0, 1.0]), ("jes", [1.0, 1.01, 1.0]), ("soft_met", [1.0, 1.0, np.e])):
        pars = np.array(likelihood.nominal_parameters(profile, 1.0))
        pars[profile.parameters.names.index(name)] = 1.0
        expected = 0.1 * contents(np.array([shift]))[0].sum(axis=0).reshape(10, 2).sum(axis=1)
        np.testing.assert_allclose(likelihood.expected_rates(profile, pars), expected, rtol=1e-6)


def test_the_profile_model_has_six_nuisance_parameters_and_its_templates(templates):
    model = study.profile_model(FITS, templates, "cnf")
    assert set(model.parameters.names) == {"mu", *htautau_shifts.NUISANCES}
    median = contents(np.array([[1.0, 1.0, 1.0]]))[0].reshape(4, 10, 2).sum(axis=2)
    np.testing.assert_allclose(sorted(np.asarray(model.nominal).sum(axis=1)), sorted(0.1 * median.sum(axis=1)))


def test_bins_that_cannot_be_shared_out_evenly_are_refused():
    np.testing.assert_array_equal(study.merge_bins(FITS, "cnf", np.arange(40.0).reshape(2, 20))[:, 0], [1, 41])
    with pytest.raises(ValueError, match="profile_bins of cnf is 10: choose a divisor of the 25 bins"):
        study.merge_bins(FITS, "cnf", np.zeros((3, 25)))


def test_intervals_of_the_profile_likelihood_hold_the_estimate(templates, chunks):
    found = study.compute_intervals(FITS | {"sets": 2, "toys": 16}, templates, chunks)
    low, high, best = (found[name].values for name in ("low", "high", "estimate"))
    assert ((low <= np.maximum(best, 0)) & (best <= high)).all() and (low >= 0).all()


def test_templates_lie_where_the_fit_looks_for_them():
    points = higgsml_templates.template_shifts({"nodes": NODES})
    np.testing.assert_allclose(points[0], [0.97, 0.97, 0]), np.testing.assert_allclose(points[1], [0.97, 0.985, 0])
    np.testing.assert_allclose(points[25:], np.array(
        [[1, 1, 1], [0.99, 1, 1], [1, 0.99, 1], [1, 1, np.exp(-1)], [1.01, 1, 1], [1, 1.01, 1], [1, 1, np.e]]
    ))  # fmt: skip


def test_mixtures_without_shifts_give_back_the_strength():
    signal, background = np.array([1.0, 5.0, 20.0]), np.array([500.0, 100.0, 20.0])
    _, found = study.fit_toys(
        nuisance_conditioned.mixture_model(signal, background), (1.3 * (2 * signal + background))[None]
    )
    assert float(found.parameters[0, 0]) == pytest.approx(2.0, rel=1e-6)


def test_the_table_marks_coverage_outside_of_the_window():
    def result(half, toys=50):
        rng = np.random.default_rng(0)
        truth = np.linspace(0.5, 2.5, 4)
        estimate = truth[:, None] + rng.normal(size=(4, toys))
        values = {"estimate": estimate, "low": estimate - half, "high": estimate + half}
        variables = {name: (("set", "toy"), each) for name, each in values.items()}
        return xr.Dataset(variables | {"truth": ("set", truth), "fit_seconds": 1e-3})

    belted = {
        "cnf": result(1.0),
        "told": result(2.0).assign(seconds=("experiment", np.full(9, 6.0))),
        "baseline": result(0.3),
    }
    direct = xr.Dataset(
        {"seconds": (("network", "point"), np.full((3, 2), 0.5))}, coords={"network": ["cnf", "baseline", "inferno"]}
    )
    found = table.build_table(
        {"bootstrapped": 20, "seed": 0}, belted, {"cnf": result(1.0), "inferno": result(2.0)}, result(1.0), direct
    )
    assert float(found["distance"].sel(strategy="cnf")) == 0 < float(found["distance"].sel(strategy="baseline"))
    assert float(found["narrower"]) == pytest.approx(0.5)
    assert float(found["faster"]) == pytest.approx(6 / 0.501)
    assert float(found["minutes"].sel(strategy="told")) == pytest.approx(100)
    score = {name: float(found["score"].sel(strategy=name)) for name in found["strategy"].values}
    assert float(found["lead"]) == pytest.approx(score["cnf"] - max(score["told"], score["baseline"]))
    assert float(found["lead_profile"]) == pytest.approx(0)
    assert float(found["lead_inferno"]) == pytest.approx(score["cnf"] - score["profile_inferno"])
    low, high = found["set_window"].sel(shown="baseline").values
    misses = np.maximum(low - found["of_set"], found["of_set"] - high).sel(shown="baseline")
    assert float(found["farthest"].sel(shown="baseline")) == pytest.approx(float(misses.max())) != float(misses.min())
