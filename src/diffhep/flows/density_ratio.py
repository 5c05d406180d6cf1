"""The observable s_flow: what an ideal classifier would say, from the densities of two ensembles (thesis 9.7)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

LogDensities = Float[Array, "_ event"]
"""Logarithms of the densities of events, as each member of an ensemble has them, shape (member, event)."""


class SFlow(NamedTuple):
    """Of each event.

    Attributes:
        value: s_flow, between 0 (background) and 1 (signal).
        error: its uncertainty, from the spread of both ensembles.
    """

    value: Float[Array, " event"]
    error: Float[Array, " event"]


@jax.jit
def log_mean_density(logs: LogDensities) -> Float[Array, " event"]:
    """Logarithm of the mean density. So far away from all data that float32 overflows there is none."""
    return jax.nn.logsumexp(jnp.where(jnp.isnan(logs), -jnp.inf, logs), axis=0) - jnp.log(len(logs))


@jax.jit
def log_density_ratio(signal: LogDensities, background: LogDensities) -> Float[Array, " event"]:
    """Logit of s_flow, log q_sig - log q_bkg: the same order of events, told apart where s_flow rounds to 0 or 1.

    0 where neither ensemble has any density.
    """
    ratio = log_mean_density(signal) - log_mean_density(background)
    return jnp.where(jnp.isnan(ratio), 0.0, ratio)


@jax.jit
def s_flow(signal: LogDensities, background: LogDensities) -> SFlow:
    """Observable and uncertainty (thesis eqs. 9.2 and 9.3).

    s = q_sig / (q_sig + q_bkg), with the mean densities q of both ensembles. Eq. 9.3 is written with relative
    uncertainties, so that densities that underflow do no harm: sigma_s = s (1 - s) sqrt[(sigma_sig / q_sig)² +
    (sigma_bkg / q_bkg)²], where sigma is the sample standard deviation over the members.
    """
    value = jax.nn.sigmoid(log_density_ratio(signal, background))
    return SFlow(value, value * (1 - value) * jnp.hypot(_relative_spread(signal), _relative_spread(background)))


def _relative_spread(logs):
    """Sample standard deviation of the members' densities over their mean, 0 where that is 0."""
    mean = log_mean_density(logs)
    relative = jnp.nan_to_num(jnp.exp(logs - jnp.where(jnp.isfinite(mean), mean, 0.0)))
    return jnp.std(relative, axis=0, ddof=1)
