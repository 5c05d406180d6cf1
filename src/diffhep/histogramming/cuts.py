"""Cuts on events: smooth ones to train with and hard ones to evaluate with."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real


@jax.jit
def sigmoid_cut(
    values: Real[ArrayLike, "*event"], cut: Real[ArrayLike, ""], slope: Real[ArrayLike, ""]
) -> Float[Array, "*event"]:
    """Weight of each event under a smooth cut that keeps large values: 1 / (1 + exp[-slope (value - cut)]).

    Thesis 7.2.1. As the slope grows it becomes `hard_cut`; a negative slope keeps small values.

    Args:
        values: variable that is cut on.
        cut: where the weight is one half, in units of the values.
        slope: how hard the cut is, in inverse units of the values.
    """
    return jax.nn.sigmoid(slope * (jnp.asarray(values, jnp.float64) - cut))  # overflows nowhere, unlike the formula


@jax.jit
def hard_cut(values: Real[ArrayLike, "*event"], cut: Real[ArrayLike, ""]) -> Float[Array, "*event"]:
    """Weight of each event under a cut that keeps values above `cut`: 1 or 0."""
    return (jnp.asarray(values) > cut).astype(jnp.float64)


@jax.jit
def asimov_significance(signal: Real[ArrayLike, "*bin"], background: Real[ArrayLike, "*bin"]) -> Float[Array, ""]:
    """Median significance of a discovery with a known background: thesis eq. 7.1, arXiv:1007.1727 eq. 97.

    Z_A = sqrt(2 sum over bins of (s + b) log(1 + s / b) - s).

    Args:
        signal: expected signal events s, of one or of all bins.
        background: expected background events b > 0.
    """
    s, b = jnp.asarray(signal, jnp.float64), jnp.asarray(background, jnp.float64)
    return jnp.sqrt(2 * jnp.sum((s + b) * jnp.log1p(s / b) - s))
