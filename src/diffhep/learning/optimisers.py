"""Optimisers: Adam with limits for groups of parameters, schedules, and single steps.

`grouped_adam` follows the guardrails of TOMATOS: all groups share Adam and one learning rate, and the step of a group
is limited after Adam has scaled it, so that the limit acts on the step and not on the gradient. Schedules and lower
bounds, which differ between runs, are part of the optimiser's state, so that runs share one compiled program.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float, PyTree

StepSchedule = Callable[[Array], Array]
"""Function of the number of steps, such as a learning rate."""


class GeometricSchedule(NamedTuple):
    """Geometric interpolation start (end / start)^s, where s goes from 0 to 1 in `steps` steps from step `begin`.

    Attributes:
        start: Value until step `begin`.
        end: Value from step `begin + steps`.
        begin: Step at which the value begins to change.
        steps: Number of steps of the change; 0 is a jump after step `begin`.
    """

    start: ArrayLike
    end: ArrayLike
    begin: ArrayLike = 0.0
    steps: ArrayLike = 0.0

    def __call__(self, count: ArrayLike) -> Float[Array, ""]:
        """Return the value at a step."""
        share = jnp.clip((count - self.begin) / jnp.maximum(self.steps, 1.0), 0.0, 1.0)
        return self.start * (self.end / self.start) ** share


def grouped_adam(
    learning_rate: float | StepSchedule,
    max_steps: Mapping[str, float | None],
    schedules: Mapping[str, GeometricSchedule] | None = None,
    lower_bounds: Mapping[str, float] | None = None,
) -> optax.GradientTransformation:
    """Return Adam for a dictionary of parameter groups.

    Args:
        learning_rate: Learning rate of all groups, a number or a schedule.
        max_steps: Largest step of each group that is trained, in units of its parameters; None for no limit. Groups
            that are not named stay fixed.
        schedules: Values of groups that follow a schedule instead of a gradient.
        lower_bounds: Least values of groups; parameters must not start below them.
    """
    bounds = {group: [clip_below(bound)] for group, bound in (lower_bounds or {}).items()}
    transforms = {
        **{
            group: optax.chain(optax.adam(learning_rate), *_limit(limit), *bounds.get(group, []))
            for group, limit in max_steps.items()
        },
        **{group: follow_schedule(schedule) for group, schedule in (schedules or {}).items()},
        "": optax.set_to_zero(),
    }

    def labels(parameters):
        return {group: group if group in transforms else "" for group in parameters}  # a prefix of the pytree

    return optax.multi_transform(transforms, labels)


def _limit(limit: float | None) -> list[optax.GradientTransformation]:
    return [] if limit is None else [optax.clip(limit)]


def follow_schedule(schedule: GeometricSchedule) -> optax.GradientTransformation:
    """Return a transformation whose steps follow a schedule and ignore the gradient.

    Args:
        schedule: Values of the parameters, which must start at `schedule(0)`.
    """

    def update(updates, state, params=None):
        del params
        count, schedule = state
        step = schedule(count + 1) - schedule(count)
        return jax.tree.map(lambda update: jnp.full_like(update, step), updates), (count + 1, schedule)

    numbers = jax.tree.map(lambda number: jnp.asarray(number, float), schedule)
    return optax.GradientTransformation(lambda params: (jnp.zeros((), int), numbers), update)


def one_cycle(peak: float, steps: int) -> StepSchedule:
    """Return a learning rate that rises from peak / 50 to its peak in 30 % of the steps and is back at 90 %.

    Args:
        peak: Largest learning rate.
        steps: Number of steps.
    """
    return optax.linear_onecycle_schedule(steps, peak, pct_start=0.3, pct_final=0.9, div_factor=50, final_div_factor=1)


def clip_below(bound: float) -> optax.GradientTransformation:
    """Return a transformation that shortens steps which would end below a bound.

    The gradient does not vanish at the bound, unlike that of a loss of max(bound, x).

    Args:
        bound: Least value of the parameters.
    """

    def update(updates, state, params):
        return jax.tree.map(lambda step, value: jnp.maximum(value + step, state) - value, updates, params), state

    return optax.GradientTransformation(lambda params: jnp.asarray(bound, float), update)


def gradient_step(
    loss: Callable[..., Float[Array, ""]],
    optimiser: optax.GradientTransformation,
    parameters: PyTree,
    opt_state: PyTree,
    *args: Any,
) -> tuple[PyTree, PyTree, Float[Array, ""]]:
    """Take one step of an optimiser.

    Args:
        loss: Scalar to minimise, a function of the parameters and `args`.
        optimiser: Optimiser.
        parameters: Parameters before the step.
        opt_state: State of the optimiser before the step.
        *args: Further arguments of the loss.

    Returns:
        Parameters and state after the step, and the loss before it.
    """
    value, gradient = jax.value_and_grad(loss)(parameters, *args)
    updates, opt_state = optimiser.update(gradient, opt_state, parameters)
    return optax.apply_updates(parameters, updates), opt_state, value


@partial(jax.jit, static_argnames=("loss", "learning_rate", "steps"))
def adam_trajectory(
    loss: Callable[[Array], Array], start: Float[Array, "*par"], *, learning_rate: float, steps: int
) -> Float[Array, "step *par"]:
    """Minimise a function with Adam and return the parameters before every step and after the last.

    Args:
        loss: Scalar to minimise, a function of the parameters.
        start: First parameters.
        learning_rate: Learning rate of Adam.
        steps: Number of steps; the result has one entry more.
    """
    optimiser = optax.adam(learning_rate)

    def step(state, _):
        parameters, opt_state = state
        *state, _ = gradient_step(loss, optimiser, parameters, opt_state)
        return tuple(state), parameters

    start = jnp.asarray(start)
    (last, _), trajectory = jax.lax.scan(step, (start, optimiser.init(start)), length=steps)
    return jnp.concatenate([trajectory, last[None]])
