"""Confidence intervals of the parameter of interest from the profile likelihood, for many data sets.

At an end of an interval, -2 log of the profile likelihood ratio equals the quantile of chi² with one degree of freedom
(Wilks; arXiv:1007.1727 section 3.3). Its square root is almost linear in the parameter, so that a few Newton steps
reach the end; a bracket guards them where it is not.
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
from diffhep.inference.root_finding import Bracket, bracketed_newton_step
from diffhep.inference.test_statistics import minus_two_log_ratio, safe_sqrt, with_poi_value
from diffhep.models.likelihood import Data, Model, negative_log_likelihood

CONFIDENCE_LEVEL = 0.6827
"""Probability of a normal distribution within one standard deviation."""

BATCH_SIZE = 64
"""Data sets processed together, each with both ends of its interval."""

MAX_STEPS = 50
"""Maximum number of conditional fits for an end: usually three or four suffice, bisection needs more."""

TOLERANCE = 1e-4
"""Difference between sqrt(q) and its target below which a last Newton step, which needs no fit, ends the search."""

MAX_GROWTH = 10.0
"""Largest factor by which the distance to the best fit grows from step to step."""


@jax.jit
def profile_intervals(
    model: Model, data: Data, fitted: FitResult, level: Real[ArrayLike, ""] = CONFIDENCE_LEVEL
) -> Float[Array, "toy side"]:
    """Compute confidence intervals of the parameter of interest.

    An interval ends where q(mu) = -2 log [L(mu) / L(best)], with L(mu) maximised over all other parameters, equals the
    quantile of chi² with one degree of freedom at `level`, 0.9999 at 68.27 %. It ends at the model's bounds on the
    parameter of interest if these come first.

    Args:
        model: Statistical model.
        data: Data sets, arrays (toy, bin) and (toy, aux).
        fitted: Their best fits, `batched_mle.fit_all(model, data)`.
        level: Confidence level between 0 and 1.

    Returns:
        Lower and upper ends, shape (toy, 2): infinite where q never reaches the quantile, NaN where a fit did not
        converge.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> toys = dh.throw(model, dh.nominal_parameters(model, 1.0), 3, key=jax.random.key(0))
        >>> dh.profile_intervals(model, toys, dh.fit_all(model, toys)).shape
        (3, 2)
    """
    target = ndtri((1 + jnp.asarray(level, float)) / 2)
    return batching.map_in_batches(lambda toy: _interval(model, *toy, target), (data, fitted), BATCH_SIZE)


def _interval(model, data, fitted, target):
    best, poi = fitted.parameters, model.parameters.poi
    sides, bounds = jnp.array([-1.0, 1.0]), jnp.asarray(model.parameters.bounds[poi])
    distance = partial(_distance, model, data, best, target)
    distances = jax.lax.map(lambda arguments: distance(*arguments), (sides, jnp.abs(bounds - best[poi])))
    return jnp.where(fitted.converged, best[poi] + sides * distances, jnp.nan)


class _Search(NamedTuple):
    """Search for the distance between best fit and end of the interval.

    Attributes:
        step: Number of conditional fits.
        distance: Best guess.
        bracket: Largest distance with too small a q, and smallest distance with too large a q.
        done: True if no more fits are needed.
        start: Start of the next fit, which is the end of the last one.
        converged: True if the last fit converged.
    """

    step: Int[Array, ""]
    distance: Float[Array, ""]
    bracket: Bracket
    done: Bool[Array, ""]
    start: Float[Array, " par"]
    converged: Bool[Array, ""]


def _distance(model, data, best, target, side, reach):
    """Return the distance on one side where sqrt(q) equals `target`, at most `reach`, the distance to the bound."""

    def improve(search):
        excess, slope, fitted = _excess(model, data, best, target, side, search)
        x = search.distance
        following, bracket = bracketed_newton_step(
            x, excess, slope, search.bracket, growth=MAX_GROWTH, limit_newton=True
        )
        done = (jnp.abs(excess) < TOLERANCE) | ((excess < 0) & (x >= reach))
        following = jnp.minimum(following, reach)
        return _Search(search.step + 1, following, bracket, done, fitted.parameters, fitted.converged)

    guess, true = jnp.minimum(_first_guess(model, data, best, target), reach), jnp.array(True)
    bracket = Bracket(jnp.zeros_like(guess), jnp.full_like(guess, jnp.inf))
    initial = _Search(jnp.array(0), guess, bracket, ~true, best, true)
    last = batching.while_loop(lambda search: (search.step < MAX_STEPS) & ~search.done, improve, initial, data.main)
    distance = jnp.where(last.done | jnp.isfinite(last.bracket.high), last.distance, jnp.inf)
    return jnp.where(last.converged, distance, jnp.nan)


def _excess(model, data, best, target, side, search):
    """Return the difference of sqrt(q) and the target at the guess, its slope, and the conditional fit there."""
    mu_hat = best[model.parameters.poi]
    fitted = conditional_fit(model, data, mu_hat + side * search.distance, search.start)

    def excess(distance):  # fitted parameters count as constants: the likelihood is stationary in them
        pars = with_poi_value(model, fitted.parameters, mu_hat + side * distance)
        return safe_sqrt(minus_two_log_ratio(model, data, pars, best)) - target

    return *jax.value_and_grad(excess)(search.distance), fitted


def _first_guess(model, data, best, target):
    """Return the distance for fixed nuisance parameters and a parabolic likelihood, a lower limit for a parabola."""

    def nll(mu):
        return negative_log_likelihood(model, with_poi_value(model, best, mu), data)

    curvature = jax.grad(jax.grad(nll))(best[model.parameters.poi])
    usable = jnp.isfinite(curvature) & (curvature > 0)
    return jnp.where(usable, target / jnp.sqrt(jnp.where(usable, curvature, 1.0)), 1.0)
