"""What a network can be trained on: named objectives of one batch, and weighted sums of them."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import jax
import jax.numpy as jnp
import optax
from jaxtyping import Array, Float

from diffhep.inference import fisher, hypotests, test_statistics, upper_limits
from diffhep.models.likelihood import Model, nominal_parameters

Scalar = Float[Array, ""]


class Outcome(NamedTuple):
    """What one pass through the analysis makes of a batch.

    Attributes:
        logits: Network output of every event; samples in the order signal, background, shifted backgrounds.
        weights: Event weights, zero for padding.
        model: Statistical model built from the histograms of the scores.
    """

    logits: Float[Array, "sample event"]
    weights: Float[Array, "sample event"]
    model: Model


Objective = Callable[[Outcome], Scalar]


def bce(outcome: Outcome) -> Scalar:
    """Binary cross-entropy of signal against nominal background, blind to the shifts (neos 3.1)."""
    return _cross_entropy(outcome.logits[:2], outcome.weights[:2])


def bce_augmented(outcome: Outcome) -> Scalar:
    """Binary cross-entropy with the shifted backgrounds mixed into the background class (neos 3.1)."""
    return _cross_entropy(outcome.logits, outcome.weights)


@jax.jit
def _cross_entropy(logits: Float[Array, "sample event"], weights: Float[Array, "sample event"]) -> Scalar:
    labels = jnp.zeros_like(logits).at[0].set(1)  # signal is the first sample
    losses = optax.sigmoid_binary_cross_entropy(logits, labels)
    return jnp.sum(weights * losses) / jnp.sum(weights)


def log_cls(outcome: Outcome) -> Scalar:
    """Logarithm of `cls`: same minimum, but a gradient that does not vanish with it (ours)."""
    return hypotests.expected_log_cls(outcome.model, 1.0)


def cls(outcome: Outcome) -> Scalar:
    """Expected CLs of the signal hypothesis mu = 1 if there is no signal (neos eq. 1)."""
    return jnp.exp(log_cls(outcome))


def log_p0(outcome: Outcome) -> Scalar:
    """Logarithm of `p0` (ours)."""
    return hypotests.expected_log_p0(outcome.model)


def p0(outcome: Outcome) -> Scalar:
    """Expected p-value of the background-only hypothesis if mu = 1 (thesis 7.2.6)."""
    return jnp.exp(log_p0(outcome))


def upper_limit(outcome: Outcome) -> Scalar:
    """Median upper limit on the signal strength at 95 % confidence level if there is no signal (ours)."""
    return upper_limits.expected_upper_limit(outcome.model)


def _covariance(model: Model) -> Float[Array, "par par"]:
    return fisher.covariance(model, nominal_parameters(model, 1.0))


def poi_variance(outcome: Outcome) -> Scalar:
    """Variance of the fitted signal strength, from the Fisher information at mu = 1: INFERNO (neos 3.1)."""
    poi = outcome.model.parameters.poi
    return _covariance(outcome.model)[poi, poi]


def poi_uncertainty(outcome: Outcome) -> Scalar:
    """Uncertainty sigma_mu of the fitted signal strength: root of `poi_variance` (thesis 7.6)."""
    return jnp.sqrt(poi_variance(outcome))


def nuisance_uncertainty(outcome: Outcome) -> Scalar:
    """Uncertainty sigma_gamma of the fitted nuisance parameters at mu = 1, averaged over them; 1 before the fit."""
    variances = jnp.delete(jnp.diag(_covariance(outcome.model)), outcome.model.parameters.poi)
    return jnp.mean(jnp.sqrt(variances))


def nuisance_deviation(outcome: Outcome) -> Scalar:
    """(1 - sigma_gamma)²: how far the fit constrains a nuisance parameter beyond its prior (neos 4, thesis 7.4.1)."""
    return (1 - nuisance_uncertainty(outcome)) ** 2


def generalised_variance(outcome: Outcome) -> Scalar:
    """Determinant of the covariance matrix of all fitted parameters at mu = 1 (thesis 7.5)."""
    return fisher.generalised_variance(outcome.model, nominal_parameters(outcome.model, 1.0))


def gaussianity(outcome: Outcome) -> Scalar:
    """Distance of the likelihood at mu = 1 from the normal one that its Fisher information implies (thesis 7.5)."""
    return fisher.gaussianity(outcome.model, nominal_parameters(outcome.model, 1.0))


OBJECTIVES: dict[str, Objective] = {
    "bce": bce,
    "bce_augmented": bce_augmented,
    "cls": cls,
    "p0": p0,
    "log_cls": log_cls,
    "log_p0": log_p0,
    "upper_limit": upper_limit,
    "poi_variance": poi_variance,
    "poi_uncertainty": poi_uncertainty,
    "nuisance_uncertainty": nuisance_uncertainty,
    "nuisance_deviation": nuisance_deviation,
    "generalised_variance": generalised_variance,
    "gaussianity": gaussianity,
}


def expected_p_values(outcome: Outcome) -> dict[str, Scalar]:
    """`cls`, `p0` and their logarithms by name, their two fits in a loop: they compile as one."""
    tested, true = jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])
    exclusion, discovery = jax.lax.map(lambda pair: test_statistics.expected_q(outcome.model, *pair), (tested, true))
    logarithms = {"log_cls": hypotests.log_cls(exclusion, exclusion), "log_p0": hypotests.log_p0(discovery)}
    return logarithms | {name.removeprefix("log_"): jnp.exp(value) for name, value in logarithms.items()}


def objective(terms: Mapping[str, float]) -> Objective:
    """Weighted sum of named objectives, e.g. a0 CLs + a1 sigma_mu + a2 (1 - sigma_gamma)² (neos 4).

    Args:
        terms: Weight of each objective, by its name in `OBJECTIVES`.

    Raises:
        ValueError: No terms, or a name that is not in `OBJECTIVES`.
    """
    unknown = sorted(set(terms) - set(OBJECTIVES))
    if unknown or not terms:
        raise ValueError(f"unknown objective {unknown or '(none given)'}; choose from {sorted(OBJECTIVES)}")
    return lambda outcome: sum(weight * OBJECTIVES[name](outcome) for name, weight in terms.items())
