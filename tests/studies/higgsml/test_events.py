"""Events of the challenge's chain: pools keep yields, networks see what they should, histograms hold every event."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from scipy.special import expit
from support import spread
from support.study_settings import study_settings

from diffhep.data.htautau import challenge_files, shifts
from diffhep.data.htautau.features import PRIMARY
from diffhep.data.htautau.shifts import PROCESSES
from diffhep.learning import classifiers
from diffhep.learning.model_selection import trained_parameters
from diffhep.models import likelihood
from diffhep.studies.higgsml import events as higgsml_events
from diffhep.studies.higgsml import inferno, intervals, nuisance_conditioned, templates, training

SETTINGS = study_settings("higgsml", "quick")
SEEDS = {"seed": 0, "seeds_at_once": "auto"}
TRAINED = SEEDS | {"columns": SETTINGS["columns"], "perturbed": SETTINGS["perturbed"]}


@pytest.fixture(scope="module")
def pools():
    return {name: higgsml_events.build_pool(SETTINGS["data"] | {"process": name, "seed": 0}) for name in PROCESSES}


def test_every_part_of_a_pool_stands_for_the_whole_yield(pools):
    settings = SETTINGS["data"] | {"process": "htautau", "seed": 0}
    everything = settings | {"shares": {"train": 0.999, "template": 0.0005, "test": 0.0005}}
    whole = float(higgsml_events.build_pool(everything)["weights"].sum())
    for part in SETTINGS["data"]["shares"]:
        total = higgsml_events.pool_samples(pools, part)[0].weights.sum()
        assert total == pytest.approx(whole, rel=0.1) and total < SETTINGS["data"]["yields"]["htautau"]
    first = [higgsml_events.pool_samples(pools, part)[0].primaries[:50, 0] for part in ("template", "test")]
    assert not np.isin(*first).any()


def test_pools_are_read_from_a_file_of_the_challenge(tmp_path, pools):
    sample = pools["ttbar"]
    path = tmp_path / "events.parquet"
    columns = jax.device_put([sample[name].values for name in ("primaries", "weights")])
    challenge_files.write(path, {"ttbar": tuple(columns)}, seed=0)
    number = sample.sizes["event"]
    settings = SETTINGS["data"] | {"process": "ttbar", "seed": 0, "events": {"ttbar": number}}
    read = higgsml_events.build_pool(settings, path)
    assert list(read["column"].values) == list(PRIMARY) and read.sizes["event"] == number
    total = float(sample["weights"].sum())
    for part in SETTINGS["data"]["shares"]:
        assert higgsml_events.pool_samples(dict.fromkeys(PROCESSES, read), part)[0].weights.sum() == pytest.approx(
            total
        )


def test_events_are_drawn_as_often_as_their_weights_say():
    rows = higgsml_events.draw_rows(np.random.default_rng(0), np.array([1.0, 0.0, 3.0]), 4000)
    np.testing.assert_allclose(np.bincount(rows, minlength=3) / 4000, [0.25, 0.0, 0.75], atol=0.02)


def test_the_background_is_all_processes_but_the_signal(pools):
    signal, background = higgsml_events.nominal_events(TRAINED, pools, "train")
    every = higgsml_events.pool_samples(pools, "train")
    assert background.weights.max() == pytest.approx(max(sample.weights.max() for sample in every[1:]))
    assert signal.weights.sum() < every[0].weights.sum() < background.weights.sum()
    np.testing.assert_array_equal(higgsml_events.concatenate_samples(every[1:]).noise[-3:], every[-1].noise[-3:])


def test_perturbed_events_know_their_own_shift(pools):
    (signal, background), (held_out, _) = higgsml_events.draw_perturbed_events(TRAINED | SETTINGS, pools)
    for seen in (signal, background):
        assert set(np.unique(seen.category)) == {0, 1} and seen.columns.shape[1] == 28
    assert (
        len(np.unique(signal.nuisances[:, 0])) == 17
        and not np.isin(held_out.nuisances[:, 0], signal.nuisances[:, 0]).any()
    )


def test_the_flows_of_a_category_are_appended_in_the_order_of_their_names(pools):
    of_flow = TRAINED | SETTINGS["flow"]
    flows = {
        f"two_jets_{label}_2.0": training.train_flow(
            of_flow | {"category": "two_jets", "label": label, "strength": 2.0}, pools
        )
        for label in ("signal", "background")
    } | {"one_jet_signal_2.0": None}
    settings = TRAINED | {"flow": SETTINGS["flow"]["flow"], "phi": "scaled"}
    columns = higgsml_events.nominal_events(settings, pools, "train")[0].columns[:7]
    phi = np.asarray(jax.jit(training.build_discriminants(settings, flows, "two_jets"))(columns))
    only = {"two_jets_signal_2.0": flows["two_jets_signal_2.0"]}
    alone = jax.jit(training.build_discriminants(settings, only, "two_jets"))(columns)
    np.testing.assert_allclose(phi[:, 1:], alone, rtol=1e-6)
    assert ((phi > 0) & (phi < 1)).all()
    with pytest.raises(ValueError, match="neither"):
        training.build_discriminants(settings | {"phi": "neither"}, flows, "one_jet")


@pytest.fixture(scope="module")
def baseline(pools):
    settings = TRAINED | SETTINGS["training"] | {"network": SETTINGS["network"], "iterations": 400}
    return {"baseline": training.train_classifier(settings, pools)}


def passing(pools, part, shift):
    """Weights of the events of each process that pass at a shift."""
    look = higgsml_events.reconstruction(SETTINGS["columns"]["logarithms"])
    found = []
    for sample in higgsml_events.pool_samples(pools, part):
        _, category, passes = look(sample.primaries, tuple(shift), sample.noise)
        found.append(sample.weights[np.asarray(passes) & (np.asarray(category) >= 0)].sum())
    return found


def test_histograms_hold_every_event_that_passes(pools, baseline):
    settings = TRAINED | {"part": "test", "bins": 8, "networks": {"baseline": SETTINGS["network"]}}
    one = settings | {"points": "design", "number": 4, "chunk": 1, "chunks": 2}
    found = templates.expected_histograms(one, pools, baseline, {})
    np.testing.assert_array_equal(found["shift"], templates.design_shifts(4, 0)[1::2])
    direct = templates.time_scoring(settings | {"number": 2, "luminosity": 0.01}, pools, baseline, {})
    for each in (found, direct):
        expected = [passing(pools, "test", shift) for shift in each["shift"].values]
        np.testing.assert_allclose(each["counts"].sel(network="baseline").sum("bin"), expected, rtol=1e-6)
    places = (found["counts"] * np.arange(8)).sum("bin") / found["counts"].sum("bin")
    assert (places.sel(process="htautau") > places.sel(process="ztautau") + 0.2).all()
    assert float(found["weight"]) == max(s.weights.mean() for s in higgsml_events.pool_samples(pools, "test")[1:])


def test_the_told_classifier_is_told_what_is_right_first_of_the_signal_and_last_of_the_background():
    rng = np.random.default_rng(0)
    right = [np.arange(6.0) + 10 * np.arange(50.0)[:, None] + 1000 * n for n in (0, 1)]
    classes = [higgsml_events.PerturbedEvents(np.zeros((50, 28)), np.zeros(50, int), each) for each in right]
    signal, background = training.nuisance_conditioned_inputs(rng, classes)
    for inputs, nuisances, where, other in ((signal, right[0], 28, 34), (background, right[1], 34, 28)):
        np.testing.assert_array_equal(inputs[:, where : where + 6], nuisances)
        wrong = inputs[:, other : other + 6]
        assert (wrong != nuisances).any() and inputs.shape == (50, 40)
        np.testing.assert_array_equal(wrong[np.argsort(wrong[:, 0])], nuisances)  # whole sets, of the same class


@pytest.fixture(scope="module")
def told(pools):
    longer = {"iterations": 1000, "evaluate_every": 100, "learning_rate": 0.005, "network": SETTINGS["network"]}
    more = {"perturbed": SETTINGS["perturbed"] | {"subsets": 100}}
    return training.train_nuisance_conditioned(TRAINED | SETTINGS["training"] | longer | more, pools)


def test_events_are_drawn_by_process_and_padded(pools):
    look = higgsml_events.reconstruction(SETTINGS["columns"]["logarithms"])
    of, nothing = higgsml_events.pool_samples(pools, "test"), np.array([1.0, 1.0, 0.0, 1.0, 1.0, 1.0])
    shares = [part / sample.weights.sum() for part, sample in zip(passing(pools, "test", nothing[:3]), of, strict=True)]
    means = np.array([1000.0, 0.0, 500.0, 0.0])
    drawn = nuisance_conditioned.reconstruct_toy(
        look, nuisance_conditioned.draw_toy(of, means, 2000, np.random.default_rng(0)), nothing
    )
    assert drawn.inputs.shape == (2000, 29) and set(np.unique(drawn.counts)) == {0.0, 1.0}
    assert float(drawn.counts.sum()) == pytest.approx(means @ shares, abs=5 * np.sqrt(1500))
    assert set(np.unique(drawn.inputs[drawn.counts > 0, -1])) == {0.0, 1.0}
    with pytest.raises(ValueError, match="ask for more room"):
        nuisance_conditioned.draw_toy(of, means, 1000, np.random.default_rng(0))


ESTIMATES = {
    "seed": 0,
    "network": SETTINGS["network"],
    "columns": SETTINGS["columns"],
    "bins": 10,
    "part": "test",
    "luminosity": 0.1,
    "template_events": 20000,
    "truth": [0.0, 10.0],
}
FEW = ESTIMATES | {"sets": 2, "luminosity": 0.01, "template_events": 1000}


def test_estimates_may_be_spread_over_jobs(pools, told, tmp_path):
    def untimed(first, last):
        return nuisance_conditioned.estimate_strengths(
            FEW | {"toys": 4, "first": first, "last": last}, pools, told
        ).drop_vars("seconds")

    whole, joined = spread.files(tmp_path, untimed, 4, "toy")
    assert whole == joined


def test_event_by_event_estimates_rise_with_the_strength(pools, told):
    settings = ESTIMATES | {"first": 0, "last": 0}
    found = nuisance_conditioned.estimate_strengths(settings | {"strengths": [0.0, 15.0], "toys": 1}, pools, told)
    assert found["estimate"].shape == (2, 1) and (found["seconds"] > 0).all()
    low, high = found["estimate"].values[:, 0]
    assert high > low + 5  # the network has learned for seconds
    tested = nuisance_conditioned.estimate_strengths(FEW | {"toys": 2, "first": 0, "last": 1}, pools, told)
    np.testing.assert_array_equal(tested["strength"], intervals.draw_true_strengths(FEW))
    belt = {"strength": [0.0, 1.0, 2.0], "estimate": [[-1.0, 0.0, 1.0], [0.0, 1.0, 2.0], [1.0, 2.0, 3.0]]}
    simulated = xr.Dataset({"estimate": (("strength", "toy"), belt["estimate"])}, coords={"strength": belt["strength"]})
    ends = nuisance_conditioned.compute_intervals({"belt_order": 1}, simulated, tested)
    assert ends["low"].shape == (2, 2) and ends["seconds"].sizes == {"experiment": 4}


def test_the_told_classifier_finds_the_nuisance_parameters_that_make_background(pools, told):
    tools = nuisance_conditioned.compile_scores({"network": SETTINGS["network"]}, told)
    columns = higgsml_events.nominal_events(TRAINED, pools, "test")[1]
    events = nuisance_conditioned.WeightedEvents(
        np.column_stack([columns.columns, columns.category])[:200], np.ones(200)
    )
    best = nuisance_conditioned.fit_nuisances(tools, events)

    def value(normal):
        return float(tools.blamed(normal, events)[0])

    assert best.shape == (6,)
    normal = (best[:2] - 1) / 0.01
    corner = np.array([*normal, np.log(best[2]), (best[3] - 1) / 0.02, (best[4] - 1) / 0.25, (best[5] - 1) / 0.001])
    assert value(corner) <= value(np.zeros(6)) + 1e-6


def test_the_told_classifier_blames_what_it_is_told_for_the_background(pools, told):
    columns, category, _ = higgsml_events.nominal_events(TRAINED, pools, "test")[1]
    normal, reference = np.array([1.0, -1.0, 0.5, 0.0, 1.0, 2.0]), shifts.nuisances_from_normal(np.zeros(6))
    both = np.concatenate([reference, shifts.nuisances_from_normal(normal)])
    inputs = np.column_stack([columns, np.tile(both, (len(columns), 1)), category])[:200]
    scores = expit(classifiers.logit(SETTINGS["network"], trained_parameters(told), inputs, np.zeros(0)))
    events = nuisance_conditioned.WeightedEvents(np.column_stack([columns, category])[:200], np.arange(200.0))
    value, _ = nuisance_conditioned.compile_scores({"network": SETTINGS["network"]}, told).blamed(normal, events)
    assert float(value) == pytest.approx(float(np.average(scores, weights=np.arange(200.0))), rel=1e-5)


def test_the_model_of_the_whole_fit_has_each_shift_up_and_down(pools):
    settings = SEEDS | SETTINGS["inferno"] | {"columns": SETTINGS["columns"], "luminosity": 0.1}
    seen, valid = inferno.draw_shifted_events(settings, pools)
    scores = jnp.zeros(seen.weights.shape)
    made = partial(inferno.build_model, settings, histogram=lambda _, weights: jnp.sum(weights)[None], scale=2.0)
    model = jax.jit(made)(scores, seen)
    weights, scaled = np.asarray(seen.weights), np.asarray(seen.scaled)
    sums, changed = weights.sum(axis=1), (weights[1, :, None] * scaled[0]).sum(axis=0)
    nominal = np.asarray(likelihood.nominal_parameters(model, 1.0))
    for n, background in enumerate([sums[1], *sums[2::2], *changed[::2]]):
        pars = nominal.copy()
        pars[n] = 1.0  # the strength, which is 1, comes first
        expected = 0.2 * (sums[0] + background) + 2 * inferno.FLOOR
        np.testing.assert_allclose(likelihood.expected_rates(model, pars), expected[None], rtol=1e-5)
    posed = inferno.problem(settings, seen, valid)
    first, loss = jax.jit(posed.initialise)(jax.random.key(0)), jax.jit(posed.loss)
    twice = inferno.ShiftedEvents(*(np.concatenate([each, each], axis=1) for each in seen))
    np.testing.assert_allclose(loss(first, twice), loss(first, seen), rtol=1e-4)


def test_the_network_of_the_whole_fit_sees_shifts_in_pairs(pools):
    settings = SEEDS | SETTINGS["inferno"] | {"columns": SETTINGS["columns"], "luminosity": 0.1}
    seen, valid = jax.tree.map(np.asarray, inferno.draw_shifted_events(settings, pools))
    assert seen.features.shape == (8, 1000, 29) and seen.scaled.shape == (1, 1000, 6)
    hadrons = seen.features[:, :, PRIMARY.index("PRI_had_pt")]
    np.testing.assert_allclose(hadrons[2] - hadrons[3], np.log(1.01 / 0.99), rtol=1e-3)
    background = sum(sample.weights.sum() for sample in higgsml_events.pool_samples(pools, "train")[1:])
    assert float(valid.weights[1].max()) == pytest.approx(background / 1000, rel=1e-5)
    for column, factor in ((0, 1.02), (1, 0.98)):  # top quarks, up and down
        np.testing.assert_allclose(np.unique(seen.scaled[0, :, column]), sorted([1.0, factor]), rtol=1e-6)
