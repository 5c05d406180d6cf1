"""Upper limits on the signal strength, as differentiable functions of model and data.

A limit is where the asymptotic CLs equals the level. The root is found by Newton steps kept inside a bracket; its
derivative is that of the implicit function theorem.
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
"""CLs below which a strength is excluded: limits at 95 % confidence level."""


class UpperLimits(NamedTuple):
    """Upper limits on the signal strength.

    Attributes:
        observed: of the data.
        expected: without signal, if the data fluctuate by `hypotests.FLUCTUATIONS`; the third is the median.
        converged: whether all fits behind them reached their minimum.
    """

    observed: Float[Array, ""]
    expected: Float[Array, " fluctuation"]
    converged: Bool[Array, ""]


def upper_limits(
    model: Model, data: Data, level: float = CLS_LEVEL, test_stat: TestStatistic = "qtilde"
) -> UpperLimits:
    """Strengths that the data exclude, and were expected to exclude, at CLs = `level`; infinite without signal.

    Args:
        model: statistical model.
        data: what was observed.
        level: CLs of the limit.
        test_stat: as in `hypotests.hypotest`.
    """
    model = with_test_statistic_bounds(model, test_stat)
    reference = generate_asimov_data(model, data, 0.0)
    expected, found = _expected(model, reference, level, FLUCTUATIONS)
    free = fit(*jax.lax.stop_gradient((model, data)))
    best = free.parameters

    def fitted(mu, model, data, reference):
        pairs = [(data, best), (reference.data, reference.truth)]
        both = jax.tree.map(lambda *values: jnp.stack(values), *pairs)
        return jax.lax.map(lambda pair: conditional_fit(model, pair[0], mu, pair[1]), both)

    def excluded(mu, held, model, data, reference):
        q, q_asimov = (
            minus_two_log_ratio(model, of, with_poi_value(model, pars, mu), truth)
            for of, pars, truth in zip((data, reference.data), held.parameters, (best, reference.truth), strict=True)
        )
        q = jnp.where(best[model.parameters.poi] > mu, 0.0, q)
        return np.log(level) - observed_and_expected_log_cls(q, q_asimov, test_stat)[0]

    observed, held = increasing_root(excluded, fitted, expected[2], model, data, reference)
    converged = reference.converged & free.converged & held.converged.all() & found.converged.all()
    return UpperLimits(observed, expected, converged)


def expected_upper_limit(model: Model, level: float = CLS_LEVEL) -> Float[Array, ""]:
    """Median upper limit if there is no signal, from Asimov data of the nominal nuisance parameters."""
    truth = nominal_parameters(model, 0.0)
    reference = AsimovData(expected_data(model, truth), truth, jnp.array(True))
    return _expected(model, reference, level, (0.0,))[0][0]


def _expected(
    model: Model, reference: AsimovData, level: float, fluctuations: tuple[float, ...]
) -> tuple[Array, FitResult]:
    """Limits, and the fits there, where sqrt(q_A) is what the CLs of each fluctuation n asks for.

    CLs = Phi(-n - sqrt q_A) / Phi(-n) is the level where sqrt q_A = Phi^-1(1 - level Phi(-n)) - n.
    """
    n = np.array(fluctuations)
    wanted = jnp.asarray(-ndtri(level * ndtr(-n)) - n)

    def fitted(mu, wanted, model, reference):
        return conditional_fit(model, reference.data, mu, reference.truth)

    def missing(mu, held, wanted, model, reference):
        return (
            safe_sqrt(
                minus_two_log_ratio(model, reference.data, with_poi_value(model, held.parameters, mu), reference.truth)
            )
            - wanted
        )

    # one after the other: side by side, loops within loops are traced many times over
    return jax.lax.map(lambda wanted: increasing_root(missing, fitted, jnp.ones(()), wanted, model, reference), wanted)
