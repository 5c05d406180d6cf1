"""Mixtures of normal distributions in one dimension."""

from collections.abc import Mapping, Sequence
from functools import partial

import jax
import jax.numpy as jnp
from jax.scipy.stats import norm
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key


@jax.jit
def mixture_density(
    x: Float[Array, " x"], weights: Sequence[ArrayLike], means: Sequence[ArrayLike], widths: Sequence[ArrayLike]
) -> Float[Array, " x"]:
    """Density of a mixture of normal distributions.

    Args:
        x: Points at which the density is evaluated.
        weights: Weight of each component; their sum is one.
        means: Mean of each component.
        widths: Standard deviation of each component.
    """
    return norm.pdf(x[:, None], jnp.asarray(means), jnp.asarray(widths)) @ jnp.asarray(weights)


@partial(jax.jit, static_argnums=2)
def draw_mixture(
    key: Key[Array, ""], mixture: Mapping[str, Sequence[ArrayLike]], events: int
) -> Float[Array, " event"]:
    """Draw events of a mixture of normal distributions.

    Args:
        key: Source of randomness.
        mixture: `weights`, `means` and `widths` of the components.
        events: Number of events.
    """
    which, where = jax.random.split(key)
    component = jax.random.choice(which, len(mixture["means"]), (events,), p=jnp.asarray(mixture["weights"]))
    means, widths = jnp.asarray(mixture["means"]), jnp.asarray(mixture["widths"])
    return means[component] + widths[component] * jax.random.normal(where, (events,))
