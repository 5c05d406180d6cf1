"""Upper limits on the signal strength, as differentiable functions of model and data.

A limit is the signal strength where the asymptotic CLs equals the level. Its derivatives are those of the implicit
function theorem.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float
from scipy.special import ndtr, ndtri

from diffhep.inference.hypotests import FLUCTUATIONS, observed_and_expected_log_cls
from diffhep.inference.mle import FitResult, conditional_fit, fit
from diffhep.inference.root_finding import increasing_root
from diffhep.inference.test_statistics import (
    AsimovData,
    TestStatistic,
    generate_asimov_data,
    minus_two_log_ratio,
    safe_sqrt,
    with_poi_value,
    with_test_statistic_bounds,
)
from diffhep.models.likelihood import Data, Model, expected_data, nominal_parameters

CLS_LEVEL = 0.05
"""CLs below which a signal strength is excluded: limits at 95 % confidence level."""


class UpperLimits(NamedTuple):
    """Observed and expected upper limits on the signal strength.

    Attributes:
        observed: Observed limit.
        expected: Background-only limits for fluctuations by `hypotests.FLUCTUATIONS`; the third is the median.
        converged: True if all fits converged.
    """

    observed: Float[Array, ""]
    expected: Float[Array, " fluctuation"]
    converged: Bool[Array, ""]


def upper_limits(
    model: Model, data: Data, level: float = CLS_LEVEL, test_stat: TestStatistic = "qtilde"
) -> UpperLimits:
    """Compute observed and expected upper limits on the signal strength.

    Args:
        model: Statistical model.
        data: Observed data.
        level: CLs at the limit; 0.05 gives limits at 95 % confidence level.
        test_stat: "qtilde" restricts the fitted signal strength to the model's bounds, "q" removes the lower bound; see
            `hypotests.hypotest`.

    Returns:
        Limits, infinite for a model without signal.

    Raises:
        ValueError: If the test statistic is unknown.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> data = dh.expected_data(model, dh.nominal_parameters(model, 0.0))
        >>> limits = dh.upper_limits(model, data)
        >>> round(float(limits.observed), 3)
        1.581
        >>> np.round(np.asarray(limits.expected), 2).tolist()
        [0.83, 1.12, 1.58, 2.25, 3.09]
    """
    model = with_test_statistic_bounds(model, test_stat)
    asimov = generate_asimov_data(model, data, 0.0)
    expected, expected_fits = _expected_limits(model, asimov, level, FLUCTUATIONS)
    free = fit(*jax.lax.stop_gradient((model, data)))
    best = free.parameters

    def fits(mu, model, data, asimov):
        pairs = [(data, best), (asimov.data, asimov.parameters)]
        stacked = jax.tree.map(lambda *values: jnp.stack(values), *pairs)
        return jax.lax.map(lambda pair: conditional_fit(model, pair[0], mu, pair[1]), stacked)

    def log_exclusion(mu, conditional, model, data, asimov):
        q, q_asimov = (
            minus_two_log_ratio(model, fitted_data, with_poi_value(model, pars, mu), truth)
            for fitted_data, pars, truth in zip(
                (data, asimov.data), conditional.parameters, (best, asimov.parameters), strict=True
            )
        )
        q = jnp.where(best[model.parameters.poi] > mu, 0.0, q)
        return np.log(level) - observed_and_expected_log_cls(q, q_asimov, test_stat)[0]

    observed, conditional = increasing_root(log_exclusion, fits, expected[2], model, data, asimov)
    converged = asimov.converged & free.converged & conditional.converged.all() & expected_fits.converged.all()
    return UpperLimits(observed, expected, converged)


def expected_upper_limit(model: Model, level: float = CLS_LEVEL) -> Float[Array, ""]:
    """Compute the median upper limit if there is no signal, from Asimov data with nominal nuisance parameters.

    Args:
        model: Statistical model.
        level: CLs at the limit; 0.05 gives limits at 95 % confidence level.

    Returns:
        Limit on the signal strength, infinite for a model without signal.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> round(float(dh.expected_upper_limit(model)), 3)
        1.581
    """
    truth = nominal_parameters(model, 0.0)
    asimov = AsimovData(expected_data(model, truth), truth, jnp.array(True))
    return _expected_limits(model, asimov, level, (0.0,))[0][0]


def _expected_limits(
    model: Model, asimov: AsimovData, level: float, fluctuations: tuple[float, ...]
) -> tuple[Array, FitResult]:
    """Return limits for fluctuations n by the formula of CLs, and the fits at the limits.

    CLs = Phi(-n - sqrt q_A) / Phi(-n) equals the level where sqrt q_A = Phi^-1(1 - level Phi(-n)) - n.
    """
    n = np.array(fluctuations)
    targets = jnp.asarray(-ndtri(level * ndtr(-n)) - n)

    def fit_at(mu, target, model, asimov):
        return conditional_fit(model, asimov.data, mu, asimov.parameters)

    def excess(mu, conditional, target, model, asimov):
        pars = with_poi_value(model, conditional.parameters, mu)
        return safe_sqrt(minus_two_log_ratio(model, asimov.data, pars, asimov.parameters)) - target

    # sequential: with vmap, loops within loops are traced many times
    return jax.lax.map(lambda target: increasing_root(excess, fit_at, jnp.ones(()), target, model, asimov), targets)
