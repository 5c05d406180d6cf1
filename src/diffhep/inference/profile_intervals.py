"""Confidence intervals of the parameter of interest from the profile likelihood, for many data sets at once.

An end of an interval is where -2 log of the profile likelihood ratio reaches the quantile of chi² with one degree of
freedom (Wilks; arXiv:1007.1727 section 3.3). Its square root is almost a straight line in the parameter, so that a few
of Newton's steps find it; a bracket guards them where it is none.
"""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax.scipy.special import ndtri
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Int, Real

from diffhep.inference.mle import FitResult, conditional_fit
from diffhep.inference.newton import batching
from diffhep.inference.test_statistics import minus_two_log_ratio, safe_sqrt, with_poi_value
from diffhep.models.likelihood import Data, Model, negative_log_likelihood

CONFIDENCE_LEVEL = 0.6827
"""Confidence level: of one standard deviation to each side."""

BATCH_SIZE = 64
"""Data sets side by side, each with both ends of its interval."""

MAX_STEPS = 50
"""Most conditional fits for an end: three or four suffice as a rule, the rest is for bisection."""

TOLERANCE = 1e-4
"""Distance to the wanted sqrt(q) at which one more of Newton's steps, that needs no fit, is the last."""

MAX_GROWTH = 10.0
"""By which factor the distance to the best fit grows at most from step to step."""


@jax.jit
def profile_intervals(
    model: Model, data: Data, fitted: FitResult, level: Real[ArrayLike, ""] = CONFIDENCE_LEVEL
) -> Float[Array, "toy side"]:
    """Strengths to both sides of the best fit where q(mu) = -2 log [L(mu) / L(best)] is the quantile of `level`.

    L(mu) is maximised over all other parameters. The quantile is that of chi² with one degree of freedom, 0.9999 at
    68.27 %. Values outside the model's bounds on the parameter of interest are no part of an interval: it ends there.

    Args:
        model: the statistical model.
        data: data sets, arrays (toy, bin) and (toy, aux).
        fitted: their best fits, `batched_mle.fit_all(model, data)`.
        level: confidence level, between 0 and 1.

    Returns:
        Lower and upper end, shape (toy, 2): infinite where q never reaches the quantile, NaN where a fit did not
        converge.
    """
    wanted = ndtri((1 + jnp.asarray(level, float)) / 2)
    return batching.map_in_batches(lambda toy: _interval(model, *toy, wanted), (data, fitted), BATCH_SIZE)


def _interval(model, data, fitted, wanted):
    best, poi = fitted.parameters, model.parameters.poi
    sides, ends = jnp.array([-1.0, 1.0]), jnp.asarray(model.parameters.bounds[poi])
    of_side = partial(_distance, model, data, best, wanted)
    distances = jax.lax.map(lambda each: of_side(*each), (sides, jnp.abs(ends - best[poi])))
    return jnp.where(fitted.converged, best[poi] + sides * distances, jnp.nan)


class _Search(NamedTuple):
    """What is known of the distance between best fit and end.

    Attributes:
        step: how many conditional fits were made.
        distance: best guess.
        low: largest distance with too small a q.
        high: smallest distance with too large a q, infinite as long as there is none.
        done: whether no more fits are needed.
        start: where the next fit starts, which is where the last one ended.
        converged: whether the last fit did.
    """

    step: Int[Array, ""]
    distance: Float[Array, ""]
    low: Float[Array, ""]
    high: Float[Array, ""]
    done: Bool[Array, ""]
    start: Float[Array, " par"]
    converged: Bool[Array, ""]


def _distance(model, data, best, wanted, side, reach):
    """How far on one side sqrt(q) is `wanted`; at most `reach`, the distance to the bound."""

    def improve(search):
        miss, slope, held = _miss(model, data, best, wanted, side, search)
        return _improved(search, miss, slope, reach)._replace(start=held.parameters, converged=held.converged)

    guess, yes = jnp.minimum(_first_guess(model, data, best, wanted), reach), jnp.array(True)
    begin = _Search(jnp.array(0), guess, jnp.zeros_like(guess), jnp.full_like(guess, jnp.inf), ~yes, best, yes)
    end = batching.while_loop(lambda search: (search.step < MAX_STEPS) & ~search.done, improve, begin, data.main)
    distance = jnp.where(end.done | jnp.isfinite(end.high), end.distance, jnp.inf)
    return jnp.where(end.converged, distance, jnp.nan)


def _miss(model, data, best, wanted, side, search):
    """By how much sqrt(q) at the guess exceeds what is wanted, its slope, and the fit there."""
    mu_hat = best[model.parameters.poi]
    held = conditional_fit(model, data, mu_hat + side * search.distance, search.start)

    def miss(distance):  # what is fitted counts as constant: the likelihood is stationary in it
        pars = with_poi_value(model, held.parameters, mu_hat + side * distance)
        return safe_sqrt(minus_two_log_ratio(model, data, pars, best)) - wanted

    return *jax.value_and_grad(miss)(search.distance), held


def _improved(search, miss, slope, reach):
    """The search with its next guess: Newton's, or one that widens or halves the bracket."""
    x, low, high = search.distance, search.low, search.high
    low, high = jnp.where(miss < 0, x, low), jnp.where(miss < 0, high, x)
    newton, farthest = x - miss / slope, MAX_GROWTH * x
    safe = jnp.where(jnp.isinf(high), farthest, (low + high) / 2)
    after = jnp.where((newton > low) & (newton < jnp.minimum(high, farthest)), newton, safe)
    done = (jnp.abs(miss) < TOLERANCE) | ((miss < 0) & (x >= reach))
    return search._replace(step=search.step + 1, distance=jnp.minimum(after, reach), low=low, high=high, done=done)


def _first_guess(model, data, best, wanted):
    """The distance if all other parameters were known: not too far, and the derivative there tells the rest."""

    def nll(mu):
        return negative_log_likelihood(model, with_poi_value(model, best, mu), data)

    curvature = jax.grad(jax.grad(nll))(best[model.parameters.poi])
    usable = jnp.isfinite(curvature) & (curvature > 0)
    return jnp.where(usable, wanted / jnp.sqrt(jnp.where(usable, curvature, 1.0)), 1.0)
