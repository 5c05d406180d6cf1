"""Pseudo-experiments: data sets thrown from a model and fitted by the thousands."""

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
    """Test statistics of one data set, or of many.

    Attributes:
        mu_hat: fitted signal strength.
        q_mu: test statistic of the tested strength for upper limits (arXiv:1007.1727 eq. 14).
        q_0: test statistic of discovery (arXiv:1007.1727 eq. 12).
        converged: whether all three fits reached their minimum.
    """

    mu_hat: Float[Array, "*toy"]
    q_mu: Float[Array, "*toy"]
    q_0: Float[Array, "*toy"]
    converged: Bool[Array, "*toy"]


@partial(jax.jit, static_argnames="number")
def throw(model: Model, pars: Float[Array, " par"], number: int, *, key: Key[Array, ""]) -> Data:
    """Data sets as nature would make them if `pars` were true; auxiliary measurements fluctuate too.

    Counts, auxiliary ones too, are Poisson distributed around the expected rates, other auxiliary data normally with
    their errors.

    Returns:
        Data with arrays (toy, bin) and (toy, aux).
    """
    counts, normal, poisson = (jax.random.fold_in(key, purpose) for purpose in range(3))
    expected, constraints = expected_data(model, pars), model.constraints
    main = jax.random.poisson(counts, expected.main, (number, *expected.main.shape))
    measured = constraints.width * jax.random.normal(normal, (number, len(constraints.normal)), expected.main.dtype)
    measured += expected.auxiliary[: len(constraints.normal)]
    counted = jax.random.poisson(poisson, constraints.counts(expected.auxiliary), (number, len(constraints.poisson)))
    return Data(main.astype(expected.main.dtype), jnp.concatenate([measured, counted], axis=1))


def toy_statistics(model: Model, data: Data, mu: Float[Array, ""]) -> ToyStatistics:
    """Fitted strength, q_mu at `mu` and q_0 of many data sets, arrays (toy, ...).

    The strength is unbounded below if the model's bounds say so (`likelihood.with_unbounded_poi`).
    """
    mu = jnp.asarray(mu, float)  # a number of weak type would be compiled anew
    free = fit_all(model, data)
    held = [fit_all(model, data, value) for value in (mu, jnp.zeros_like(mu))]
    ratio = [jnp.maximum(2 * (of.nll - free.nll), 0.0) for of in held]  # rounding
    mu_hat = free.parameters[:, model.parameters.poi]
    return ToyStatistics(
        mu_hat,
        jnp.where(mu_hat > mu, 0.0, ratio[0]),
        jnp.where(mu_hat < 0, 0.0, ratio[1]),
        free.converged & held[0].converged & held[1].converged,
    )


class ToyHypotestResult(NamedTuple):
    """CLs of one signal strength from pseudo-experiments.

    Attributes:
        observed: of the data.
        expected: without signal, if the data fluctuate by `hypotests.FLUCTUATIONS`; the third is the median.
        failed: pseudo-experiments left out because a fit did not converge, of those with and without signal.
    """

    observed: Float[Array, ""]
    expected: Float[Array, " fluctuation"]
    failed: Int[Array, " hypothesis"]


def toy_hypotest(
    model: Model, data: Data, mu: float, number: int, *, key: Key[Array, ""], test_stat: TestStatistic = "qtilde"
) -> ToyHypotestResult:
    """CLs = CLs+b / CLb (arXiv:1007.1727 section 3.8) with sampling distributions thrown, not assumed.

    Both hypotheses are thrown with the nuisance parameters that fit the data best under them.

    Args:
        model: what is thrown and fitted.
        data: what was observed.
        mu: strength to test.
        number: data sets for each hypothesis.
        key: source of randomness.
        test_stat: as in `hypotests.hypotest`.
    """
    model, mu = with_test_statistic_bounds(model, test_stat), jnp.asarray(mu, float)
    found, held = [], jax.jit(lambda value: conditional_fit(model, data, value).parameters)
    for strength, fresh in zip((mu, jnp.zeros_like(mu)), jax.random.split(key), strict=True):
        thrown = throw(model, held(strength), number, key=fresh)
        # fitted with the data as the last of them: one shape, compiled once
        joined = jax.tree.map(lambda toys, seen: jnp.concatenate([toys, jnp.asarray(seen)[None]]), thrown, data)
        found.append(toy_statistics(model, joined, mu))
    signal, empty = (jnp.where(of.converged, of.q_mu, jnp.nan)[:-1] for of in found)
    thresholds = jnp.append(jnp.nanquantile(empty, ndtr(jnp.array(FLUCTUATIONS))), found[0].q_mu[-1])
    tails = [jnp.nanmean(jnp.where(jnp.isnan(q), q, q >= thresholds[:, None]), axis=1) for q in (signal, empty)]
    values = tails[0] / tails[1]
    return ToyHypotestResult(values[-1], values[:-1], jnp.stack([jnp.sum(~of.converged[:-1]) for of in found]))


class ClsScan(NamedTuple):
    """Expected CLs of each tested strength, from pseudo-experiments and from the asymptotic formulae.

    Attributes:
        toys: p-value under the tested strength of the median q_mu without signal, over that without signal.
        toys_error: its binomial standard deviation.
        asymptotic: `hypotests.expected_cls`.
    """

    toys: Float[Array, " mu"]
    toys_error: Float[Array, " mu"]
    asymptotic: Float[Array, " mu"]


def scan_cls(
    model: Model, tested_mu: Sequence[float], number: int, *, key: Key[Array, ""], first_index: int = 0
) -> ClsScan:
    """Expected CLs = CLs+b / CLb (arXiv:1007.1727 section 3.8) with sampling distributions thrown, not assumed.

    Args:
        model: what is thrown and fitted.
        tested_mu: strengths to test.
        number: data sets for each hypothesis; CLs well below 1 / number comes out as 0.
        key: source of randomness.
        first_index: number of the first strength, if these are part of a scan of more.
    """
    of = partial(jax.random.fold_in, key)  # 0 is that of no signal
    empty = throw(model, nominal_parameters(model, 0.0), number, key=of(0))
    asymptotic, points = jax.jit(expected_cls), []
    for place, mu in enumerate(map(jnp.asarray, np.asarray(tested_mu, float)), start=first_index + 1):
        thrown = empty, throw(model, nominal_parameters(model, mu), number, key=of(place))
        without, signal = (np.asarray(toy_statistics(model, toys, mu).q_mu) for toys in thrown)
        median = np.median(without)
        clsb, clb = np.mean(signal >= median), np.mean(without >= median)
        points.append((clsb / clb, np.sqrt(clsb * (1 - clsb) / number) / clb, float(asymptotic(model, mu))))
    return ClsScan(*jax.device_put(np.array(points).T))


@jax.jit
def asymptotic_density(q: Float[Array, " q"], shift: Float[Array, ""]) -> Float[Array, " q"]:
    """Density of q_mu or q_0 above zero, as Wald's approximation has it (arXiv:1007.1727 eqs. 49 and 55).

    f(q) = phi(sqrt q - shift) / (2 sqrt q); what is left to one is the share of data sets with q = 0.

    Args:
        q: values above zero.
        shift: distance of the true from the tested strength in units of sigma_mu, the root of q on Asimov data.
    """
    return norm.pdf(jnp.sqrt(q) - shift) / (2 * jnp.sqrt(q))
