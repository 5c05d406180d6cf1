"""Pseudo-experiments (toys): generation, test statistics and p-values."""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import ndtr
from jax.scipy.stats import norm
from jaxtyping import Array, Bool, Float, Int, Key

from diffhep.inference.batched_mle import fit_all
from diffhep.inference.hypotests import FLUCTUATIONS, expected_cls
from diffhep.inference.mle import conditional_fit
from diffhep.inference.test_statistics import TestStatistic, with_test_statistic_bounds
from diffhep.models.likelihood import Data, Model, expected_data, nominal_parameters


class ToyStatistics(NamedTuple):
    """Test statistics of pseudo-experiments.

    Attributes:
        mu_hat: Fitted signal strength.
        q_mu: Test statistic for upper limits at the tested signal strength (arXiv:1007.1727 eq. 14).
        q_0: Test statistic for discovery (arXiv:1007.1727 eq. 12).
        converged: True where all three fits converged.
    """

    mu_hat: Float[Array, "*toy"]
    q_mu: Float[Array, "*toy"]
    q_0: Float[Array, "*toy"]
    converged: Bool[Array, "*toy"]


@partial(jax.jit, static_argnames="n_toys")
def throw(model: Model, pars: Float[Array, " par"], n_toys: int, *, key: Key[Array, ""]) -> Data:
    """Sample pseudo-experiments, auxiliary measurements included.

    Main and auxiliary counts follow Poisson distributions around the expected rates, other auxiliary data normal
    distributions with their errors.

    Args:
        model: Statistical model.
        pars: True values of all parameters.
        n_toys: Number of pseudo-experiments.
        key: Random key.

    Returns:
        Data with arrays (toy, bin) and (toy, aux).

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> toys = dh.throw(model, dh.nominal_parameters(model, 1.0), 1000, key=jax.random.key(0))
        >>> toys.main.shape, toys.auxiliary.shape
        ((1000, 2), (1000, 1))
    """
    counts, normal, poisson = (jax.random.fold_in(key, purpose) for purpose in range(3))
    expected, constraints = expected_data(model, pars), model.constraints
    main = jax.random.poisson(counts, expected.main, (n_toys, *expected.main.shape))
    measured = constraints.width * jax.random.normal(normal, (n_toys, len(constraints.normal)), expected.main.dtype)
    measured += expected.auxiliary[: len(constraints.normal)]
    counted = jax.random.poisson(poisson, constraints.counts(expected.auxiliary), (n_toys, len(constraints.poisson)))
    return Data(main.astype(expected.main.dtype), jnp.concatenate([measured, counted], axis=1))


def toy_statistics(model: Model, data: Data, mu: Float[Array, ""]) -> ToyStatistics:
    """Compute the fitted signal strength, q_mu and q_0 of many data sets.

    Args:
        model: Statistical model; the signal strength has a lower bound only if the model has one, see
            `likelihood.with_unbounded_poi`.
        data: Data sets, arrays (toy, bin) and (toy, aux).
        mu: Signal strength to test with q_mu.

    Returns:
        Test statistics, arrays (toy,).
    """
    mu = jnp.asarray(mu, float)  # a number of weak type would be compiled anew
    free = fit_all(model, data)
    conditional = [fit_all(model, data, value) for value in (mu, jnp.zeros_like(mu))]
    ratios = [jnp.maximum(2 * (fitted.nll - free.nll), 0.0) for fitted in conditional]  # negative only by rounding
    mu_hat = free.parameters[:, model.parameters.poi]
    return ToyStatistics(
        mu_hat,
        jnp.where(mu_hat > mu, 0.0, ratios[0]),
        jnp.where(mu_hat < 0, 0.0, ratios[1]),
        free.converged & conditional[0].converged & conditional[1].converged,
    )


class ToyHypotestResult(NamedTuple):
    """CLs of one signal strength from pseudo-experiments.

    Attributes:
        observed: Observed CLs.
        expected: Background-only CLs for fluctuations by `hypotests.FLUCTUATIONS`; the third is the median.
        failed: Numbers of pseudo-experiments with and without signal left out because a fit did not converge.
    """

    observed: Float[Array, ""]
    expected: Float[Array, " fluctuation"]
    failed: Int[Array, " hypothesis"]


def toy_hypotest(
    model: Model, data: Data, mu: float, n_toys: int, *, key: Key[Array, ""], test_stat: TestStatistic = "qtilde"
) -> ToyHypotestResult:
    """Compute CLs = CLs+b / CLb (arXiv:1007.1727 section 3.8) with sampling distributions from pseudo-experiments.

    The pseudo-experiments of a hypothesis have the nuisance parameters that fit the observed data best under it.

    Args:
        model: Statistical model.
        data: Observed data.
        mu: Signal strength to test.
        n_toys: Number of pseudo-experiments for each of the two hypotheses.
        key: Random key.
        test_stat: "qtilde" restricts the fitted signal strength to the model's bounds, "q" removes the lower bound; see
            `hypotests.hypotest`.

    Returns:
        Observed and expected CLs.

    Raises:
        ValueError: If the test statistic is unknown.

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> data = dh.expected_data(model, dh.nominal_parameters(model, 0.0))
        >>> result = dh.toy_hypotest(model, data, 1.0, 1000, key=jax.random.key(0))
        >>> bool(abs(result.observed - np.exp(dh.hypotest(model, data, 1.0).log_observed)) < 0.05)
        True
    """
    model, mu = with_test_statistic_bounds(model, test_stat), jnp.asarray(mu, float)
    results, fit_at = [], jax.jit(lambda value: conditional_fit(model, data, value).parameters)
    for strength, toy_key in zip((mu, jnp.zeros_like(mu)), jax.random.split(key), strict=True):
        toys = throw(model, fit_at(strength), n_toys, key=toy_key)
        # the observed data are the last toy: arrays of one shape, compiled once
        joined = jax.tree.map(lambda array, observed: jnp.concatenate([array, jnp.asarray(observed)[None]]), toys, data)
        results.append(toy_statistics(model, joined, mu))
    signal, background = (jnp.where(result.converged, result.q_mu, jnp.nan)[:-1] for result in results)
    thresholds = jnp.append(jnp.nanquantile(background, ndtr(jnp.array(FLUCTUATIONS))), results[0].q_mu[-1])
    clsb, clb = (
        jnp.nanmean(jnp.where(jnp.isnan(q), q, q >= thresholds[:, None]), axis=1) for q in (signal, background)
    )
    cls = clsb / clb
    return ToyHypotestResult(cls[-1], cls[:-1], jnp.stack([jnp.sum(~result.converged[:-1]) for result in results]))


class ClsScan(NamedTuple):
    """Expected CLs of several signal strengths, from pseudo-experiments and from asymptotic formulae.

    Attributes:
        toys: CLs from pseudo-experiments, at the median q_mu without signal.
        toys_error: Its binomial standard deviation.
        asymptotic: CLs from asymptotic formulae, `hypotests.expected_cls`.
    """

    toys: Float[Array, " mu"]
    toys_error: Float[Array, " mu"]
    asymptotic: Float[Array, " mu"]


def scan_cls(
    model: Model, tested_mu: Sequence[float], n_toys: int, *, key: Key[Array, ""], first_index: int = 0
) -> ClsScan:
    """Compute the expected CLs = CLs+b / CLb (arXiv:1007.1727 section 3.8) of several signal strengths.

    Args:
        model: Statistical model.
        tested_mu: Signal strengths to test.
        n_toys: Number of pseudo-experiments for each hypothesis; CLs well below 1 / n_toys results in 0.
        key: Random key.
        first_index: Index of the first signal strength in a longer scan, which selects its random stream.

    Returns:
        CLs from pseudo-experiments and from asymptotic formulae.
    """
    toy_key = partial(jax.random.fold_in, key)  # 0 is the stream of background-only toys
    background = throw(model, nominal_parameters(model, 0.0), n_toys, key=toy_key(0))
    asymptotic, points = jax.jit(expected_cls), []
    for index, mu in enumerate(map(jnp.asarray, np.asarray(tested_mu, float)), start=first_index + 1):
        signal = throw(model, nominal_parameters(model, mu), n_toys, key=toy_key(index))
        q_background, q_signal = (np.asarray(toy_statistics(model, toys, mu).q_mu) for toys in (background, signal))
        median = np.median(q_background)
        clsb, clb = np.mean(q_signal >= median), np.mean(q_background >= median)
        points.append((clsb / clb, np.sqrt(clsb * (1 - clsb) / n_toys) / clb, float(asymptotic(model, mu))))
    return ClsScan(*jax.device_put(np.array(points).T))


@jax.jit
def asymptotic_density(q: Float[Array, " q"], shift: Float[Array, ""]) -> Float[Array, " q"]:
    """Density of q_mu or q_0 above zero in Wald's approximation (arXiv:1007.1727 eqs. 49 and 55).

    f(q) = phi(sqrt q - shift) / (2 sqrt q). Its integral is below 1 by the fraction of data sets with q = 0.

    Args:
        q: Positive values of the test statistic.
        shift: Distance of the true from the tested signal strength in units of sigma_mu: the square root of q for
            Asimov data.

    Returns:
        Density at each value.
    """
    return norm.pdf(jnp.sqrt(q) - shift) / (2 * jnp.sqrt(q))
