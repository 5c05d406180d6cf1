"""Optimisers: limits of steps, schedules, lower bounds, and the trajectory of Adam."""

from functools import partial

import jax
import jax.numpy as jnp
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
    """Gradients of many sizes, different in every step and for every parameter."""
    rng = np.random.default_rng(count)
    return jax.tree.map(lambda array: np.asarray(rng.normal(size=array.shape) * 10.0 ** rng.uniform(-6, 6)), PARAMETERS)


def trajectory(transformation, steps=20):
    """Parameters before and after every step."""

    @jax.jit
    def step(gradient, state, parameters):
        updates, state = transformation.update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state

    path, state = [PARAMETERS], jax.jit(transformation.init)(PARAMETERS)
    for count in range(steps):
        parameters, state = step(gradients(count), state, path[-1])
        path.append(jax.device_get(parameters))
    return path


@pytest.fixture(scope="module")
def limited():
    return trajectory(
        optimisers.grouped_adam(RATE, LIMITS, {"slope": optimisers.GeometricSchedule(20.0, 2000.0, 2.0, 10.0)})
    )


@pytest.fixture(scope="module")
def adam():
    return trajectory(optax.adam(RATE))


def steps(path, group):
    return np.diff(np.stack([parameters[group] for parameters in path]), axis=0)


@pytest.mark.parametrize("group", ["cuts", "bandwidth"])
def test_a_limit_acts_on_the_step_of_adam_and_not_on_the_gradient(limited, adam, group):
    expected = np.clip(steps(adam, group), -LIMITS[group], LIMITS[group])
    np.testing.assert_allclose(steps(limited, group), expected, atol=1e-15)
    assert np.isclose(np.abs(expected), LIMITS[group]).mean() > 0.1  # the limit binds


def test_a_group_without_a_limit_takes_the_steps_of_adam(limited, adam):
    for name in ("kernel", "bias"):
        ours, theirs = (np.stack([parameters["network"][name] for parameters in path]) for path in (limited, adam))
        np.testing.assert_allclose(ours, theirs, rtol=1e-12)
    assert np.abs(np.diff(ours, axis=0)).max() > max(LIMITS["cuts"], LIMITS["bandwidth"])


def test_a_group_that_is_not_trained_stays_exactly_fixed(limited):
    for parameters in limited:
        np.testing.assert_array_equal(parameters["bins"], PARAMETERS["bins"])


def test_a_group_with_a_schedule_follows_it_and_ignores_the_gradient(limited):
    expected = 20.0 * 100.0 ** np.clip((np.arange(21) - 2) / 10, 0, 1)
    np.testing.assert_allclose([parameters["slope"] for parameters in limited], expected, rtol=1e-12)


def test_the_learning_rate_may_follow_a_schedule():
    """The first step of Adam is the learning rate, whatever the gradient."""
    schedule = optimisers.one_cycle(RATE, 100)
    path = trajectory(optimisers.grouped_adam(schedule, {"cuts": None}), steps=1)
    np.testing.assert_allclose(np.abs(steps(path, "cuts")), float(jax.jit(schedule)(0)), rtol=1e-3)


cycle = jax.jit(optimisers.one_cycle(0.005, 1000))


@pytest.mark.parametrize(
    ("share", "expected"),
    [(0.0, 1 / 50), (0.15, 0.51), (0.3, 1.0), (0.6, 0.51), (0.9, 1 / 50), (0.95, 1 / 50), (1.0, 1 / 50)],
)
def test_one_cycle_rises_until_30_percent_and_is_back_at_90_percent(share, expected):
    assert float(cycle(round(1000 * share))) == pytest.approx(0.005 * expected, rel=1e-5)


def test_a_geometric_schedule_changes_by_one_factor_in_every_step():
    schedule = optimisers.GeometricSchedule(20.0, 20_000.0, 400.0, 600.0)
    values = np.array([float(schedule(count)) for count in (0, 400, 401, 402, 700, 999, 1000, 1200)])
    factor = 1000 ** (1 / 600)
    expected = [20, 20, 20 * factor, 20 * factor**2, 20 * np.sqrt(1000), 20_000 / factor, 20_000, 20_000]
    np.testing.assert_allclose(values, expected, rtol=1e-9)


def test_a_geometric_schedule_without_steps_is_a_jump():
    schedule = optimisers.GeometricSchedule(20.0, 2000.0, 5.0, 0.0)
    np.testing.assert_allclose([schedule(5), schedule(6)], [20.0, 2000.0])


def test_a_step_that_would_end_below_the_lower_bound_ends_on_it_and_others_are_unchanged():
    free = trajectory(optimisers.grouped_adam(RATE, {"bandwidth": None}))
    bounded = trajectory(optimisers.grouped_adam(RATE, {"bandwidth": None}, lower_bounds={"bandwidth": 0.19}))
    expected = [0.2]
    for step in steps(free, "bandwidth"):
        expected.append(max(expected[-1] + step, 0.19))
    widths = np.array([parameters["bandwidth"] for parameters in bounded])
    np.testing.assert_allclose(widths, expected, atol=1e-15)
    assert np.isclose(widths, 0.19, atol=1e-15).any() and widths[-1] > 0.2  # it leaves the bound again


def test_the_lower_bound_holds_together_with_a_limit_of_the_step():
    path = trajectory(optimisers.grouped_adam(1.0, {"bandwidth": 0.15}, lower_bounds={"bandwidth": 0.1}), steps=6)
    widths = np.array([parameters["bandwidth"] for parameters in path])
    assert widths.min() == pytest.approx(0.1, abs=1e-15) and np.abs(np.diff(widths)).max() <= 0.15 + 1e-12


def test_runs_with_other_schedules_and_lower_bounds_share_a_program():
    """These are part of the state; the learning rate and the largest steps are not."""

    @jax.jit
    def program(state):
        optimiser = optimisers.grouped_adam(
            RATE, LIMITS, {"slope": optimisers.GeometricSchedule(1.0, 1.0)}, {"bandwidth": 0.1}
        )
        return optimiser.update(gradients(0), state, PARAMETERS)[0]

    for schedule, bound in (
        (optimisers.GeometricSchedule(20.0, 20.0), 0.1),
        (optimisers.GeometricSchedule(20.0, 2000.0, 0.0, 4.0), 0.199),
    ):
        optimiser = optimisers.grouped_adam(RATE, LIMITS, {"slope": schedule}, {"bandwidth": bound})
        state = jax.jit(optimiser.init)(PARAMETERS)
        updates, _ = jax.jit(optimiser.update)(gradients(0), state, PARAMETERS)
        jax.tree.map(partial(np.testing.assert_allclose, rtol=1e-12), program(state), updates)
    assert program._cache_size() == 1


def bowl(x):
    return jnp.sum((x - jnp.array([1.0, -2.0])) ** 2)


def test_the_trajectory_begins_at_the_start_and_ends_at_the_minimum():
    path = optimisers.adam_trajectory(bowl, jnp.array([3.0, 3.0]), learning_rate=0.05, steps=1000)
    assert path.shape == (1001, 2)
    np.testing.assert_array_equal(path[0], [3.0, 3.0])
    np.testing.assert_allclose(path[-1], [1.0, -2.0], atol=1e-3)


def test_the_first_step_of_adam_is_the_learning_rate():
    path = optimisers.adam_trajectory(bowl, jnp.array([3.0, 3.0]), learning_rate=0.05, steps=1)
    np.testing.assert_allclose(path[1], [2.95, 2.95], rtol=1e-5)


def test_the_steps_are_those_of_optax():
    path = optimisers.adam_trajectory(bowl, jnp.array([3.0, 3.0]), learning_rate=0.05, steps=5)
    optimiser, point = optax.adam(0.05), jnp.array([3.0, 3.0])
    opt_state = optimiser.init(point)
    for _ in range(5):
        updates, opt_state = optimiser.update(2 * (point - jnp.array([1.0, -2.0])), opt_state)
        point = optax.apply_updates(point, updates)
    np.testing.assert_allclose(path[-1], point, rtol=1e-6)


def test_a_gradient_step_passes_further_arguments_and_returns_the_loss_before_it():
    def loss(x, target):
        return jnp.sum((x - target) ** 2)

    optimiser, start = optax.sgd(0.25), jnp.array([3.0, 1.0])
    after, _, value = optimisers.gradient_step(loss, optimiser, start, optimiser.init(start), jnp.array([1.0, 1.0]))
    np.testing.assert_allclose(after, [2.0, 1.0])  # start - 0.25 x 2 (start - target)
    assert float(value) == 4.0
