"""Two classes of normally distributed events in a plane, embedded in a space of more dimensions and distorted.

Signal is the first class and background the second (contrastive flows eqs. 11 and 12).
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import multivariate_normal


class Classes(NamedTuple):
    """Normal distributions of both classes.

    Attributes:
        means: Mean of each class.
        covariances: Covariance matrix of each class.
    """

    means: Float[np.ndarray, "2 axis"]
    covariances: Float[np.ndarray, "2 axis axis"]


def build_classes(settings: Mapping[str, Any]) -> Classes:
    """Return the classes with the `means` and `covariances` of the settings."""
    return Classes(*(np.array(settings[name], float) for name in ("means", "covariances")))


def rotate(classes: Classes, angle: float) -> Classes:
    """Rotate both classes counter-clockwise around the origin of the plane.

    Args:
        classes: Classes in the plane.
        angle: Angle in rad.
    """
    cosine, sine = np.cos(angle), np.sin(angle)
    return transform(classes, np.array([[cosine, -sine], [sine, cosine]]))


def transform(classes: Classes, matrix: Float[np.ndarray, "axis axis"]) -> Classes:
    """Return the distributions of M x: means M mu and covariances M Sigma M^T."""
    return Classes(classes.means @ matrix.T, matrix @ classes.covariances @ matrix.T)


def embed(classes: Classes, rest: Float[np.ndarray, "rest rest"]) -> Classes:
    """Add variables B z with z standard normal, equal in both classes (eq. 12, before Q).

    Args:
        classes: Classes in the plane.
        rest: Matrix B.
    """
    extra, dimension = len(rest), classes.means.shape[1]
    means = np.pad(classes.means, ((0, 0), (0, extra)))
    covariances = np.pad(classes.covariances, ((0, 0), (0, extra), (0, extra)))
    covariances[:, dimension:, dimension:] = rest @ rest.T
    return Classes(means, covariances)


def orthogonal_factor(matrix: Float[np.ndarray, "axis axis"]) -> Float[np.ndarray, "axis axis"]:
    """Return Q of M = Q R; the diagonal of R is positive, so that Q is continuous in M."""
    q, r = np.linalg.qr(matrix)
    return q * np.where(np.diagonal(r) < 0, -1.0, 1.0)


class Embedding(NamedTuple):
    """Random matrices of an embedding.

    Attributes:
        rest: Matrix B of the further variables.
        mixing: Matrix A, whose factor Q mixes all variables.
        deformation: Matrix A~ that a deformation adds to A.
    """

    rest: Float[np.ndarray, "rest rest"]
    mixing: Float[np.ndarray, "axis axis"]
    deformation: Float[np.ndarray, "axis axis"]


def draw_embedding(rng: np.random.Generator, dimension: int) -> Embedding:
    """Draw matrices of standard normal numbers that embed a plane in more dimensions.

    Args:
        rng: Source of randomness.
        dimension: Number of dimensions, the two of the plane included.
    """
    sizes = (dimension - 2, dimension, dimension)
    return Embedding(*(rng.normal(size=(size, size)) for size in sizes))


def distort(classes: Classes, space: Embedding, kind: str, amount: float) -> Classes:
    """Embed and distort the classes, with a nuisance parameter phi.

    Args:
        classes: Classes in the plane.
        space: Embedding.
        kind: `rotation` by phi in the plane, or `deformation`, Q of A + phi A~ instead of A (paper section 5).
        amount: Value of phi; at 0 both kinds give equal distributions.

    Raises:
        ValueError: The kind is unknown.
    """
    if kind not in ("rotation", "deformation"):
        raise ValueError(f"distortion {kind!r} is unknown; choose rotation or deformation")
    rotated = rotate(classes, amount) if kind == "rotation" else classes
    mixing = space.mixing + amount * space.deformation if kind == "deformation" else space.mixing
    return transform(embed(rotated, space.rest), orthogonal_factor(mixing))


def draw(rng: np.random.Generator, classes: Classes, events: int) -> Float[np.ndarray, "2 event axis"]:
    """Draw events of each class.

    Args:
        rng: Source of randomness.
        classes: Distributions of both classes.
        events: Number of events of each class.
    """
    pairs = zip(*classes, strict=True)
    return np.stack([rng.multivariate_normal(mean, cov, events, method="cholesky") for mean, cov in pairs])


def log_densities(classes: Classes, events: Float[np.ndarray, "*event axis"]) -> Float[np.ndarray, "2 *event"]:
    """Return the log density of each class at the events."""
    return np.stack([multivariate_normal.logpdf(events, mean, cov) for mean, cov in zip(*classes, strict=True)])


def averaged_log_densities(
    several: Sequence[Classes], events: Float[np.ndarray, "*event axis"]
) -> Float[np.ndarray, "2 *event"]:
    """Return the log of the mean density of each class over several values of a nuisance parameter.

    Args:
        several: Classes at each value of the nuisance parameter.
        events: Points at which the densities are evaluated.
    """
    return np.logaddexp.reduce([log_densities(each, events) for each in several]) - np.log(len(several))
