"""Likelihood-ratio tests: q0, qmu, their asymptotic p-values, and what to expect of them.

Everything is in logarithms of p-values: 1 - Phi(sqrt q) loses all precision near q = 70, and its gradient with it.
Fitted parameters count as constants in derivatives of test statistics: by the envelope theorem that is exact.
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
"""Where expected results are told: sqrt(q) less its median without signal, so that p-values and limits ascend."""


class HypotestResult(NamedTuple):
    """What a test found, and what it was expected to find.

    Attributes:
        log_observed: log p-value of the data.
        log_expected: log p-value where the data fluctuate by `FLUCTUATIONS`, the third is the median.
        converged: whether all fits behind them reached their minimum.
    """

    log_observed: Float[Array, ""]
    log_expected: Float[Array, " fluctuation"]
    converged: Bool[Array, ""]


@jax.jit
def expected_log_cls(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Logarithm of `expected_cls`."""
    return np.log(2.0) + log_ndtr(-safe_sqrt(expected_q(model, mu, 0.0)))


def expected_cls(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Median CLs of a signal of strength `mu` if there is none: below 0.05 the analysis expects to exclude it.

    2 [1 - Phi(sqrt q_A)], with q_A of Asimov data without signal (arXiv:1007.1727 section 3.8; CLb is 1/2).
    """
    return jnp.exp(expected_log_cls(model, mu))


@jax.jit
def expected_log_p0(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Logarithm of `expected_p0`."""
    return log_p0(expected_q(model, 0.0, mu))


def expected_p0(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Median p-value of "no signal" if there is one of strength `mu`: small where discovery is expected.

    1 - Phi(sqrt q_0), with q_0 of Asimov data with signal (arXiv:1007.1727 eqs. 52 and 94).
    """
    return jnp.exp(expected_log_p0(model, mu))


def log_p0(q: Float[Array, "*toy"]) -> Float[Array, "*toy"]:
    """Logarithm of the asymptotic p-value of an observed q_0: log[1 - Phi(sqrt q)], arXiv:1007.1727 eq. 52."""
    return log_ndtr(-safe_sqrt(q))


def log_clsb(q: Float[Array, "*toy"]) -> Float[Array, "*toy"]:
    """Logarithm of CLs+b, the asymptotic p-value of an observed q_mu if mu is true: arXiv:1007.1727 eq. 59."""
    return log_ndtr(-safe_sqrt(q))


def log_clb(q: Float[Array, "*toy"], q_asimov: Float[Array, ""]) -> Float[Array, "*toy"]:
    """Logarithm of CLb, the asymptotic probability of a larger q_mu than observed if there is no signal.

    log[1 - Phi(sqrt q - sqrt q_A)], arXiv:1007.1727 eq. 57 with mu' = 0 and mu / sigma = sqrt q_A.

    Args:
        q: observed q_mu.
        q_asimov: `expected_q(model, mu, 0.0)`, of Asimov data without signal.
    """
    return log_ndtr(safe_sqrt(q_asimov) - safe_sqrt(q))


def log_cls(q: Float[Array, "*toy"], q_asimov: Float[Array, ""]) -> Float[Array, "*toy"]:
    """Logarithm of the asymptotic CLs = CLs+b / CLb of an observed q_mu; see `log_clb` for the arguments."""
    return log_clsb(q) - log_clb(q, q_asimov)


def hypotest(model: Model, data: Data, mu: Real[ArrayLike, ""], test_stat: TestStatistic = "qtilde") -> HypotestResult:
    """CLs of a signal of strength `mu`, as pyhf's `hypotest` computes it with the asymptotic formulae.

    Args:
        model: statistical model.
        data: what was observed.
        mu: strength to test.
        test_stat: "qtilde" keeps the fitted strength within the model's bounds, 0 below as a rule (arXiv:1007.1727
            eqs. 16 and 64 to 66); "q" lets it take any value below (eqs. 14 and 57 to 59).

    Raises:
        ValueError: There is no such test statistic.
    """
    model = with_test_statistic_bounds(model, test_stat)
    reference = generate_asimov_data(model, data, 0.0)
    q_asimov, known = asimov_q_and_convergence(model, reference, mu)
    q, converged = q_mu_and_convergence(model, data, mu)
    return HypotestResult(*observed_and_expected_log_cls(q, q_asimov, test_stat), known & converged)


def observed_and_expected_log_cls(
    q: Float[Array, ""], q_asimov: Float[Array, ""], test_stat: TestStatistic
) -> tuple[Float[Array, ""], Float[Array, " fluctuation"]]:
    """Observed and expected log CLs, given the test statistics of the data and of Asimov data without signal."""
    root_asimov = safe_sqrt(q_asimov)
    distance = safe_sqrt(q) - root_asimov
    if test_stat == "qtilde":
        beyond = (q - q_asimov) / (2 * jnp.where(root_asimov > 0, root_asimov, 1.0))
        distance = jnp.where(distance > 0, beyond, distance)
    return tuple(_log_cls(at, root_asimov) for at in (distance, jnp.array(FLUCTUATIONS)))


def _log_cls(distance, root_asimov):
    return log_ndtr(-distance - root_asimov) - log_ndtr(-distance)


def discovery_test(model: Model, data: Data) -> HypotestResult:
    """Discovery p-value of the data; expected ones are those of a signal of strength one (arXiv:1007.1727 eq. 52)."""
    q_asimov, known = asimov_q_and_convergence(model, generate_asimov_data(model, data, 1.0), 0.0)
    q, converged = q_0_and_convergence(model, data)
    return HypotestResult(log_p0(q), log_ndtr(-safe_sqrt(q_asimov) - jnp.array(FLUCTUATIONS)), known & converged)
