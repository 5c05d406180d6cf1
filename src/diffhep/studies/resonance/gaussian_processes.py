"""Gaussian processes that interpolate a function of the masses (thesis 9.6.1), fitted with scikit-learn."""

import warnings
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF, ConstantKernel, Kernel, Matern, RationalQuadratic, WhiteKernel
from sklearn.model_selection import KFold

INITIAL_LENGTH_SCALES = (300.0, 30.0)
"""Initial length scales in GeV: of the first term, and of all further terms."""

TERMS = {
    "rbf": lambda length: RBF(length, (1.0, 1e4)),
    "matern": lambda length: Matern(length, (1.0, 1e4), nu=2.5),
    "rational_quadratic": lambda length: RationalQuadratic(length, 1.0, (1.0, 1e4), (1e-3, 1e3)),
}


class Prediction(NamedTuple):
    """Posterior of a process at some points.

    Attributes:
        mean: Expected values.
        error: Standard deviations.
    """

    mean: Float[np.ndarray, " point"]
    error: Float[np.ndarray, " point"]


def kernel(terms: Sequence[str]) -> Kernel:
    """Build a kernel as a sum of terms.

    Args:
        terms: `rbf`, `matern` and `rational_quadratic`, each with an amplitude of its own, or `white` noise.

    Returns:
        The kernel with initial parameters.

    Raises:
        ValueError: A term is unknown.
    """
    parts = []
    for name in terms:
        if name not in (*TERMS, "white"):
            raise ValueError(f"kernel term {name!r} is unknown; choose from {', '.join(TERMS)}, white")
        if name == "white":
            parts.append(WhiteKernel(1e-2, (1e-8, 1e1)))
        else:
            parts.append(ConstantKernel(1.0, (1e-6, 1e4)) * TERMS[name](INITIAL_LENGTH_SCALES[min(len(parts), 1)]))
    total = parts[0]
    for part in parts[1:]:
        total = total + part
    return total


def fit(
    terms: Sequence[str],
    points: Float[np.ndarray, "point axis"],
    values: Float[np.ndarray, " point"],
    *,
    restarts: int,
    seed: int,
) -> GaussianProcessRegressor:
    """Fit a process by maximising the marginal likelihood of its kernel parameters.

    Values are scaled to mean 0 and width 1.

    Args:
        terms: Terms of the kernel, as in `kernel`.
        points: Points at which the values are known.
        values: Values at these points.
        restarts: Number of random initial parameters in addition to those of `kernel`.
        seed: Seed of the random initial parameters.

    Returns:
        The fitted process.
    """
    process = GaussianProcessRegressor(
        kernel(terms), normalize_y=True, n_restarts_optimizer=restarts, random_state=seed, alpha=1e-8
    )
    with warnings.catch_warnings():  # parameters of a term that is not needed end at a bound, which is harmless
        warnings.simplefilter("ignore", ConvergenceWarning)
        return process.fit(points, values)


def predict(process: GaussianProcessRegressor, points: Float[np.ndarray, "point axis"]) -> Prediction:
    """Predict the values at some points.

    Args:
        process: Fitted process.
        points: Points.

    Returns:
        Means and standard deviations, which include the noise of a `white` term.
    """
    return Prediction(*process.predict(points, return_std=True))


def cross_validate(
    fit_process: Callable[[np.ndarray, np.ndarray], GaussianProcessRegressor],
    points: Float[np.ndarray, "point axis"],
    values: Float[np.ndarray, " point"],
    folds: KFold,
) -> Prediction:
    """Predict the value at each point by a process that was fitted without the point's fold.

    Args:
        fit_process: Maps points and values to a fitted process, as `fit` with its other arguments bound.
        points: Points at which the values are known.
        values: Values at these points.
        folds: Split into folds.

    Returns:
        Means and standard deviations at all points.
    """
    prediction = Prediction(np.empty(len(points)), np.empty(len(points)))
    for known, left_out in folds.split(points):
        process = fit_process(points[known], values[known])
        prediction.mean[left_out], prediction.error[left_out] = predict(process, points[left_out])
    return prediction
