"""Expected contents of histograms as a smooth function of a few parameters: a polynomial fitted to simulated points."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from sklearn.preprocessing import PolynomialFeatures


class ResponseSurface(NamedTuple):
    """A polynomial of all parameters for every content.

    Attributes:
        order: total degree.
        centre: of the fitted points, shape (par,).
        reach: largest distance of them from it, shape (par,); parameters are scaled to -1 ... 1.
        coefficients: in the order of scikit-learn's `PolynomialFeatures`, of scaled parameters.
        residuals: contents less polynomial at the fitted points.
    """

    order: int
    centre: Float[np.ndarray, " par"]
    reach: Float[np.ndarray, " par"]
    coefficients: Float[np.ndarray, "coefficient ..."]
    residuals: Float[np.ndarray, "point ..."]

    def __call__(self, points: Float[np.ndarray, "n par"]) -> Float[np.ndarray, "n ..."]:
        """Contents at some points; not below 0, where a polynomial may lead but no expectation does."""
        terms = _terms(points, self.order, self.centre, self.reach)
        return np.maximum(np.tensordot(terms, self.coefficients, 1), 0.0)


def fit(
    points: Float[np.ndarray, "point par"], contents: Float[np.ndarray, "point ..."], order: int = 2
) -> ResponseSurface:
    """The polynomial of total degree `order`, with all cross terms, that has the least squared residuals.

    Every point counts the same, as it should if all were simulated with about the same number of events.

    Args:
        points: Values of the parameters.
        contents: There, of any shape behind the first axis.
        order: Of the polynomial.

    Raises:
        ValueError: The points are too few, or do not spread enough, to determine all coefficients.
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
    """All products of up to `order` scaled parameters, shape (point, coefficient)."""
    scaled = (points - centre) / np.where(reach > 0, reach, 1.0)
    return PolynomialFeatures(order).fit_transform(scaled)
