"""Observables are histogrammed as shares, and separate signal from background at held-out mass points."""

import numpy as np
import pytest
from support.resonance_study import MODELS, SETTINGS

from diffhep.studies.resonance.observables import discriminate

pytestmark = pytest.mark.xdist_group("resonance")  # one process computes the shared fixtures


def test_observables_are_evaluated_at_held_out_points_and_those_of_figures(signal, background, trained):
    found = discriminate(MODELS | SETTINGS["observables"], signal, background, **trained)
    assert int(found["held_out"].sum()) == 3 and list(found["in_figure"].sum("context")) == [1, 2]
    np.testing.assert_allclose(found["share"].sum("bin"), 1.0)
    assert ((found["auc"] > 0.5) & (found["auc"] < 1)).all()
    assert float(found["min_auc"]) == float(found["auc"].sel(observable="s_flow")[found["held_out"].values].min())
    assert (found["error"] >= 0).all() and (found["error"] < 0.5).all()
