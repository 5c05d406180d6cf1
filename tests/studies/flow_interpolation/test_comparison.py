"""Comparisons contain the pulls, divergences and losses of trained and unseen conditioning points."""

import numpy as np
import pytest
from support.study_settings import study_settings

from diffhep.studies.flow_interpolation.comparison import compare

pytestmark = pytest.mark.xdist_group("flow_interpolation")  # one process computes the shared fixtures

SETTINGS = study_settings("flow_interpolation", "quick")


def test_the_first_point_is_that_of_the_thesis(trained, predicted):
    names = {example: example for example in ("mean", "firework", "mean_close", "firework_close")}
    results = {"trained": dict.fromkeys(names, trained), "predicted": dict.fromkeys(names, predicted)}
    found = compare(SETTINGS["comparison"], **results)
    assert list(found["point"].values[:3]) == ["25 bins", "10 bins", "50 bins"] and found.sizes["point"] == 5
    first = found.isel(point=0)
    losses = trained.sel(iteration=trained["selected"])
    np.testing.assert_allclose(first["gap"].sel(run="mean"), (losses["valid"] - losses["train"]).mean())
    np.testing.assert_array_equal(first["selected"].sel(run="mean").dropna("seed")[:, 0], trained["selected"])
    share, kl = (
        first[name].sel(run=["mean_trained", "mean_unseen"]).isel(epoch=0) for name in ("large_pull_share", "kl")
    )
    assert list(share.notnull().sum("seed")) == [15, 1] and ((share >= 0) | share.isnull()).all()
    np.testing.assert_allclose(np.sort(kl.values[np.isfinite(kl)]), np.sort(predicted["kl_ensemble"]))
    assert first["width"].sel(run="mean_trained").item() > 0
