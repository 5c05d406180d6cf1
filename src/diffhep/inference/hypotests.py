"""Hypothesis tests with asymptotic formulae: CLs, discovery p-values, and their expected values.

Functions work with logarithms of p-values: 1 - Phi(sqrt q) and its gradient lose all precision near q = 70.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr
from jax.typing import ArrayLike
from jaxtyping import Array, Bool, Float, Real

from diffhep.inference.test_statistics import (
    TestStatistic,
    asimov_q_and_convergence,
    expected_q,
    generate_asimov_data,
    q_0_and_convergence,
    q_mu_and_convergence,
    safe_sqrt,
    with_test_statistic_bounds,
)
from diffhep.models.likelihood import Data, Model

FLUCTUATIONS = (2.0, 1.0, 0.0, -1.0, -2.0)
"""Brazil-band quantiles in standard deviations from +2 to -2, in the order of ascending p-values and limits."""


class HypotestResult(NamedTuple):
    """Result of a hypothesis test.

    Attributes:
        log_observed: Logarithm of the observed p-value.
        log_expected: Logarithms of the expected p-values for fluctuations by `FLUCTUATIONS`; the third is the median.
        converged: True if all fits converged.
    """

    log_observed: Float[Array, ""]
    log_expected: Float[Array, " fluctuation"]
    converged: Bool[Array, ""]


@jax.jit
def expected_log_cls(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Logarithm of the median CLs of a signal if there is none, see `expected_cls`.

    Args:
        model: Statistical model.
        mu: Signal strength to test.

    Returns:
        Logarithm of the expected CLs.
    """
    return np.log(2.0) + log_ndtr(-safe_sqrt(expected_q(model, mu, 0.0)))


def expected_cls(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Median CLs of a signal if there is none: below 0.05 the analysis expects to exclude the signal.

    2 [1 - Phi(sqrt q_A)], with q_A of background-only Asimov data (arXiv:1007.1727 section 3.8; CLb is 1/2).

    Args:
        model: Statistical model.
        mu: Signal strength to test.

    Returns:
        Expected CLs.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> round(float(dh.expected_cls(model)), 4)
        0.206
    """
    return jnp.exp(expected_log_cls(model, mu))


@jax.jit
def expected_log_p0(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Logarithm of the median discovery p-value if there is a signal, see `expected_p0`.

    Args:
        model: Statistical model.
        mu: Signal strength of the Asimov data.

    Returns:
        Logarithm of the expected p-value.
    """
    return log_p0(expected_q(model, 0.0, mu))


def expected_p0(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Median p-value of the background-only hypothesis if there is a signal: small if a discovery is expected.

    1 - Phi(sqrt q_0), with q_0 of Asimov data with signal (arXiv:1007.1727 eqs. 52 and 94).

    Args:
        model: Statistical model.
        mu: Signal strength of the Asimov data.

    Returns:
        Expected p-value.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> round(float(dh.expected_p0(model)), 4)
        0.1006
    """
    return jnp.exp(expected_log_p0(model, mu))


def log_p0(q: Float[Array, "*toy"]) -> Float[Array, "*toy"]:
    """Logarithm of the asymptotic discovery p-value: log[1 - Phi(sqrt q_0)], arXiv:1007.1727 eq. 52.

    Args:
        q: Observed q_0.

    Returns:
        Logarithm of the p-value.
    """
    return log_ndtr(-safe_sqrt(q))


def log_clsb(q: Float[Array, "*toy"]) -> Float[Array, "*toy"]:
    """Logarithm of CLs+b, the asymptotic p-value of q_mu if mu is true: arXiv:1007.1727 eq. 59.

    Args:
        q: Observed q_mu.

    Returns:
        Logarithm of CLs+b.
    """
    return log_ndtr(-safe_sqrt(q))


def log_clb(q: Float[Array, "*toy"], q_asimov: Float[Array, ""]) -> Float[Array, "*toy"]:
    """Logarithm of CLb, the asymptotic probability of a larger q_mu than observed if there is no signal.

    log[1 - Phi(sqrt q - sqrt q_A)], arXiv:1007.1727 eq. 57 with mu' = 0 and mu / sigma = sqrt q_A.

    Args:
        q: Observed q_mu.
        q_asimov: q_mu of background-only Asimov data, `expected_q(model, mu, 0.0)`.

    Returns:
        Logarithm of CLb.
    """
    return log_ndtr(safe_sqrt(q_asimov) - safe_sqrt(q))


def log_cls(q: Float[Array, "*toy"], q_asimov: Float[Array, ""]) -> Float[Array, "*toy"]:
    """Logarithm of the asymptotic CLs = CLs+b / CLb.

    Args:
        q: Observed q_mu.
        q_asimov: q_mu of background-only Asimov data, `expected_q(model, mu, 0.0)`.

    Returns:
        Logarithm of CLs.
    """
    return log_clsb(q) - log_clb(q, q_asimov)


def hypotest(model: Model, data: Data, mu: Real[ArrayLike, ""], test_stat: TestStatistic = "qtilde") -> HypotestResult:
    """Compute observed and expected CLs of a signal, as pyhf's `hypotest` with asymptotic formulae.

    Args:
        model: Statistical model.
        data: Observed data.
        mu: Signal strength to test.
        test_stat: "qtilde" restricts the fitted signal strength to the model's bounds, usually 0 below (arXiv:1007.1727
            eqs. 16 and 64 to 66); "q" removes the lower bound (eqs. 14 and 57 to 59).

    Returns:
        Logarithms of CLs.

    Raises:
        ValueError: If the test statistic is unknown.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> data = dh.expected_data(model, dh.nominal_parameters(model, 0.0))
        >>> result = dh.hypotest(model, data, 1.0)
        >>> round(float(np.exp(result.log_observed)), 4)
        0.206
        >>> np.round(np.exp(result.log_expected), 3).tolist()
        [0.024, 0.074, 0.206, 0.47, 0.787]
    """
    model = with_test_statistic_bounds(model, test_stat)
    asimov = generate_asimov_data(model, data, 0.0)
    q_asimov, asimov_converged = asimov_q_and_convergence(model, asimov, mu)
    q, converged = q_mu_and_convergence(model, data, mu)
    log_observed, log_expected = observed_and_expected_log_cls(q, q_asimov, test_stat)
    return HypotestResult(log_observed, log_expected, asimov_converged & converged)


def observed_and_expected_log_cls(
    q: Float[Array, ""], q_asimov: Float[Array, ""], test_stat: TestStatistic
) -> tuple[Float[Array, ""], Float[Array, " fluctuation"]]:
    """Compute log CLs from test statistics.

    Args:
        q: Test statistic of the observed data.
        q_asimov: Test statistic of background-only Asimov data.
        test_stat: "qtilde" or "q", see `hypotest`.

    Returns:
        Observed log CLs, and expected log CLs for fluctuations by `FLUCTUATIONS`.
    """
    root_asimov = safe_sqrt(q_asimov)
    distance = safe_sqrt(q) - root_asimov
    if test_stat == "qtilde":
        beyond = (q - q_asimov) / (2 * jnp.where(root_asimov > 0, root_asimov, 1.0))
        distance = jnp.where(distance > 0, beyond, distance)
    return tuple(_log_cls_ratio(each, root_asimov) for each in (distance, jnp.array(FLUCTUATIONS)))


def _log_cls_ratio(distance, root_asimov):
    return log_ndtr(-distance - root_asimov) - log_ndtr(-distance)


def discovery_test(model: Model, data: Data) -> HypotestResult:
    """Compute the observed discovery p-value, and those expected for a signal of strength 1 (arXiv:1007.1727 eq. 52).

    Args:
        model: Statistical model.
        data: Observed data.

    Returns:
        Logarithms of p-values of the background-only hypothesis.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> data = dh.expected_data(model, dh.nominal_parameters(model, 1.0))
        >>> round(float(np.exp(dh.discovery_test(model, data).log_observed)), 4)
        0.1006
    """
    q_asimov, asimov_converged = asimov_q_and_convergence(model, generate_asimov_data(model, data, 1.0), 0.0)
    q, converged = q_0_and_convergence(model, data)
    log_expected = log_ndtr(-safe_sqrt(q_asimov) - jnp.array(FLUCTUATIONS))
    return HypotestResult(log_p0(q), log_expected, asimov_converged & converged)
