"""Both sides of a benchmark do the same work, and the table is what it promises. Speeds are not tested."""

import json
from pathlib import Path

import jax
import numpy as np
import pandas as pd
import pytest
from support.study_settings import study_settings

from benchmarks import fits, flows, optimisation, peers, table, training
from diffhep.pipeline import settings as conf

ROOT = Path(__file__).parents[2]


def benchmark_settings():
    return conf.load_study(ROOT / "config/benchmarks.yaml", ROOT / "workflow/schemas/benchmarks.schema.yaml", "quick")


@pytest.fixture(scope="module")
def settings():
    """Quick settings, put together as in the workflow."""
    benchmarks, study, search = (
        benchmark_settings(),
        study_settings("blobs", "quick"),
        study_settings("vbf_hh4b", "quick"),
    )
    physics = {"means": study.data.means.plain(), "yields": study.yields.plain(), "plane": study.plane.plain()}
    optimised = {**benchmarks["optimisation"], "data": search["data"], "run": search["defaults"]}
    return {**benchmarks, "seed": 0, "training": {**physics, **benchmarks["training"]}, "optimisation": optimised}


def test_losses_and_gradients_are_those_of_relaxed(settings):
    losses = training.losses({**settings["training"], "seed": 0, "widths": [8]})
    for (ours, our_gradient), (peer, peer_gradient) in losses.values():
        assert ours == pytest.approx(peer, rel=1e-6)
        np.testing.assert_allclose(our_gradient, peer_gradient, atol=1e-4 * np.abs(peer_gradient).max())


def test_fits_are_those_of_pyhf(settings):
    model, data = fits.thrown({**settings["fits"], "seed": 0, "toys": 20})
    peer = peers.pyhf_fits(peers.pyhf_model(settings["fits"]["yields"]), data)
    same = np.isclose(fits.fit_all(model, data).parameters, peer, atol=2e-3).all(axis=1)
    assert same.mean() >= 0.9  # of some data sets the likelihood has two maxima, and each finds its own


def test_losses_of_flows_are_those_of_flowjax(settings):
    ours, peer = flows.losses(settings["member_step"])
    assert ours == pytest.approx(peer, rel=1e-5)


def quickly_compiled(parameters, features):
    return sum(leaf.sum() for leaf in jax.tree.leaves(parameters)) + features.sum()


def test_table_has_a_row_for_each_piece_of_work(settings, tmp_path, monkeypatch):
    monkeypatch.setattr(peers, "relaxed_losses", lambda _: dict.fromkeys(training.OBJECTIVES, quickly_compiled))
    monkeypatch.setattr(optimisation, "_alone", lambda work, *_: (2.0, (100.0, 101.0)))
    paths = [str(tmp_path / f"benchmarks.{ending}") for ending in ("csv", "md")]
    table.write({**settings, "repeats": 1}, 1, paths)
    rows = pd.read_csv(paths[0])
    assert list(rows.columns) == ["work", "ours", "peer", "peer_version", "ratio"]
    assert len(rows) == len(settings["step_cost"]["widths"]) + 5  # on one core pyhf has one row
    assert (rows["ratio"] > 0).all() and rows["work"].is_unique
    assert len(Path(paths[1]).read_text().splitlines()) == len(rows) + 2


def test_optimisation_is_timed_and_its_memory_told_from_the_first_steps_on(settings):
    text = json.dumps({**settings["optimisation"], "seed": 0})
    for work in (optimisation.optimise, optimisation.retrace):
        seconds, (first, last) = work(text)
        assert seconds > 0 and 0 < first < 8192 and last > 0.5 * first
