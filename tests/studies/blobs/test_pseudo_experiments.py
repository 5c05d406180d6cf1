"""Pseudo-experiments are thrown from the typical trained observable; shards give the same file."""

import numpy as np
from support import spread
from support.blobs_runs import TOYS, with_changes

from diffhep.studies.blobs import pseudo_experiments


def test_toys_are_thrown_from_the_seed_of_median_cls(trained):
    found = pseudo_experiments.pseudo_experiments(TOYS, trained, pseudo_experiments.scan(TOYS, trained))
    last = trained["cls"].isel(epoch=-1).values
    assert last[int(found["seed"])] == np.sort(last)[1]
    assert found["q_mu"].dims == ("true_mu", "toy") and found.sizes["toy"] == 200
    assert ((found["coverage"] > 0) & (found["coverage"] <= 1)).all()


def test_strengths_may_be_spread_over_jobs(trained, tmp_path):
    settings = with_changes(TOYS, tested_mu=[0.2, 0.4, 0.6, 0.8, 1.0])

    def scan(first, last):
        return pseudo_experiments.scan(with_changes(settings, first=first, last=last), trained)

    whole, joined = spread.files(tmp_path, scan, 5, "tested_mu")
    assert whole == joined
