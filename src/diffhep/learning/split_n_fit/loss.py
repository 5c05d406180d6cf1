"""The loss of Split-N-Fit: events are split by a score, both parts are fitted, and the fits are compared.

Harris and Novak, equations 1 to 6. It needs no labels, only shapes that describe signal and background in one variable
that the network does not see.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from diffhep.inference.spectra.fits import chi_square
from diffhep.inference.spectra.shapes import Shape


class Split(NamedTuple):
    """Histograms of the events that pass and of those that fail (eq. 1).

    Attributes:
        passed: sums of weight x score in each bin.
        failed: sums of weight x (1 - score).
        mean_failed: weighted mean of 1 - score.
    """

    passed: Float[Array, " bin"]
    failed: Float[Array, " bin"]
    mean_failed: Float[Array, ""]


class Shapes(NamedTuple):
    """Shapes that are fitted.

    Attributes:
        background: alone, and with the signal.
        signal: of one amplitude.
        bins: number of bins.
    """

    background: Shape
    signal: Shape
    bins: int


@partial(jax.jit, static_argnums=3)
def split(
    scores: Float[Array, " event"], place: Int[Array, " event"], weights: Float[Array, " event"], bins: int
) -> Split:
    """Events in bins of the mass, in doubles; exact and differentiable, for bins do not depend on the network.

    Args:
        scores: Between 0 (fail) and 1 (pass).
        place: Bin of each event.
        weights: Of the events.
        bins: How many there are.
    """
    scores, weights = (jnp.asarray(each, jnp.float64) for each in (scores, weights))
    passed, failed = (jax.ops.segment_sum(weights * each, place, num_segments=bins) for each in (scores, 1 - scores))
    return Split(passed, failed, jnp.sum(weights * (1 - scores)) / jnp.sum(weights))


def loss(settings: Mapping[str, Any], shapes: Shapes, found: Split) -> Float[Array, ""]:
    """L_P + L_F of eqs. 5 and 6.

    L_P = chi²_SB - chi²_B + lambda_chi penalty, L_F = (chi²_B - chi²_SB + lambda_chi penalty + delta) / <1 - score>,
    where penalty = R(chi²_SB - kappa_SB) + R(chi²_B - kappa_B), R(x) = x / (1 + exp -x), and kappa is the number of
    bins less that of fitted parameters (ours; the paper does not tell it).

    Args:
        settings: `lambda_chi` and `delta`.
        shapes: What is fitted to both histograms.
        found: Both histograms.
    """
    passed, failed = (_fit_terms(settings, shapes, counts) for counts in (found.passed, found.failed))
    gain_passed, penalty_passed = passed
    gain_failed, penalty_failed = failed
    pass_loss = penalty_passed - gain_passed
    return pass_loss + (gain_failed + penalty_failed + settings["delta"]) / found.mean_failed


def _fit_terms(settings, shapes: Shapes, counts: Float[Array, " bin"]) -> tuple[Array, Array]:
    """chi²_B - chi²_SB, and the penalty of fits that are poor."""
    alone, both = (chi_square(each, counts) for each in ([shapes.background], [shapes.background, shapes.signal]))
    ndf = [shapes.bins - len(fit.amplitudes) - len(fit.parameters) for fit in (alone, both)]
    poor = jax.nn.silu(alone.value - ndf[0]) + jax.nn.silu(both.value - ndf[1])
    return alone.value - both.value, settings["lambda_chi"] * poor


@jax.jit
def score_spread(scores: Float[Array, " event"], observables: Float[Array, "event observable"]) -> Float[Array, ""]:
    """The term of lambda_v in eq. 4: mean over observables of the variance of score x observable over events.

    The paper writes sigma²(w_i x_m) and sets lambda_v to 0; this is how we read it.
    """
    return jnp.mean(jnp.var(scores[:, None] * observables, axis=0))
