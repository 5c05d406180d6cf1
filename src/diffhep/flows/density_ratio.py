"""Observable s_flow: the output of an ideal classifier, computed from the densities of two ensembles (thesis 9.7)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LogDensities = Float[Array, "_ event"]
"""Log density of every event by every member of an ensemble, shape (member, event)."""


class SFlow(NamedTuple):
    """Value and uncertainty of s_flow of each event.

    Attributes:
        value: s_flow, between 0 (background) and 1 (signal).
        error: Uncertainty from the spread of both ensembles.
    """

    value: Float[Array, " event"]
    error: Float[Array, " event"]


@jax.jit
def log_mean_density(logs: LogDensities) -> Float[Array, " event"]:
    """Log of the density averaged over the members.

    A member whose log density is NaN counts as density 0: far from all data float32 overflows.

    Args:
        logs: Log densities.

    Returns:
        Log of the mean density of each event.
    """
    return jax.nn.logsumexp(jnp.where(jnp.isnan(logs), -jnp.inf, logs), axis=0) - jnp.log(len(logs))


@jax.jit
def log_density_ratio(signal: LogDensities, background: LogDensities) -> Float[Array, " event"]:
    """Logit of s_flow, log q_sig - log q_bkg.

    It orders events as s_flow does, and still distinguishes events whose s_flow rounds to 0 or 1.

    Args:
        signal: Log densities by the signal's ensemble.
        background: Log densities by the background's ensemble.

    Returns:
        Log ratio of each event; 0 where both densities are 0.
    """
    ratio = log_mean_density(signal) - log_mean_density(background)
    return jnp.where(jnp.isnan(ratio), 0.0, ratio)


@jax.jit
def s_flow(signal: LogDensities, background: LogDensities) -> SFlow:
    """Observable s_flow and its uncertainty (thesis eqs. 9.2 and 9.3).

    s = q_sig / (q_sig + q_bkg), with the mean densities q of both ensembles. Eq. 9.3 is written with relative
    uncertainties, so that densities may underflow: sigma_s = s (1 - s) sqrt[(sigma_sig / q_sig)² +
    (sigma_bkg / q_bkg)²], where sigma is the sample standard deviation over the members.

    Args:
        signal: Log densities by the signal's ensemble.
        background: Log densities by the background's ensemble.

    Returns:
        s_flow and its uncertainty.
    """
    value = jax.nn.sigmoid(log_density_ratio(signal, background))
    return SFlow(value, value * (1 - value) * jnp.hypot(_relative_spread(signal), _relative_spread(background)))


def _relative_spread(logs):
    """Sample standard deviation of the members' densities over their mean; 0 where the mean is 0."""
    mean = log_mean_density(logs)
    relative = jnp.nan_to_num(jnp.exp(logs - jnp.where(jnp.isfinite(mean), mean, 0.0)))
    return jnp.std(relative, axis=0, ddof=1)
