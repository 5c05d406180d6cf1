"""What TOMATOS minimises: smooth stand-ins whose limits are hard cuts and histograms, and gradients that are right."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from study_settings import study_settings

from diffhep import likelihood
from diffhep.studies import vbf_hh4b_inputs as inputs
from diffhep.studies import vbf_hh4b_training as tomatos

QUICK = study_settings("vbf_hh4b", "quick")
DATA = QUICK["data"] | {"events": {"signal": 1500, "background": 4000}}
RUN = QUICK["defaults"] | {"seed": 0, "bins": 3, "network": [4]}
M_HH = RUN | {"shape": "inside", "penalty": {"least_events": 60.0, "size": 0.01}}
NETWORK = RUN | {"observable": "network", "train": ["network", "cuts", "bandwidth"]}
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def part():
    events = inputs.generate({"seed": 0, "data": DATA})
    return jax.tree.map(jnp.asarray, inputs.parts(events, RUN, DATA["regions"])["train"])


def parameters(settings, cuts=(0.08, 0.3), slope=20.0):
    start = tomatos.initialise(settings, KEY)
    moved = {"cuts": jnp.array(cuts), "bins": jnp.array([-0.9, 0.1, 0.4]), "bandwidth": jnp.array(0.04)}
    return start | moved | {"slope": jnp.array(slope)}


def value_and_gradient(settings, part):
    region, *beside = part
    loss = partial(tomatos.loss, settings, region.weights.shape[1])
    return jax.jit(lambda parameters: jax.value_and_grad(loss)(parameters, region, tuple(beside)))


@pytest.fixture(scope="module")
def of_m_hh(part):
    return value_and_gradient(M_HH, part)


@pytest.mark.parametrize("kind", ["cuts", "bins", "bandwidth"])
def test_gradients_of_the_loss_are_those_of_finite_differences(of_m_hh, kind):
    at = parameters(M_HH)
    gradient, step = np.ravel(of_m_hh(at)[1][kind]), 1e-5
    for n, expected in enumerate(gradient):
        moved = [at | {kind: jnp.ravel(at[kind]).at[n].add(by).reshape(at[kind].shape)} for by in (step, -step)]
        high, low = (float(of_m_hh(each)[0]) for each in moved)
        assert (high - low) / (2 * step) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert np.abs(gradient).max() > 1e-3


def test_the_gradient_of_the_network_is_that_of_finite_differences(part):
    """Along the gradient, in float32."""
    at, step = parameters(NETWORK), 3e-3
    run = value_and_gradient(NETWORK, part)
    direction = run(at)[1]["network"]
    length = float(optax.tree_utils.tree_norm(direction))
    moved = [
        at | {"network": jax.tree.map(lambda w, d, by=by: w + by * d / length, at["network"], direction)}
        for by in (step, -step)
    ]
    high, low = (float(run(each)[0]) for each in moved)
    assert (high - low) / (2 * step) == pytest.approx(length, rel=0.01)


@pytest.mark.parametrize("cuts", [(0.01, 0.01), (0.3, 0.5), (0.9, 0.95)])
@pytest.mark.parametrize("slope", [2e4, 1e5])
def test_steep_cuts_have_finite_gradients_wherever_they_are(of_m_hh, cuts, slope):
    value, gradient = of_m_hh(parameters(M_HH, cuts, slope))
    assert np.isfinite(value)
    assert all(np.isfinite(each).all() for each in jax.tree.leaves(gradient))


def test_the_slope_is_planned_and_has_no_gradient(of_m_hh):
    assert float(of_m_hh(parameters(M_HH))[1]["slope"]) == 0


def test_a_nearly_empty_bin_pushes_the_bandwidth_up_and_its_edge_away(part, of_m_hh):
    """TOMATOS's floor cuts off the gradient there; a wider kernel or a wider bin would fill it."""
    at = parameters(M_HH) | {"bins": jnp.array([2.0, 2.0, -3.0]), "bandwidth": jnp.array(0.02)}
    found = tomatos.background(tomatos.counts(M_HH, {}, tomatos.smooth(M_HH, at), part)).events
    _, gradient = of_m_hh(at)
    assert float(found[-1]) < 0.01
    assert float(gradient["bandwidth"]) < -0.1 and float(gradient["bins"][-1]) < -1e-3


def test_the_loss_is_expected_cls_and_the_penalty_of_empty_bins(part, monkeypatch):
    monkeypatch.setattr(tomatos.hypotests, "expected_cls", lambda _: jnp.array(0.25))
    at, (region, *beside) = parameters(M_HH), part
    found = []
    for least in (60.0, 0.0):
        settings = M_HH | {"penalty": {"least_events": least, "size": 0.01}}
        found.append(float(tomatos.loss(settings, region.weights.shape[1], at, region, tuple(beside))))
    events = tomatos.background(tomatos.counts(M_HH, {}, tomatos.smooth(M_HH, at), part)).events
    assert found[0] - 0.25 == pytest.approx(0.01 * sum(max(60 - b, 0) / b for b in np.asarray(events)))
    assert found[0] > 0.26 and found[1] == 0.25


@pytest.mark.parametrize(("shape", "in_the_loss", "beside_it"), [("none", 0, 0), ("outside", 0, 1), ("inside", 1, 1)])
def test_the_shape_is_uncertain_in_the_loss_only_if_that_is_inside(part, monkeypatch, shape, in_the_loss, beside_it):
    """And in the CLs that are told of a step wherever it counts."""
    asked = []

    def record(_, *, shape):
        asked.append(shape)
        return jnp.array(0.1)

    monkeypatch.setattr(tomatos, "model", record)
    monkeypatch.setattr(tomatos.hypotests, "expected_cls", lambda found: found)
    settings, (region, *beside) = RUN | {"shape": shape}, part
    tomatos.loss(settings, region.weights.shape[1], parameters(settings), region, tuple(beside))
    tomatos.evaluate(settings, parameters(settings), {"train": part})
    assert asked == [in_the_loss, beside_it]


def test_a_batch_stands_for_all_events(part, monkeypatch):
    """A batch in which all of them are twice, or half of them once, predicts the same yields."""

    def rates(model):
        return likelihood.expected_rates(model, likelihood.nominal_parameters(model, 1.0)).sum()

    monkeypatch.setattr(tomatos.hypotests, "expected_cls", rates)
    at, (region, *beside) = parameters(RUN), part
    number = region.weights.shape[1]
    twice = jax.tree.map(lambda each: jnp.concatenate([each, each], axis=1), region)
    loss = partial(tomatos.loss, RUN, number, at)
    assert float(loss(twice, tuple(beside))) == pytest.approx(float(loss(region, tuple(beside))), rel=1e-9)


def test_a_run_starts_where_it_is_told():
    start = tomatos.initialise(RUN, KEY)
    np.testing.assert_allclose(start["cuts"], [0.01, 0.01])
    assert float(start["bandwidth"]) == 0.2
    assert start["network"] == {} and float(start["slope"]) == 20_000
    annealed = RUN | QUICK["runs"]["m_hh_annealed"]
    assert float(tomatos.initialise(annealed, KEY)["slope"]) == 20


def test_starts_that_are_given_as_ranges_are_drawn_from_them():
    settings = RUN | QUICK["runs"]["starts_steep"]
    cuts = np.array([tomatos.initialise(settings, jax.random.key(n))["cuts"] for n in range(40)])
    for column, (low, high) in zip(cuts.T, ((0.0, 0.4), (0.0, 0.8)), strict=True):
        assert low <= column.min() < 0.2 * high and 0.8 * high < column.max() <= high
    assert abs(np.corrcoef(cuts.T)[0, 1]) < 0.6


def test_learning_rates_follow_their_schedule():
    cycle, constant = (tomatos.rates(RUN | {"steps": 100, "schedule": name}) for name in ("one_cycle", "constant"))
    np.testing.assert_allclose([cycle(0), cycle(30), cycle(90)], 0.005 * np.array([0.02, 1, 0.02]), rtol=1e-5)
    assert [constant(0), constant(50)] == [0.005, 0.005]


def test_cross_entropy_is_of_as_many_signal_as_background_events(part):
    settings = NETWORK | {"objective": "bce", "train": ["network"], "cuts": {}}
    at, region = tomatos.initialise(settings, KEY), part.signal_region
    score = np.asarray(tomatos.observable(settings, at["network"], region.variables), float)[[0, -1]]
    weights = np.asarray(region.weights)[[0, -1]]
    means = [np.average(-np.log(p), weights=w) for p, w in zip((score[0], 1 - score[1]), weights, strict=True)]
    found = tomatos.loss(settings, 1, at, region, (part.validation, part.control))
    assert float(found) == pytest.approx(np.mean(means), rel=1e-5)


def test_what_is_not_to_be_trained_stays(part):
    """Of a run: the problem's optimiser knows what it trains, and limits it as settings say."""
    parts = dict.fromkeys(inputs.PARTS, part)
    settings = RUN | {"train": ["cuts"], "limits": {"cuts": 0.0001}}
    optimiser = tomatos.problem(settings, parts).optimiser
    start = tomatos.initialise(settings, KEY)
    updates, _ = optimiser.update(jax.tree.map(jnp.ones_like, start), optimiser.init(start), start)
    np.testing.assert_allclose(updates["cuts"], [-0.0001, -0.0001])
    assert float(updates["bandwidth"]) == 0 and not np.asarray(updates["bins"]).any()


@pytest.mark.parametrize(("width", "least"), [(0.01, 0.02), (0.2, 0.0)])
def test_a_bandwidth_that_starts_below_its_least_value_is_refused(part, width, least):
    settings = RUN | {"bandwidth": {"width": width, "least": least}}
    with pytest.raises(ValueError, match=f"bandwidth starts at {width}: it must be at least {least}, and that above 0"):
        tomatos.problem(settings, {"train": part})


def test_a_bandwidth_never_gets_below_its_least_value(part):
    settings = RUN | {"bandwidth": {"width": 0.2, "least": 0.198}, "limits": {}}
    optimiser, start = tomatos.problem(settings, {"train": part}).optimiser, tomatos.initialise(settings, KEY)
    state, at = optimiser.init(start), start
    for _ in range(50):
        updates, state = optimiser.update(jax.tree.map(jnp.ones_like, at), state, at)
        at = optax.apply_updates(at, updates)
    assert float(at["bandwidth"]) == pytest.approx(0.198, abs=1e-15)
