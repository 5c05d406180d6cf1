"""Upper limits on the signal strength, as differentiable functions of model and data.

A limit is where the asymptotic CLs equals the level. The root is found by Newton steps kept inside a bracket; its
derivative is that of the implicit function theorem.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, PyTree
from scipy.special import ndtr, ndtri

from diffhep.fits import FitResult, conditional_fit, fit
from diffhep.hypotests import (
    FLUCTUATIONS,
    Asimov,
    TestStatistic,
    asimov,
    for_statistic,
    log_cls_of,
    log_ratio,
    root,
    with_poi,
)
from diffhep.likelihood import Data, Model, expected_data, nominal_parameters

LEVEL = 0.05
"""CLs below which a strength is excluded: limits at 95 % confidence level."""

STEPS = 60
ENOUGH = 1e-9


class Limits(NamedTuple):
    """Upper limits on the signal strength.

    Attributes:
        observed: of the data.
        expected: without signal, if the data fluctuate by `hypotests.FLUCTUATIONS`; the third is the median.
        converged: whether all fits behind them reached their minimum.
    """

    observed: Float[Array, ""]
    expected: Float[Array, " fluctuation"]
    converged: Bool[Array, ""]


def upper_limits(model: Model, data: Data, level: float = LEVEL, test_stat: TestStatistic = "qtilde") -> Limits:
    """Strengths that the data exclude, and were expected to exclude, at CLs = `level`; infinite without signal.

    Args:
        model: statistical model.
        data: what was observed.
        level: CLs of the limit.
        test_stat: as in `hypotests.cls`.
    """
    model = for_statistic(model, test_stat)
    reference = asimov(model, data, 0.0)
    expected, found = _expected(model, reference, level, FLUCTUATIONS)
    free = fit(*jax.lax.stop_gradient((model, data)))
    best = free.parameters

    def fitted(mu, model, data, reference):
        pairs = [(data, best), (reference.data, reference.truth)]
        both = jax.tree.map(lambda *values: jnp.stack(values), *pairs)
        return jax.lax.map(lambda pair: conditional_fit(model, pair[0], mu, pair[1]), both)

    def excluded(mu, held, model, data, reference):
        q, q_asimov = (
            log_ratio(model, of, with_poi(model, pars, mu), truth)
            for of, pars, truth in zip((data, reference.data), held.parameters, (best, reference.truth), strict=True)
        )
        q = jnp.where(best[model.parameters.poi] > mu, 0.0, q)
        return np.log(level) - log_cls_of(q, q_asimov, test_stat)[0]

    observed, held = increasing_root(excluded, fitted, expected[2], model, data, reference)
    converged = reference.converged & free.converged & held.converged.all() & found.converged.all()
    return Limits(observed, expected, converged)


def expected_upper_limit(model: Model, level: float = LEVEL) -> Float[Array, ""]:
    """Median upper limit if there is no signal, from Asimov data of the nominal nuisance parameters."""
    truth = nominal_parameters(model, 0.0)
    reference = Asimov(expected_data(model, truth), truth, jnp.array(True))
    return _expected(model, reference, level, (0.0,))[0][0]


def _expected(
    model: Model, reference: Asimov, level: float, fluctuations: tuple[float, ...]
) -> tuple[Array, FitResult]:
    """Limits, and the fits there, where sqrt(q_A) is what the CLs of each fluctuation n asks for.

    CLs = Phi(-n - sqrt q_A) / Phi(-n) is the level where sqrt q_A = Phi^-1(1 - level Phi(-n)) - n.
    """
    n = np.array(fluctuations)
    wanted = jnp.asarray(-ndtri(level * ndtr(-n)) - n)

    def fitted(mu, wanted, model, reference):
        return conditional_fit(model, reference.data, mu, reference.truth)

    def missing(mu, held, wanted, model, reference):
        return root(log_ratio(model, reference.data, with_poi(model, held.parameters, mu), reference.truth)) - wanted

    # one after the other: side by side, loops within loops are traced many times over
    return jax.lax.map(lambda wanted: increasing_root(missing, fitted, jnp.ones(()), wanted, model, reference), wanted)


def increasing_root(
    function: Callable[..., Array], settle: Callable[..., PyTree], guess: Float[Array, ""], *context: PyTree
) -> tuple[Float[Array, ""], PyTree]:
    """Where a function of a positive number that increases from below zero is zero, and what is settled there.

    Infinite if it never is zero.

    Derivatives with respect to the context are those of the implicit function theorem, -(df / dcontext) / (df / dx).

    Args:
        function: of the number, what is settled there, and the context.
        settle: what is found anew for each number, from it and the context, and does not count in derivatives.
        guess: where to begin.
        context: what else the function depends on.
    """
    guess, constants = jax.lax.stop_gradient((guess, context))

    def unfinished(state):
        step, _, value, *_ = state
        return (step < STEPS) & ~(jnp.abs(value) < ENOUGH)

    def improve(state):
        step, x, _, _, _, low, high = state
        settled = settle(x, *constants)
        value, slope = jax.value_and_grad(function)(x, settled, *constants)
        low, high = jnp.where(value < 0, x, low), jnp.where(value < 0, high, x)
        newton = x - value / slope
        within = (newton > low) & (newton < high)
        safe = jnp.where(jnp.isinf(high), 2 * x, (low + high) / 2)
        after = jnp.where(jnp.abs(value) < ENOUGH, x, jnp.where(within, newton, safe))
        return step + 1, after, value, slope, settled, low, high

    endless, zero = jnp.full_like(guess, jnp.inf), jnp.zeros_like(guess)
    nothing = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), jax.eval_shape(settle, guess, *constants))
    start = (0, guess, endless, zero, nothing, zero, endless)
    _, found, value, slope, settled, *_ = jax.lax.while_loop(unfinished, improve, start)
    exists = (jnp.abs(value) < ENOUGH) & (slope > 0)
    correction = function(found, settled, *context) / jnp.where(exists, slope, 1.0)  # tiny, but has a derivative
    return jnp.where(exists, found - correction, jnp.inf), settled
