"""What TOMATOS minimises: smooth stand-ins whose limits are hard cuts and histograms, and gradients that are right."""

from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from support.study_settings import study_settings

from diffhep.models import likelihood
from diffhep.static_settings import StaticSettings
from diffhep.studies.vbf_hh4b import inputs
from diffhep.studies.vbf_hh4b import optimisation as tomatos

QUICK = study_settings("vbf_hh4b", "quick")
DATA = QUICK["data"] | {"events": {"signal": 1500, "background": 4000}}
RUN = QUICK["defaults"] | {"seed": 0, "bins": 3, "network": [4]}
M_HH = RUN | {"shape": "inside", "penalty": {"least_events": 60.0, "size": 0.01}}
NETWORK = RUN | {"observable": "network", "train": ["network", "cuts", "bandwidth"]}
KEY = jax.random.key(3)


@pytest.fixture(scope="module")
def part():
    events = inputs.generate({"seed": 0, "data": DATA})
    return inputs.parts(events, RUN, DATA["regions"])["train"]


def initialise(settings):
    return dict(initialised(StaticSettings(settings)))


@cache
def initialised(settings):
    return jax.device_get(jax.jit(partial(tomatos.initialise, settings))(KEY))


def parameters(settings, cuts=(0.08, 0.3), slope=20.0):
    moved = {"cuts": np.array(cuts), "bins": np.array([-0.9, 0.1, 0.4]), "bandwidth": np.array(0.04)}
    return initialise(settings) | moved | {"slope": np.array(slope)}


def loss_of(settings, number, at, part):
    """Traced anew, with whatever has been put in the place of a function that it calls."""
    region, *beside = part
    return float(jax.jit(partial(tomatos.loss, settings, number))(at, region, tuple(beside)))


@jax.jit
def smooth_background(at, part):
    return tomatos.background(tomatos.count_events(M_HH, {}, tomatos.smooth_selection(M_HH, at), part)).events


def value_and_gradient(settings, part):
    region, *beside = part
    loss = partial(tomatos.loss, settings, region.weights.shape[1])
    return partial(jax.jit(lambda part, at: jax.value_and_grad(loss)(at, *part)), (region, tuple(beside)))


@pytest.fixture(scope="module")
def of_m_hh(part):
    return value_and_gradient(M_HH, part)


@pytest.mark.parametrize("kind", ["cuts", "bins", "bandwidth"])
def test_gradients_of_the_loss_are_those_of_finite_differences(of_m_hh, kind):
    at = parameters(M_HH)
    gradient, step = np.ravel(of_m_hh(at)[1][kind]), 1e-5
    for n, expected in enumerate(gradient):
        shifts = [by * (np.arange(at[kind].size) == n).reshape(at[kind].shape) for by in (step, -step)]
        moved = [at | {kind: at[kind] + shift} for shift in shifts]
        high, low = (float(of_m_hh(each)[0]) for each in moved)
        assert (high - low) / (2 * step) == pytest.approx(expected, rel=1e-4, abs=1e-6)
    assert np.abs(gradient).max() > 1e-3


def test_the_gradient_of_the_network_is_that_of_finite_differences(part):
    """Along the gradient, in float32."""
    at, step = parameters(NETWORK), 3e-3
    run = value_and_gradient(NETWORK, part)
    direction = jax.device_get(run(at)[1]["network"])
    length = np.sqrt(sum(np.sum(leaf**2) for leaf in jax.tree.leaves(direction)))
    moved = [
        at | {"network": jax.tree.map(lambda w, d, by=by: w + np.float32(by / length) * d, at["network"], direction)}
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
    at = parameters(M_HH) | {"bins": np.array([2.0, 2.0, -3.0]), "bandwidth": np.array(0.02)}
    found, (_, gradient) = np.asarray(smooth_background(at, part)), jax.device_get(of_m_hh(at))
    assert float(found[-1]) < 0.01
    assert float(gradient["bandwidth"]) < -0.1 and float(gradient["bins"][-1]) < -1e-3


def test_the_loss_is_expected_cls_and_the_penalty_of_empty_bins(part, monkeypatch):
    monkeypatch.setattr(tomatos.hypotests, "expected_cls", lambda _: jnp.array(0.25))
    at, number, found = parameters(M_HH), part.signal_region.weights.shape[1], []
    for least in (60.0, 0.0):
        found.append(loss_of(M_HH | {"penalty": {"least_events": least, "size": 0.01}}, number, at, part))
    events = np.asarray(smooth_background(at, part))
    assert found[0] - 0.25 == pytest.approx(0.01 * sum(max(60 - b, 0) / b for b in events))
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
    settings, region = RUN | {"shape": shape}, part.signal_region
    loss_of(settings, region.weights.shape[1], parameters(settings), part)
    jax.eval_shape(partial(tomatos.evaluate, settings), parameters(settings), {"train": part})
    assert asked == [in_the_loss, beside_it]


def test_a_batch_stands_for_all_events(part, monkeypatch):
    """A batch in which all of them are twice, or half of them once, predicts the same yields."""

    def rates(model):
        return likelihood.expected_rates(model, likelihood.nominal_parameters(model, 1.0)).sum()

    monkeypatch.setattr(tomatos.hypotests, "expected_cls", rates)
    at, region = parameters(RUN), part.signal_region
    twice = jax.tree.map(lambda each: np.concatenate([each, each], axis=1), region)
    of_all, of_twice = (
        loss_of(RUN, region.weights.shape[1], at, part._replace(signal_region=each)) for each in (region, twice)
    )
    assert of_twice == pytest.approx(of_all, rel=1e-9)


def test_a_run_starts_where_it_is_told():
    start = initialise(RUN)
    np.testing.assert_allclose(start["cuts"], [0.01, 0.01])
    assert float(start["bandwidth"]) == 0.2
    assert start["network"] == {} and float(start["slope"]) == 20_000
    annealed = RUN | QUICK["runs"]["m_hh_annealed"]
    assert float(initialise(annealed)["slope"]) == 20


def test_starts_that_are_given_as_ranges_are_drawn_from_them():
    settings = RUN | QUICK["runs"]["starts_steep"]
    drawn = jax.jit(lambda seeds: jax.lax.map(lambda n: tomatos.initialise(settings, jax.random.key(n))["cuts"], seeds))
    cuts = np.asarray(drawn(np.arange(40)))
    for column, (low, high) in zip(cuts.T, ((0.0, 0.4), (0.0, 0.8)), strict=True):
        assert low <= column.min() < 0.2 * high and 0.8 * high < column.max() <= high
    assert abs(np.corrcoef(cuts.T)[0, 1]) < 0.6


def test_learning_rates_follow_their_schedule():
    cycle, constant = (
        tomatos.learning_rate(RUN | {"steps": 100, "schedule": name}) for name in ("one_cycle", "constant")
    )
    found = jax.jit(jax.vmap(cycle))(np.array([0, 30, 90]))
    np.testing.assert_allclose(found, 0.005 * np.array([0.02, 1, 0.02]), rtol=1e-5)
    assert [constant(0), constant(50)] == [0.005, 0.005]


def test_cross_entropy_is_of_as_many_signal_as_background_events(part):
    settings = NETWORK | {"objective": "bce", "train": ["network"], "cuts": {}}
    at, region = initialise(settings), part.signal_region
    observable = jax.jit(partial(tomatos.observable, settings))
    score = np.asarray(observable(at["network"], region.variables), float)[[0, -1]]
    weights = region.weights[[0, -1]]
    means = [np.average(-np.log(p), weights=w) for p, w in zip((score[0], 1 - score[1]), weights, strict=True)]
    assert loss_of(settings, 1, at, part) == pytest.approx(np.mean(means), rel=1e-5)


def test_what_is_not_to_be_trained_stays(part):
    """Of a run: the problem's optimiser knows what it trains, and limits it as settings say."""
    parts = dict.fromkeys(inputs.PARTS, part)
    settings = RUN | {"train": ["cuts"], "limits": {"cuts": 0.0001}}
    optimiser, start = tomatos.build_task(settings, parts)[0].optimiser, initialise(settings)
    slope = jax.tree.map(np.ones_like, start)
    updates = jax.jit(lambda at: optimiser.update(slope, optimiser.init(at), at)[0])(start)
    np.testing.assert_allclose(updates["cuts"], [-0.0001, -0.0001])
    assert float(updates["bandwidth"]) == 0 and not np.asarray(updates["bins"]).any()


@pytest.mark.parametrize(("width", "least"), [(0.01, 0.02), (0.2, 0.0)])
def test_a_bandwidth_that_starts_below_its_least_value_is_refused(part, width, least):
    settings = RUN | {"bandwidth": {"width": width, "least": least}}
    with pytest.raises(ValueError, match=f"bandwidth starts at {width}: it must be at least {least}, and that above 0"):
        tomatos.build_task(settings, {"train": part})


def test_a_bandwidth_never_gets_below_its_least_value(part):
    settings = RUN | {"bandwidth": {"width": 0.2, "least": 0.198}, "limits": {}}
    optimiser, start = tomatos.build_task(settings, {"train": part})[0].optimiser, initialise(settings)

    @jax.jit
    def step(at, state):
        updates, state = optimiser.update(jax.tree.map(jnp.ones_like, at), state, at)
        return optax.apply_updates(at, updates), state

    at, state = start, jax.jit(optimiser.init)(start)
    for _ in range(50):
        at, state = step(at, state)
    assert float(at["bandwidth"]) == pytest.approx(0.198, abs=1e-15)
