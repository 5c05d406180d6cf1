"""Gradient descent on parameters of different kinds, each with limits of its own (TOMATOS, "guardrail").

All share Adam and one learning rate; what a kind may move in one step is limited after Adam has scaled it, so that a
step is limited and not a gradient. One may have a least value. Kinds that are not trained stay, and one may follow a
plan instead.

Numbers that runs differ in are kept in the optimiser's state, not in the program: it is compiled once for all of them.
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


class GeometricSchedule(NamedTuple):
    """A plan from `start` to `end`, by the same factor in every step, between step `begin` and so many `steps` later.

    It is start (end / start)^s, with the share s of these steps that are done.
    """

    start: ArrayLike
    end: ArrayLike
    begin: ArrayLike = 0.0
    steps: ArrayLike = 0.0

    def __call__(self, count: ArrayLike) -> Float[Array, ""]:
        """Value after so many steps."""
        share = jnp.clip((count - self.begin) / jnp.maximum(self.steps, 1.0), 0.0, 1.0)
        return self.start * (self.end / self.start) ** share


def grouped_adam(
    rate: float | StepSchedule,
    trained: Mapping[str, float | None],
    plans: Mapping[str, GeometricSchedule] | None = None,
    least: Mapping[str, float] | None = None,
) -> optax.GradientTransformation:
    """Adam on a dictionary of parameters by kind.

    Args:
        rate: Learning rate, or a plan of it.
        trained: Largest step of each kind that is trained, in units of its parameters, None for any. Other kinds stay.
        plans: Value of a kind after so many steps, for those that follow a plan.
        least: Value of a kind that none of its parameters ever gets below; they must not start there.
    """
    floors = {kind: [clip_below(value)] for kind, value in (least or {}).items()}
    kinds = {
        **{
            kind: optax.chain(optax.adam(rate), *_limit(limit), *floors.get(kind, []))
            for kind, limit in trained.items()
        },
        **{kind: follow_schedule(plan) for kind, plan in (plans or {}).items()},
        "": optax.set_to_zero(),
    }

    def labels(parameters):
        return {kind: kind if kind in kinds else "" for kind in parameters}  # a prefix of the pytree

    return optax.multi_transform(kinds, labels)


def _limit(limit: float | None) -> list[optax.GradientTransformation]:
    return [] if limit is None else [optax.clip(limit)]


def follow_schedule(plan: GeometricSchedule) -> optax.GradientTransformation:
    """Steps that follow a plan, whatever the gradient; the parameter must start at plan(0)."""

    def update(updates, state, params=None):
        del params
        count, plan = state
        step = plan(count + 1) - plan(count)
        return jax.tree.map(lambda each: jnp.full_like(each, step), updates), (count + 1, plan)

    numbers = jax.tree.map(lambda number: jnp.asarray(number, float), plan)
    return optax.GradientTransformation(lambda params: (jnp.zeros((), int), numbers), update)


def one_cycle(peak: float, steps: int) -> StepSchedule:
    """Learning rate that rises from a fiftieth of its peak in 30 % of the steps, is back at 90 %, and stays there."""
    return optax.linear_onecycle_schedule(steps, peak, pct_start=0.3, pct_final=0.9, div_factor=50, final_div_factor=1)


def clip_below(least: float) -> optax.GradientTransformation:
    """Steps that end at `least` where they would end below it; there the gradient lives on, max(least, x) has none."""

    def update(updates, state, params):
        return jax.tree.map(lambda step, at: jnp.maximum(at + step, state) - at, updates, params), state

    return optax.GradientTransformation(lambda params: jnp.asarray(least, float), update)


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
