"""Stages of the study at the smallest scale that still shows what they do."""

import numpy as np
import pyhf
import pytest
from support import oracles
from support.blobs_runs import RUN, YIELDS, with_changes

from diffhep.models import workspace
from diffhep.studies.blobs import stages
from diffhep.studies.blobs.settings import Defaults, Experiment, Rebinning, TimedRuns, Workspaces
from diffhep.typed_settings import from_plain


def test_training_lowers_its_loss(trained):
    assert (trained["loss"][:, -1] < trained["loss"][:, 1]).all()
    assert np.isfinite(trained["cls"]).all() and trained.sizes["epoch"] == 4


def test_yields_are_shares_of_the_test_events_times_the_scales(trained):
    """Design: count / events x sample scale x overall scale + floor; all events lie in [0, 1]."""
    total = trained["yields"].sum("bin") - 5 * YIELDS["floor"]
    np.testing.assert_allclose(total.sel(sample="signal"), 20, rtol=1e-9)
    np.testing.assert_allclose(total.sel(sample=["background", "up", "down"]), 100, rtol=1e-9)
    counts = (trained["yields"].sel(sample="signal") - YIELDS["floor"]) / 20 * 100
    np.testing.assert_allclose(counts, np.round(counts), atol=1e-9)  # hard histograms count whole events


@pytest.fixture(scope="module")
def evaluated(trained):
    settings = from_plain(Rebinning, {"yields": YIELDS, "bins": [3, 5, 20], "interpolation": "code4p"})
    return stages.evaluate(settings, trained)


def test_evaluation_at_the_training_s_own_settings_repeats_its_metrics(trained, evaluated):
    own = evaluated.sel(bins=5)
    for name in stages.METRICS:
        np.testing.assert_allclose(own[name], trained[name], rtol=1e-9)
    assert (evaluated["cls"].sel(bins=20) != own["cls"]).any()


def test_the_selected_epoch_has_the_lowest_objective_of_its_seed(trained):
    np.testing.assert_array_equal(trained["objective"], trained["cls"])  # what RUN trains on
    for seed in trained["seed"].values:
        of_seed = trained.sel(seed=seed)
        assert float(of_seed["objective"].sel(epoch=int(of_seed["selected"]))) == of_seed["objective"][1:].min()


def test_logits_over_the_plane_are_those_of_the_selected_epoch(events, trained):
    """A run that is stopped at the selected epoch ends with the same network."""
    stop = int(trained["selected"][0])
    shorter = stages.train(with_changes(RUN, epochs=stop), events)
    if int(shorter["selected"][0]) == stop:
        np.testing.assert_allclose(shorter["logits"][0], trained["logits"][0], atol=1e-5)
    assert trained["logits"].dims == ("seed", "y", "x") and trained.sizes["x"] == 7


def test_learned_edges_move_and_stay_in_order(events):
    run = with_changes(RUN, bin_edges="learned", learning_rate=0.05)
    edges = stages.train(run, events)["edges"]
    np.testing.assert_allclose(edges[:, 0], np.tile(np.linspace(0, 1, 6), (2, 1)))
    assert np.abs(edges[:, -1] - edges[:, 0]).max() > 1e-3
    assert (edges.diff("edge") > 0).all() and (edges[..., 0] == 0).all() and (edges[..., -1] == 1).all()


def test_fixed_edges_do_not_move(trained):
    assert (trained["edges"] == np.linspace(0, 1, 6)).all()


def experiment(compare, sweep=None):
    defaults = {key: value for key, value in RUN.plain().items() if key in Defaults.model_fields}
    variants = {name: {"objective": {name: 1.0}} for name in compare}
    content = {"defaults": defaults, "variants": variants, "compare": compare} | ({"sweep": sweep} if sweep else {})
    return from_plain(Experiment, content)


def test_comparison_without_a_sweep_tells_selected_epochs_and_how_far_edges_moved(trained):
    settings = experiment(["cls"])
    moved = trained.assign(edges=trained["edges"] + np.array([0, 0.1, 0, 0, 0, 0]))
    found = stages.compare(settings, {"cls": moved}, {})
    assert found.sizes["point"] == 1
    np.testing.assert_allclose(found["edge_shift"], 0.1 / 4 * 5)  # mean over four inner edges, in widths of 1/5
    mean = trained["objective"].mean("seed")
    assert float(mean.sel(epoch=int(found["selected"][0]))) == float(mean[1:].min())


def test_plain_cross_entropy_never_sees_the_shifted_backgrounds(events):
    run = with_changes(RUN, objective={"bce": 1.0})
    changed = events.copy(deep=True)
    changed["train"].loc[{"sample": ["up", "down"]}] = 7.0
    np.testing.assert_array_equal(stages.train(run, changed)["bce"], stages.train(run, events)["bce"])


def test_comparison_takes_swept_runs_as_trained_and_others_as_evaluated(trained, evaluated):
    settings = experiment(["bce", "cls"], {"points": [{"bins": 3, "bandwidth": 0.2, "seeds": 1}]})
    swept = trained.isel(seed=[0]) * 2
    found = stages.compare(
        settings, {"bce": trained, "cls": trained, "cls_bins_3_bandwidth_0.2": swept}, {"bce": evaluated}
    )
    assert list(found["point"].values) == ["5 bins, bandwidth 0.1", "3 bins, bandwidth 0.2"]
    three = found.isel(point=1)
    np.testing.assert_array_equal(three["cls"].sel(run="bce"), evaluated["cls"].sel(bins=3))
    np.testing.assert_allclose(three["cls"].sel(run="cls")[0], 2 * trained["cls"][0])
    assert np.isnan(three["cls"].sel(run="cls")[1]).all()


def test_step_cost_times_every_run(events):
    found = stages.step_cost(
        TimedRuns(runs={"a": RUN, "b": with_changes(RUN, objective={"bce": 1.0})}, repeats=2), events
    )
    assert found["seconds"].dims == ("repeat", "run") and (found["seconds"] > 0).all()


def test_workspaces_have_the_cls_that_is_reported(trained):
    found = stages.workspaces(Workspaces(experiment="test"), {"cls": trained})
    assert sorted(found) == ["test_cls_seed_0", "test_cls_seed_1"]
    for seed in (0, 1):
        workspace.validate(found[f"test_cls_seed_{seed}"])
        oracle = oracles.PyhfAnalysis(found[f"test_cls_seed_{seed}"])
        with oracles.tight_pyhf():
            _, expected = pyhf.infer.hypotest(1.0, oracle.data, oracle.model, return_expected=True)
        of_seed = trained.sel(seed=seed)
        np.testing.assert_allclose(of_seed["cls"].sel(epoch=int(of_seed["selected"])), expected, rtol=1e-5)
