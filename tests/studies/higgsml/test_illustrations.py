"""Marginal distributions are normalised, and differences of the response surface are pulls."""

import numpy as np
import pytest
import xarray as xr
from support.higgsml import SETTINGS, TRAINING_EVENTS, contents

from diffhep.studies.higgsml import illustrations, training
from diffhep.studies.higgsml import templates as higgsml_templates
from diffhep.studies.higgsml.events import pool_samples


@pytest.fixture(scope="module")
def marginal(pools):
    flow = TRAINING_EVENTS | SETTINGS["flow"] | {"label": "signal", "strength": 2.0}
    flows = {
        f"{category}_signal_2.0": training.train_flow(flow | {"category": category}, pools)
        for category in ("one_jet", "two_jets")
    }
    settings = SETTINGS["marginal"] | {"edges": [0.0, 1e4, 41], "strengths": [2.0], "seed": 0}
    settings |= {"flow": SETTINGS["flow"]["flow"], "columns": SETTINGS["columns"]}
    return illustrations.marginal_distributions(settings, pools, flows)


def test_marginal_densities_are_normalised(marginal):
    widths = np.diff(marginal["edges"])
    np.testing.assert_allclose((marginal["truth"] * widths).sum("bin"), 1, atol=1e-6)
    assert ((marginal["learned"] * widths).sum("bin") <= 1 + 1e-6).all()
    assert (marginal["learned"] >= 0).all()


def test_expected_events_are_below_the_yields_of_the_pools(pools, marginal):
    totals = [sample.weights.sum() for sample in pool_samples(pools, "template")]
    expected = marginal["expected"].sum("bin").values
    assert (expected <= totals).all() and (expected > 0.5 * np.array(totals)).all()


def test_differences_of_the_surface_are_in_poisson_standard_deviations(chunks):
    shifts = higgsml_templates.design_shifts(8, 5)
    expected = contents(shifts)
    direct = xr.Dataset(
        {"counts": (("network", "point", "process", "bin"), expected[None]), "shift": (("point", "nuisance"), shifts)},
        coords={"network": ["cnf"]},
    )
    result = illustrations.compare_surface({"order": 2, "luminosity": 0.1, "network": "cnf"}, chunks, direct)
    np.testing.assert_allclose(result["direct"], 0.1 * expected.sum(axis=1))
    np.testing.assert_allclose(result["pull"], (result["surface"] - result["direct"]) / np.sqrt(result["direct"]))
    assert np.abs(result["pull"]).max() < 0.5
