"""Objectives to train a network on: functions of its scores or of the statistical model, and weighted sums of them."""

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp
import optax
from jax.typing import ArrayLike
from jaxtyping import Array, Float

from diffhep.inference import fisher, hypotests, test_statistics, upper_limits
from diffhep.models.likelihood import Model, nominal_parameters

Scalar = Float[Array, ""]
EventValues = Float[ArrayLike, "sample event"]
"""One number per event; samples in the order signal, background, shifted backgrounds."""

ScoreObjective = Callable[[EventValues, EventValues], Scalar]
"""Function of the logits and the weights of all events; padding has weight zero."""

ModelObjective = Callable[[Model], Scalar]
"""Function of the statistical model built from the histograms of the scores."""

Loss = Callable[[EventValues, EventValues, Callable[[], Model]], Scalar]
"""Function of logits, weights and a function that builds the statistical model."""


def bce(logits: EventValues, weights: EventValues) -> Scalar:
    """Binary cross-entropy of signal against nominal background, without the shifted backgrounds (neos 3.1)."""
    return _cross_entropy(logits[:2], weights[:2])


def bce_augmented(logits: EventValues, weights: EventValues) -> Scalar:
    """Binary cross-entropy with the shifted backgrounds mixed into the background class (neos 3.1)."""
    return _cross_entropy(logits, weights)


@jax.jit
def _cross_entropy(logits: EventValues, weights: EventValues) -> Scalar:
    labels = jnp.zeros_like(logits).at[0].set(1)  # signal is the first sample
    losses = optax.sigmoid_binary_cross_entropy(logits, labels)
    return jnp.sum(weights * losses) / jnp.sum(weights)


def log_cls(model: Model) -> Scalar:
    """Logarithm of `cls`, with the same minimum but a gradient that does not vanish where CLs does (ours)."""
    return hypotests.expected_log_cls(model, 1.0)


def cls(model: Model) -> Scalar:
    """Median expected CLs of the signal strength mu = 1 without signal (neos eq. 1)."""
    return jnp.exp(log_cls(model))


def log_p0(model: Model) -> Scalar:
    """Logarithm of `p0` (ours)."""
    return hypotests.expected_log_p0(model)


def p0(model: Model) -> Scalar:
    """Median expected p-value of the background-only hypothesis if mu = 1 (thesis 7.2.6)."""
    return jnp.exp(log_p0(model))


def upper_limit(model: Model) -> Scalar:
    """Median expected upper limit on the signal strength at 95 % confidence level without signal (ours)."""
    return upper_limits.expected_upper_limit(model)


def _covariance(model: Model) -> Float[Array, "par par"]:
    return fisher.covariance(model, nominal_parameters(model, 1.0))


def poi_variance(model: Model) -> Scalar:
    """Variance of the fitted signal strength from the Fisher information at mu = 1, as in INFERNO (neos 3.1)."""
    poi = model.parameters.poi
    return _covariance(model)[poi, poi]


def poi_uncertainty(model: Model) -> Scalar:
    """Uncertainty sigma_mu of the fitted signal strength, the square root of `poi_variance` (thesis 7.6)."""
    return jnp.sqrt(poi_variance(model))


def nuisance_uncertainty(model: Model) -> Scalar:
    """Mean uncertainty sigma_gamma of the fitted nuisance parameters at mu = 1, in units of their priors."""
    variances = jnp.delete(jnp.diag(_covariance(model)), model.parameters.poi)
    return jnp.mean(jnp.sqrt(variances))


def nuisance_deviation(model: Model) -> Scalar:
    """(1 - sigma_gamma)², the constraint of the nuisance parameters beyond their priors (neos 4, thesis 7.4.1)."""
    return (1 - nuisance_uncertainty(model)) ** 2


def generalised_variance(model: Model) -> Scalar:
    """Determinant of the covariance matrix of all fitted parameters at mu = 1 (thesis 7.5)."""
    return fisher.generalised_variance(model, nominal_parameters(model, 1.0))


def gaussianity(model: Model) -> Scalar:
    """Distance of the likelihood at mu = 1 from the normal distribution of its Fisher information (thesis 7.5)."""
    return fisher.gaussianity(model, nominal_parameters(model, 1.0))


SCORE_OBJECTIVES: dict[str, ScoreObjective] = {"bce": bce, "bce_augmented": bce_augmented}
MODEL_OBJECTIVES: dict[str, ModelObjective] = {
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
OBJECTIVES: dict[str, ScoreObjective | ModelObjective] = SCORE_OBJECTIVES | MODEL_OBJECTIVES


def expected_p_values(model: Model) -> dict[str, Scalar]:
    """Return `cls`, `p0` and their logarithms by name; their two fits run in a loop, so that they compile once."""
    tested, true = jnp.array([1.0, 0.0]), jnp.array([0.0, 1.0])
    exclusion, discovery = jax.lax.map(lambda pair: test_statistics.expected_q(model, *pair), (tested, true))
    logarithms = {"log_cls": hypotests.log_cls(exclusion, exclusion), "log_p0": hypotests.log_p0(discovery)}
    return logarithms | {name.removeprefix("log_"): jnp.exp(value) for name, value in logarithms.items()}


def objective(terms: Mapping[str, float]) -> Loss:
    """Return the weighted sum of named objectives, e.g. a0 CLs + a1 sigma_mu + a2 (1 - sigma_gamma)² (neos 4).

    Args:
        terms: Weights of the objectives, by their names in `OBJECTIVES`.

    Returns:
        Function of logits, weights and a function that builds the statistical model, which is called only if a term
        depends on the model.

    Raises:
        ValueError: There are no terms, or a name is not in `OBJECTIVES`.

    Example:
        >>> loss = dh.objective({"bce": 1.0, "poi_variance": 0.1})
        >>> logits, weights = np.array([[2.0, 1.0], [-1.0, 0.5]]), np.ones((2, 2))
        >>> model = dh.signal_background(*np.array([[10.0], [100.0], [100.0], [100.0]]))
        >>> float(loss(logits, weights, lambda: model))
        0.54188...
    """
    unknown = sorted(set(terms) - set(OBJECTIVES))
    if unknown or not terms:
        raise ValueError(f"unknown objective {unknown or '(none given)'}; choose from {sorted(OBJECTIVES)}")

    def loss(logits, weights, build_model):
        model = None if set(terms) <= set(SCORE_OBJECTIVES) else build_model()
        values = {
            name: SCORE_OBJECTIVES[name](logits, weights) if name in SCORE_OBJECTIVES else MODEL_OBJECTIVES[name](model)
            for name in terms
        }
        return sum(weight * values[name] for name, weight in terms.items())

    return loss
