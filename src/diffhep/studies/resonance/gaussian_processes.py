"""Gaussian processes that interpolate between numbers known at some masses (thesis 9.6.1), fitted by scikit-learn."""

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
"""First guesses of the length scales in GeV, those of further terms the same again."""

TERMS = {
    "rbf": lambda length: RBF(length, (1.0, 1e4)),
    "matern": lambda length: Matern(length, (1.0, 1e4), nu=2.5),
    "rational_quadratic": lambda length: RationalQuadratic(length, 1.0, (1.0, 1e4), (1e-3, 1e3)),
}


class Prediction(NamedTuple):
    """What is said of some points.

    Attributes:
        mean: expectation.
        error: standard deviation.
    """

    mean: Float[np.ndarray, " point"]
    error: Float[np.ndarray, " point"]


def kernel(terms: Sequence[str]) -> Kernel:
    """Sum of terms, each `rbf`, `matern` or `rational_quadratic` with an amplitude of its own, or `white`.

    Raises:
        ValueError: There is no such term.
    """
    parts = []
    for name in terms:
        if name not in (*TERMS, "white"):
            raise ValueError(f"a kernel has no term {name!r}: choose from {', '.join(TERMS)}, white")
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
    """A process whose kernel parameters have the largest marginal likelihood; values are scaled to mean 0 and width 1.

    Args:
        terms: Of the kernel.
        points: Where the values are known.
        values: There.
        restarts: Random first guesses beside the one of `kernel`.
        seed: Of these guesses.
    """
    process = GaussianProcessRegressor(
        kernel(terms), normalize_y=True, n_restarts_optimizer=restarts, random_state=seed, alpha=1e-8
    )
    with warnings.catch_warnings():  # a term that is not needed ends at a bound: no cause for concern
        warnings.simplefilter("ignore", ConvergenceWarning)
        return process.fit(points, values)


def predict(process: GaussianProcessRegressor, points: Float[np.ndarray, "point axis"]) -> Prediction:
    """Of values at some points, given those that the process was fitted to; errors include the noise of `white`."""
    return Prediction(*process.predict(points, return_std=True))


def cross_validate(
    fitted: Callable[[np.ndarray, np.ndarray], GaussianProcessRegressor],
    points: Float[np.ndarray, "point axis"],
    values: Float[np.ndarray, " point"],
    folds: KFold,
) -> Prediction:
    """What is said of each point by a process that was fitted without its fold.

    Args:
        fitted: Points and values to a process, as `fit` with its other arguments.
        points: Where the values are known.
        values: There.
        folds: Which points are left out together.
    """
    found = Prediction(np.empty(len(points)), np.empty(len(points)))
    for known, left_out in folds.split(points):
        process = fitted(points[known], values[known])
        found.mean[left_out], found.error[left_out] = predict(process, points[left_out])
    return found
