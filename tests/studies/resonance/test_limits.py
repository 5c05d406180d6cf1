"""Expected limits are computed at simulated and at interpolated mass points, in one job or several."""

from functools import cache

import numpy as np
import pytest
from support import spread
from support.resonance_study import MODELS, SEEDS, SETTINGS

from diffhep.studies.resonance import limits as resonance_limits
from diffhep.studies.resonance import strategies

pytestmark = pytest.mark.xdist_group("resonance")  # one process computes the shared fixtures

LIMITS = SEEDS | MODELS | SETTINGS["limits"] | {"plane": SETTINGS["limits"]["plane"] | {"bins": 4}, "bins": 4}
CONTEXTS = 16 + 4  # mass points of the grid, and of the mesh of interpolated limits


@pytest.fixture(scope="module")
def limits(signal, background, trained, yields):
    """Cached function of the first and last conditioning point."""

    @cache
    def compute(first, last):
        settings = LIMITS | {"first": first, "last": last}
        return resonance_limits.compute_limits(settings, signal, background, **trained, yields=yields)

    return compute


def test_limits_of_several_jobs_equal_those_of_one(limits, tmp_path):
    whole, joined = spread.files(tmp_path, limits, CONTEXTS, "context")
    assert whole == joined


def test_interpolated_limits_are_finite_everywhere_and_weaker_with_uncertainty(limits):
    found = limits(0, CONTEXTS - 1)
    assert found["limit"].shape == (CONTEXTS, 3, 3)
    simulated = found["limit"].sel(source="simulated")
    np.testing.assert_array_equal(np.isfinite(simulated).all("strategy"), found["simulated"])
    limits_with, limits_without = (found["limit"].sel(source=name) for name in strategies.SOURCES[1:])
    assert np.isfinite(limits_with).all() and (limits_with > limits_without).all()
    held_out = found["held_out"].values
    ratio = (limits_with / simulated).values[held_out]
    np.testing.assert_allclose(resonance_limits.compare({}, found)["unseen_ratio"], np.median(ratio, axis=0))
