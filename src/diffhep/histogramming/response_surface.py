"""Response surfaces: contents of histograms as polynomials of a few parameters, fitted to simulated points."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.preprocessing import PolynomialFeatures


class ResponseSurface(NamedTuple):
    """Polynomial of all parameters for every content of a histogram.

    Attributes:
        order: Total degree.
        centre: Mean of the fitted points.
        reach: Largest distance of a fitted point from the centre; parameters are scaled by it to -1 ... 1.
        coefficients: Coefficients of the scaled parameters, in the order of scikit-learn's `PolynomialFeatures`.
        residuals: Contents minus polynomial at the fitted points.
    """

    order: int
    centre: Float[np.ndarray, " par"]
    reach: Float[np.ndarray, " par"]
    coefficients: Float[np.ndarray, "coefficient ..."]
    residuals: Float[np.ndarray, "point ..."]

    def __call__(self, points: Float[np.ndarray, "n par"]) -> Float[np.ndarray, "n ..."]:
        """Evaluate the contents at some points; negative values, which no expectation has, are set to 0."""
        terms = _terms(points, self.order, self.centre, self.reach)
        return np.maximum(np.tensordot(terms, self.coefficients, 1), 0.0)


def fit(
    points: Float[np.ndarray, "point par"], contents: Float[np.ndarray, "point ..."], order: int = 2
) -> ResponseSurface:
    """Fit a polynomial with all cross terms by least squares.

    All points have equal weights, which is right if all were simulated with about equally many events.

    Args:
        points: Values of the parameters.
        contents: Contents at the points.
        order: Total degree of the polynomial.

    Raises:
        ValueError: The points do not determine all coefficients.
    """
    centre = points.mean(axis=0)
    reach = np.abs(points - centre).max(axis=0, initial=0.0)
    terms = _terms(points, order, centre, reach)
    coefficients, _, rank, _ = np.linalg.lstsq(terms, contents.reshape(len(points), -1))
    needed = terms.shape[1]
    if rank < needed:
        raise ValueError(
            f"{len(points)} points determine {rank} of the {needed} coefficients of a polynomial of order {order} in "
            f"{points.shape[1]} parameters: simulate more points, vary every parameter, or lower the order"
        )
    coefficients = coefficients.reshape(needed, *contents.shape[1:])
    return ResponseSurface(order, centre, reach, coefficients, contents - np.tensordot(terms, coefficients, 1))


def _terms(points, order, centre, reach):
    """Products of up to `order` scaled parameters, shape (point, coefficient)."""
    scaled = (points - centre) / np.where(reach > 0, reach, 1.0)
    return PolynomialFeatures(order).fit_transform(scaled)
