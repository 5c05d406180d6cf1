"""Steps are limited by kind, whatever the gradient; plans are followed; least values are kept."""

from functools import partial

import jax
import numpy as np
import optax
import pytest

from diffhep.learning import optimisers

RATE = 0.02
LIMITS = {"network": None, "cuts": 0.001, "bandwidth": 0.01}
PARAMETERS = {
    "network": {"kernel": np.array([[0.3, -0.2]]), "bias": np.array([0.1])},
    "cuts": np.array([0.1, 0.7]),
    "bandwidth": np.array(0.2),
    "bins": np.array([0.1, 0.3, 0.2]),
    "slope": np.array(20.0),
}


def gradients(count):
    """Of many sizes, different in every step and for every parameter."""
    rng = np.random.default_rng(count)
    return jax.tree.map(lambda each: np.asarray(rng.normal(size=each.shape) * 10.0 ** rng.uniform(-6, 6)), PARAMETERS)


def path(transformation, steps=20):
    """Parameters before and after every step."""

    @jax.jit
    def step(gradient, state, at):
        updates, state = transformation.update(gradient, state, at)
        return optax.apply_updates(at, updates), state

    found, state = [PARAMETERS], jax.jit(transformation.init)(PARAMETERS)
    for count in range(steps):
        at, state = step(gradients(count), state, found[-1])
        found.append(jax.device_get(at))
    return found


@pytest.fixture(scope="module")
def limited():
    return path(optimisers.grouped_adam(RATE, LIMITS, {"slope": optimisers.GeometricSchedule(20.0, 2000.0, 2.0, 10.0)}))


@pytest.fixture(scope="module")
def adam():
    return path(optax.adam(RATE))


def steps(found, kind):
    return np.diff(np.stack([each[kind] for each in found]), axis=0)


@pytest.mark.parametrize("kind", ["cuts", "bandwidth"])
def test_a_limit_is_on_the_step_after_adam_and_not_on_the_gradient(limited, adam, kind):
    expected = np.clip(steps(adam, kind), -LIMITS[kind], LIMITS[kind])
    np.testing.assert_allclose(steps(limited, kind), expected, atol=1e-15)
    assert np.isclose(np.abs(expected), LIMITS[kind]).mean() > 0.1  # the limit binds


def test_a_kind_without_a_limit_is_moved_as_adam_moves_it(limited, adam):
    for name in ("kernel", "bias"):
        ours, theirs = (np.stack([each["network"][name] for each in found]) for found in (limited, adam))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert np.abs(np.diff(ours, axis=0)).max() > max(LIMITS["cuts"], LIMITS["bandwidth"])


def test_a_kind_that_is_not_trained_stays_to_the_last_bit(limited):
    for each in limited:
        np.testing.assert_array_equal(each["bins"], PARAMETERS["bins"])


def test_a_planned_kind_follows_its_plan_whatever_the_gradient(limited):
    expected = 20.0 * 100.0 ** np.clip((np.arange(21) - 2) / 10, 0, 1)
    np.testing.assert_allclose([each["slope"] for each in limited], expected, rtol=1e-12)


def test_a_learning_rate_may_follow_a_plan():
    """Adam's first step is as long as the rate, whatever the gradient."""
    plan = optimisers.one_cycle(RATE, 100)
    found = path(optimisers.grouped_adam(plan, {"cuts": None}), steps=1)
    np.testing.assert_allclose(np.abs(steps(found, "cuts")), float(jax.jit(plan)(0)), rtol=1e-3)


cycle = jax.jit(optimisers.one_cycle(0.005, 1000))


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1 / 50), (0.15, 0.51), (0.3, 1.0), (0.6, 0.51), (0.9, 1 / 50), (0.95, 1 / 50), (1.0, 1 / 50)],
)
def test_one_cycle_rises_until_30_percent_is_back_at_90_and_stays(share, expected):
    assert float(cycle(round(1000 * share))) == pytest.approx(0.005 * expected, rel=1e-5)


def test_a_geometric_plan_changes_by_the_same_factor_in_every_step_between_its_ends():
    plan = optimisers.GeometricSchedule(20.0, 20_000.0, 400.0, 600.0)
    values = np.array([float(plan(count)) for count in (0, 400, 401, 402, 700, 999, 1000, 1200)])
    factor = 1000 ** (1 / 600)
    expected = [20, 20, 20 * factor, 20 * factor**2, 20 * np.sqrt(1000), 20_000 / factor, 20_000, 20_000]
    np.testing.assert_allclose(values, expected, rtol=1e-9)


def test_a_geometric_plan_without_steps_is_a_jump():
    plan = optimisers.GeometricSchedule(20.0, 2000.0, 5.0, 0.0)
    np.testing.assert_allclose([plan(5), plan(6)], [20.0, 2000.0])


def test_a_step_that_would_end_below_the_least_value_ends_on_it_and_others_are_as_they_were(adam):
    free = path(optimisers.grouped_adam(RATE, {"bandwidth": None}))
    floored = path(optimisers.grouped_adam(RATE, {"bandwidth": None}, least={"bandwidth": 0.19}))
    expected = [0.2]
    for step in steps(free, "bandwidth"):
        expected.append(max(expected[-1] + step, 0.19))
    found = np.array([each["bandwidth"] for each in floored])
    np.testing.assert_allclose(found, expected, atol=1e-15)
    assert np.isclose(found, 0.19, atol=1e-15).any() and found[-1] > 0.2  # and leaves it again


def test_a_least_value_is_kept_after_the_limit_of_a_step():
    found = path(optimisers.grouped_adam(1.0, {"bandwidth": 0.15}, least={"bandwidth": 0.1}), steps=6)
    widths = np.array([each["bandwidth"] for each in found])
    assert widths.min() == pytest.approx(0.1, abs=1e-15) and np.abs(np.diff(widths)).max() <= 0.15 + 1e-12


def test_runs_that_differ_in_numbers_share_a_program():
    """Plans and least values are in the state; the learning rate and largest steps are not."""

    @jax.jit
    def program(state):
        rails = optimisers.grouped_adam(
            RATE, LIMITS, {"slope": optimisers.GeometricSchedule(1.0, 1.0)}, {"bandwidth": 0.1}
        )
        return rails.update(gradients(0), state, PARAMETERS)[0]

    for plan, least in (
        (optimisers.GeometricSchedule(20.0, 20.0), 0.1),
        (optimisers.GeometricSchedule(20.0, 2000.0, 0.0, 4.0), 0.199),
    ):
        rails = optimisers.grouped_adam(RATE, LIMITS, {"slope": plan}, {"bandwidth": least})
        state = jax.jit(rails.init)(PARAMETERS)
        updates, _ = jax.jit(rails.update)(gradients(0), state, PARAMETERS)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-12), program(state), updates)
    assert program._cache_size() == 1
