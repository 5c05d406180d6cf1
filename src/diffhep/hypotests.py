"""Likelihood-ratio tests: q0, qmu, their asymptotic p-values, and what to expect of them.

Everything is in logarithms of p-values: 1 - Phi(sqrt q) loses all precision near q = 70, and its gradient with it.
Fitted parameters count as constants in derivatives of test statistics: by the envelope theorem that is exact.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import log_ndtr
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real

from diffhep.fits import conditional_fit, fit
from diffhep.likelihood import Data, Model, expected_data, negative_log_likelihood, nominal_parameters


def q_mu(model: Model, data: Data, mu: Real[ArrayLike, ""]) -> Float[Array, ""]:
    """How much worse than the best fit a signal of strength `mu` describes the data: test statistic of upper limits.

    -2 log of the profile likelihood ratio, and zero if the fitted strength is above mu (arXiv:1007.1727 eq. 14). That
    definition leaves the strength unbounded below: give it `likelihood.unbounded_poi(model)`. With a bound at 0 this is
    qmu-tilde (eq. 16), which is what pyhf computes from the same bounds.
    """
    best = _best_parameters(model, data)
    q = _log_ratio(model, data, _conditional_parameters(model, data, mu), best)
    return jnp.where(best[model.parameters.poi] > mu, 0.0, q)


def q_0(model: Model, data: Data) -> Float[Array, ""]:
    """How much worse than the best fit no signal at all describes the data: test statistic of discovery.

    -2 log of the profile likelihood ratio at mu = 0, and zero if the fitted strength is negative (arXiv:1007.1727
    eq. 12). A bound at 0 on the strength makes no difference.
    """
    best = _best_parameters(model, data)
    q = _log_ratio(model, data, _conditional_parameters(model, data, 0.0), best)
    return jnp.where(best[model.parameters.poi] < 0, 0.0, q)


def expected_q(model: Model, mu: Real[ArrayLike, ""], true_mu: Real[ArrayLike, ""]) -> Float[Array, ""]:
    """Median of -2 log of the profile likelihood ratio at `mu` if the strength is `true_mu`, from Asimov data.

    The free fit to Asimov data is known, so only the conditional one is run (arXiv:1007.1727 section 3.2).
    """
    truth = nominal_parameters(model, true_mu)
    data = expected_data(model, truth)
    return _log_ratio(model, data, _conditional_parameters(model, data, mu), truth)


def expected_log_cls(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Logarithm of `expected_cls`."""
    return np.log(2.0) + log_ndtr(-_root(expected_q(model, mu, 0.0)))


def expected_cls(model: Model, mu: Real[ArrayLike, ""] = 1.0) -> Float[Array, ""]:
    """Median CLs of a signal of strength `mu` if there is none: below 0.05 the analysis expects to exclude it.

    2 [1 - Phi(sqrt q_A)], with q_A of Asimov data without signal (arXiv:1007.1727 section 3.8; CLb is 1/2).
    """
    return jnp.exp(expected_log_cls(model, mu))


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
    return log_ndtr(-_root(q))


def log_clsb(q: Float[Array, "*toy"]) -> Float[Array, "*toy"]:
    """Logarithm of CLs+b, the asymptotic p-value of an observed q_mu if mu is true: arXiv:1007.1727 eq. 59."""
    return log_ndtr(-_root(q))


def log_clb(q: Float[Array, "*toy"], q_asimov: Float[Array, ""]) -> Float[Array, "*toy"]:
    """Logarithm of CLb, the asymptotic probability of a larger q_mu than observed if there is no signal.

    log[1 - Phi(sqrt q - sqrt q_A)], arXiv:1007.1727 eq. 57 with mu' = 0 and mu / sigma = sqrt q_A.

    Args:
        q: observed q_mu.
        q_asimov: `expected_q(model, mu, 0.0)`, of Asimov data without signal.
    """
    return log_ndtr(_root(q_asimov) - _root(q))


def log_cls(q: Float[Array, "*toy"], q_asimov: Float[Array, ""]) -> Float[Array, "*toy"]:
    """Logarithm of the asymptotic CLs = CLs+b / CLb of an observed q_mu; see `log_clb` for the arguments."""
    return log_clsb(q) - log_clb(q, q_asimov)


def _best_parameters(model, data):
    return fit(*jax.lax.stop_gradient((model, data))).parameters


def _conditional_parameters(model, data, mu):
    """Best parameters with the parameter of interest held at mu; constants in derivatives, but for mu itself."""
    fixed = conditional_fit(*jax.lax.stop_gradient((model, data, mu))).parameters
    return fixed.at[model.parameters.poi].set(mu)


def _log_ratio(model, data, fixed, best):
    """-2 log [L(fixed) / L(best)], not below 0, which only rounding and unfinished fits would bring about."""
    q = 2 * (negative_log_likelihood(model, fixed, data) - negative_log_likelihood(model, best, data))
    return jnp.maximum(q, 0.0)


def _root(q):
    """Square root whose derivative at 0 is 0 instead of infinite."""
    positive = q > 0
    return jnp.where(positive, jnp.sqrt(jnp.where(positive, q, 1.0)), 0.0)
