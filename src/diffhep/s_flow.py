"""The observable s_flow: what an ideal classifier would say, from the densities of two ensembles (thesis 9.7)."""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

Logs = Float[Array, "member event"]
"""Logarithms of the densities of events, as each member of an ensemble has them."""


class Observable(NamedTuple):
    """Of each event.

    Attributes:
        value: s_flow, between 0 (background) and 1 (signal).
        error: its uncertainty, from the spread of both ensembles.
    """

    value: Float[Array, " event"]
    error: Float[Array, " event"]


def mean_log(logs: Logs) -> Float[Array, " event"]:
    """Logarithm of the mean density."""
    return jax.nn.logsumexp(logs, axis=0) - jnp.log(len(logs))


def log_ratio(signal: Logs, background: Logs) -> Float[Array, " event"]:
    """Logit of s_flow, log q_sig - log q_bkg: the same order of events, told apart where s_flow rounds to 0 or 1."""
    return mean_log(signal) - mean_log(background)


def s_flow(signal: Logs, background: Logs) -> Observable:
    """Observable and uncertainty (thesis eqs. 9.2 and 9.3).

    s = q_sig / (q_sig + q_bkg), with the mean densities q of both ensembles. Eq. 9.3 is written with relative
    uncertainties, so that densities that underflow do no harm: sigma_s = s (1 - s) sqrt[(sigma_sig / q_sig)² +
    (sigma_bkg / q_bkg)²], where sigma is the sample standard deviation over the members.
    """
    value = jax.nn.sigmoid(log_ratio(signal, background))
    relative = [jnp.std(jnp.exp(logs - mean_log(logs)), axis=0, ddof=1) for logs in (signal, background)]
    return Observable(value, value * (1 - value) * jnp.hypot(*relative))
