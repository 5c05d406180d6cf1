"""Cuts on events: smooth ones for training, hard ones for evaluation, and their significance."""

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real


@jax.jit
def sigmoid_cut(
    values: Real[ArrayLike, "*event"], cut: Real[ArrayLike, ""], slope: Real[ArrayLike, ""]
) -> Float[Array, "*event"]:
    """Return the weights of events under a smooth cut, 1 / (1 + exp[-slope (value - cut)]) (thesis 7.2.1).

    In the limit of large slopes this is `hard_cut`. A negative slope selects small values.

    Args:
        values: Variable that is cut on.
        cut: Value with weight one half.
        slope: Slope of the sigmoid, in inverse units of the values.

    Returns:
        Weights between 0 and 1.

    Example:
        >>> dh.sigmoid_cut(np.array([0.0, 1.0, 2.0]), cut=1.0, slope=2.0).round(3)
        Array([0.119, 0.5  , 0.881], dtype=float64)
    """
    return jax.nn.sigmoid(slope * (jnp.asarray(values, jnp.float64) - cut))  # overflows nowhere, unlike the formula


@jax.jit
def hard_cut(values: Real[ArrayLike, "*event"], cut: Real[ArrayLike, ""]) -> Float[Array, "*event"]:
    """Return the weights of events under a cut: 1 above the cut, else 0.

    Args:
        values: Variable that is cut on.
        cut: Value of the cut.

    Example:
        >>> dh.hard_cut(np.array([0.0, 1.0, 2.0]), cut=0.5)
        Array([0., 1., 1.], dtype=float64)
    """
    return (jnp.asarray(values) > cut).astype(jnp.float64)


@jax.jit
def asimov_significance(signal: Real[ArrayLike, "*bin"], background: Real[ArrayLike, "*bin"]) -> Float[Array, ""]:
    """Return the median discovery significance for a known background (thesis eq. 7.1, arXiv:1007.1727 eq. 97).

    Z_A = sqrt(2 sum over bins of (s + b) log(1 + s / b) - s).

    Args:
        signal: Expected signal events s, of one or of all bins.
        background: Expected background events b > 0.

    Example:
        >>> float(dh.asimov_significance(np.array([5.0, 10.0]), np.array([100.0, 50.0])))
        1.45757...
    """
    s, b = jnp.asarray(signal, jnp.float64), jnp.asarray(background, jnp.float64)
    return jnp.sqrt(2 * jnp.sum((s + b) * jnp.log1p(s / b) - s))
