"""Stages of TOMATOS: a run goes by its settings, and is judged and exploited as direct computation says."""

from functools import partial

import jax
import numpy as np
import pytest
import xarray as xr
from support.vbf_hh4b_runs import EVENTS, NAMES, REGIONS, RUN, direct, expected, expected_with_shape, hard_counts

from diffhep import prng
from diffhep.histogramming.transfer_factors import TagCounts
from diffhep.learning import training
from diffhep.studies.vbf_hh4b import exploit as exploiting
from diffhep.studies.vbf_hh4b import inputs
from diffhep.studies.vbf_hh4b import stages as study
from diffhep.studies.vbf_hh4b.optimisation import count_hard, initialise, observable


@pytest.fixture(scope="module")
def events():
    return inputs.generate(EVENTS)


@pytest.fixture(scope="module")
def run(events):
    """Result of `train`, and the programs that it compiled."""
    made, programs = [], training.compile_programs

    def record(*of):
        made.append(programs(*of))
        return made[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(training, "compile_programs", record)
        return study.train(RUN, events), made


@pytest.fixture(scope="module")
def trained(run):
    return run[0]


def test_every_step_of_every_start_is_told(trained):
    assert trained.sizes["seed"] == 2 and trained["step"].values.tolist() == [0, 2, 4, 6]
    assert np.isnan(trained["loss"][:, 0]).all()
    assert all(np.isfinite(trained[name]).all() for name in set(trained.data_vars) - {"loss"})
    assert trained["cut"].values.tolist() == NAMES and trained["parameters"].shape == (2, 0)
    assert (trained["cuts"][0, 0] != trained["cuts"][1, 0]).all()  # starts are drawn


def test_each_program_is_compiled_once_however_many_steps(run):
    (compiled,) = run[1]
    jitted = (compiled.start.func, compiled.advance.func, compiled.evaluate.func)
    assert [program._cache_size() for program in jitted] == [1, 1, 1]


def test_the_slope_and_the_learning_rate_follow_their_plans(trained):
    np.testing.assert_allclose(trained["slope"], np.tile(20 * 100 ** (np.array([0, 0, 1 / 3, 1])), (2, 1)), rtol=1e-9)
    rises_until, back_at = 1, 5  # 30 and 90 % of six steps, rounded down
    rate = np.interp([0, 2, 4, 6], [0, rises_until, back_at], [0.02, 1, 0.02])
    np.testing.assert_allclose(trained["rate"], RUN["learning_rate"] * rate, rtol=1e-6)


def test_no_step_is_longer_than_its_limit(events, trained):
    cuts = study.cuts_to_shares(events, trained["cuts"].values, NAMES)
    moved = {"cuts": np.abs(np.diff(cuts, axis=1)), "bandwidth": np.abs(np.diff(trained["bandwidth"], axis=1))}
    for name, limit in RUN["limits"].items():
        assert 0 < moved[name].max() <= RUN["evaluate_every"] * limit * (1 + 1e-6), name


def test_edges_rise_over_the_whole_range_and_move(events, trained):
    edges = trained["edges"].values
    assert (np.diff(edges, axis=-1) > 0).all() and not np.array_equal(edges[:, 0], edges[:, -1])
    bounds = [float(events[bound].sel(variable="m_hh")) for bound in ("low", "high")]
    np.testing.assert_allclose(edges[..., [0, -1]], np.broadcast_to(bounds, (2, 4, 2)))
    np.testing.assert_allclose(edges[:, 0], np.tile(np.linspace(*bounds, 4), (2, 1)), rtol=1e-6)


@pytest.mark.parametrize("name", inputs.PARTS)
def test_what_is_told_of_a_step_is_what_its_cuts_and_edges_give(events, trained, name):
    part, last = inputs.parts(events, RUN, REGIONS)[name], trained.isel(seed=1, step=-1)
    found = hard_counts(RUN, events, part, last["cuts"].values, last["edges"].values)
    np.testing.assert_allclose(last[f"signal_{name}"], found.signal, rtol=1e-6)
    np.testing.assert_allclose(last[f"cls_{name}"], expected_with_shape(found), rtol=1e-5)


def test_smooth_histograms_hold_all_events_times_their_sigmoids(events, trained):
    """Closed outer edges lose none, whatever the bandwidth."""
    region, first = inputs.parts(events, RUN, REGIONS)["train"].signal_region, trained.isel(seed=0, step=0)
    cuts = study.cuts_to_shares(events, first["cuts"].values, NAMES)
    weights = region.weights[:3].astype(float)
    for cut, place in zip(cuts, (1, 2), strict=True):
        weights /= 1 + np.exp(-20 * (region.variables[:3, :, place].astype(float) - cut))
    np.testing.assert_allclose(first["signal_smooth"].sum("bin"), weights.sum(axis=1), rtol=1e-6)


def test_runs_are_judged_by_their_last_step_on_events_of_the_reference(events, trained):
    """By names of cuts, in whatever order settings and results have them; a run with fewer starts is padded."""
    turned = RUN | {"cuts": dict(reversed(RUN["cuts"].items()))}
    settings = EVENTS | {"runs": {"one": RUN, "turned": turned}}
    one = trained.isel(seed=slice(0, 1), step=slice(0, -1)).drop_vars("parameters")  # as traditional cuts have none
    judged = study.evaluate(settings, events, {"one": one, "turned": trained})
    assert judged["cls"].shape == (2, 2) and np.isnan(judged["cls"].sel(run="one", seed=1))
    assert set(judged.coords) == {"run", "seed", "bin", "edge", "cut"}  # the last step is not the same for all
    cases = [("one", 0, trained.isel(seed=0, step=-2)), ("turned", 1, trained.isel(seed=1, step=-1))]
    for name, seed, last in cases:
        found, cls = direct(RUN, events, last)
        here = judged.sel(run=name, seed=seed)
        assert float(here["cls"]) == pytest.approx(cls, rel=1e-6)
        assert float(expected(found, float(here["limit"]))) == pytest.approx(0.05, rel=1e-4)  # what a limit is
        np.testing.assert_allclose(here["signal"], found.signal[0], rtol=1e-9)
        np.testing.assert_allclose(here["edges"], last["edges"])
        np.testing.assert_allclose(here["cuts"].sel(cut=NAMES), last["cuts"])


def test_networks_are_judged_with_the_parameters_that_were_stored(events):
    settings = RUN | {"observable": "network", "network": [4], "cuts": {}, "fold": 0}
    start = jax.jit(partial(initialise, settings))
    networks = [jax.device_get(start(jax.random.key(n)))["network"] for n in (0, 1)]
    stored = study._flat(jax.tree.map(lambda *each: np.stack(each), *networks), 2)
    reference = inputs.reference(EVENTS).assign(low=events["low"], high=events["high"])
    part = inputs.part(reference, REGIONS)
    scores = np.asarray(jax.jit(partial(observable, settings))(networks[1], part.signal_region.variables))
    edges = np.array([0.0, *np.quantile(scores, [0.3, 0.6]), 1.0])
    trained = xr.Dataset(
        {
            "parameters": (("seed", "parameter"), stored),
            "cuts": (("seed", "step", "cut"), np.zeros((2, 1, 0))),
            "edges": (("seed", "step", "edge"), np.tile(edges, (2, 1, 1))),
        },
        coords={"seed": [0, 1], "step": [0], "cut": []},
    )
    judged = study.evaluate(EVENTS | {"runs": {"network": settings}}, events, {"network": trained}).sel(run="network")
    found = count_hard(settings, networks[1], np.zeros(0), edges, part)
    np.testing.assert_allclose(judged["signal"].sel(seed=1), found.signal[0], rtol=1e-6)
    assert judged["cls"].sel(seed=1).item() == pytest.approx(float(expected(found)), rel=1e-6)
    assert judged["cls"].values[0] != judged["cls"].values[1]


@pytest.fixture(scope="module")
def exploited(events, trained):
    runs = {"a": RUN | {"shape": "outside"}, "b": RUN}
    settings = EVENTS | {"runs": runs, "draws": 5}
    return exploiting.exploit(settings, events, dict.fromkeys(runs, trained.isel(seed=slice(0, 1))))


def test_what_is_claimed_is_the_cls_of_the_data_that_were_optimised_on(exploited, trained):
    here = exploited.sel(run="inside", fold=1)
    assert float(here["claimed"]) == pytest.approx(float(trained["cls_train"][0, -1]), rel=1e-5)
    assert (here["found"] == np.round(here["found"])).all()


def test_other_data_scatter_around_what_is_expected(events, exploited, trained):
    here, last = exploited.sel(run="inside", fold=1), trained.isel(seed=0, step=-1)
    whole = hard_counts(RUN, events, inputs.part(events, REGIONS), last["cuts"].values, last["edges"].values)
    factor = whole.control.two / whole.control.one
    with np.errstate(invalid="ignore"):  # nothing over nothing in an empty bin
        ratio = whole.validation.two / (factor * whole.validation.one)
    np.testing.assert_allclose(here["true_ratio"], ratio, rtol=1e-6)
    seen = inputs.parts(events, RUN, REGIONS)["train"]
    measured = hard_counts(RUN, events, seen, last["cuts"].values, last["edges"].values)
    np.testing.assert_allclose(
        here["estimated"], measured.control.two / measured.control.one * measured.validation.one, rtol=1e-6
    )
    rng = np.random.default_rng([0, prng.VBF_HH4B_EXPLOIT, 1])
    drawn = rng.poisson(whole.validation.two, (5, 3))[3].astype(float)
    beside = TagCounts(measured.validation.one, drawn)
    assert float(here["fresh"][3]) == pytest.approx(
        float(expected_with_shape(measured._replace(validation=beside))), rel=1e-6
    )


def test_the_gap_is_of_other_data_over_what_is_claimed(exploited):
    """Runs are told apart by where the uncertainty counts, and have the same data."""
    assert exploited["run"].values.tolist() == ["inside", "outside"] and exploited["fold"].values.tolist() == [1]
    np.testing.assert_allclose(exploited["gap"], np.log10(exploited["fresh"].median("draw") / exploited["claimed"]))
    np.testing.assert_array_equal(*exploited["found"])
