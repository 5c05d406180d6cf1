"""Gradient descent on parameters of different kinds, each with limits of its own (TOMATOS, "guardrail").

All share Adam and one learning rate; what a kind may move in one step is limited after Adam has scaled it, so that a
step is limited and not a gradient. Kinds that are not trained stay, and one may follow a plan instead.
"""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

SOFTNESS = 0.01
"""Distance from its floor at which a bandwidth starts to feel it."""

Plan = Callable[[Array], Array]


def optimiser(
    rate: float | Plan, trained: Mapping[str, float | None], plans: Mapping[str, Plan] | None = None
) -> optax.GradientTransformation:
    """Adam on a dictionary of parameters by kind.

    Args:
        rate: Learning rate, or a plan of it.
        trained: Largest step of each kind that is trained, in units of its parameters, None for any. Other kinds stay.
        plans: Value of a kind after so many steps, for those that follow a plan.
    """
    kinds = {
        **{kind: optax.chain(optax.adam(rate), *_limit(limit)) for kind, limit in trained.items()},
        **{kind: planned(plan) for kind, plan in (plans or {}).items()},
        "": optax.set_to_zero(),
    }

    def labels(parameters):
        return {kind: kind if kind in kinds else "" for kind in parameters}  # a prefix of the pytree

    return optax.multi_transform(kinds, labels)


def _limit(limit: float | None) -> list[optax.GradientTransformation]:
    return [] if limit is None else [optax.clip(limit)]


def planned(plan: Plan) -> optax.GradientTransformation:
    """Steps that follow a plan, whatever the gradient; the parameter must start at plan(0)."""

    def update(updates, count, params=None):
        del params
        step = plan(count + 1) - plan(count)
        return jax.tree.map(lambda each: jnp.full_like(each, step), updates), count + 1

    return optax.GradientTransformation(lambda params: jnp.zeros((), int), update)


def one_cycle(peak: float, steps: int) -> Plan:
    """Learning rate that rises from a fiftieth of its peak in 30 % of the steps, is back at 90 %, and stays there."""
    return optax.linear_onecycle_schedule(steps, peak, pct_start=0.3, pct_final=0.9, div_factor=50, final_div_factor=1)


def geometric(start: float, end: float, begin: float, steps: float) -> Plan:
    """From `start` to `end`, by the same factor in every step, between step `begin` and so many `steps` later."""

    def value(count):
        share = jnp.clip((count - begin) / max(steps, 1.0), 0.0, 1.0)
        return start * (end / start) ** share

    return value


def bandwidth(raw: Float[ArrayLike, ""], least: float) -> Float[Array, ""]:
    """A width above `least` from any number: close to the number itself where that is well above.

    least + s log(1 + exp((raw - least) / s)) with s = `SOFTNESS`: no step of the number moves the width further.
    """
    return least + SOFTNESS * jax.nn.softplus((jnp.asarray(raw) - least) / SOFTNESS)


def raw_bandwidth(width: float, least: float) -> float:
    """The number that `bandwidth` makes this width of.

    Raises:
        ValueError: The width is not above the least.
    """
    if not width > least:
        raise ValueError(f"the bandwidth starts at {width}: it must be above its least value, {least}")
    above = (width - least) / SOFTNESS
    return float(width + SOFTNESS * np.log1p(-np.exp(-above)))
