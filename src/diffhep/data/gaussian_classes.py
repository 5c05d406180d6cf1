"""Two classes of normal events in the plane, hidden in a space of more dimensions and distorted there.

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
        means: of each class.
        covariances: of each class.
    """

    means: Float[np.ndarray, "2 axis"]
    covariances: Float[np.ndarray, "2 axis axis"]


def build_classes(settings: Mapping[str, Any]) -> Classes:
    """The classes with the `means` and `covariances` of the settings."""
    return Classes(*(np.array(settings[name], float) for name in ("means", "covariances")))


def rotate(classes: Classes, angle: float) -> Classes:
    """Both turned around the origin of the plane, counter-clockwise."""
    cosine, sine = np.cos(angle), np.sin(angle)
    return transform(classes, np.array([[cosine, -sine], [sine, cosine]]))


def transform(classes: Classes, matrix: Float[np.ndarray, "axis axis"]) -> Classes:
    """Of M x instead of x: M mu and M Sigma M^T."""
    return Classes(classes.means @ matrix.T, matrix @ classes.covariances @ matrix.T)


def embed(classes: Classes, rest: Float[np.ndarray, "rest rest"]) -> Classes:
    """With further variables B z, z standard normal, that are the same in both classes (eq. 12, before Q)."""
    extra, dimension = len(rest), classes.means.shape[1]
    means = np.pad(classes.means, ((0, 0), (0, extra)))
    covariances = np.pad(classes.covariances, ((0, 0), (0, extra), (0, extra)))
    covariances[:, dimension:, dimension:] = rest @ rest.T
    return Classes(means, covariances)


def orthogonal_factor(matrix: Float[np.ndarray, "axis axis"]) -> Float[np.ndarray, "axis axis"]:
    """Q of M = Q R with a positive diagonal of R, so that it changes steadily with M."""
    q, r = np.linalg.qr(matrix)
    return q * np.where(np.diagonal(r) < 0, -1.0, 1.0)


class Embedding(NamedTuple):
    """The random matrices of one embedding.

    Attributes:
        rest: B, of the further variables.
        mixing: A, whose Q mixes all of them.
        deformation: the matrix that is added to A.
    """

    rest: Float[np.ndarray, "rest rest"]
    mixing: Float[np.ndarray, "axis axis"]
    deformation: Float[np.ndarray, "axis axis"]


def draw_embedding(rng: np.random.Generator, dimension: int) -> Embedding:
    """Matrices of standard normal numbers for two variables hidden in so many."""
    sizes = (dimension - 2, dimension, dimension)
    return Embedding(*(rng.normal(size=(size, size)) for size in sizes))


def distort(classes: Classes, space: Embedding, kind: str, amount: float) -> Classes:
    """The classes in the space, with a nuisance parameter phi of this amount.

    Args:
        classes: in the plane.
        space: that they are hidden in.
        kind: `rotation` by phi in the plane, or `deformation`, Q of A + phi A~ instead of A (paper section 5).
        amount: phi; at 0 both are the same.

    Raises:
        ValueError: There is no such kind.
    """
    if kind not in ("rotation", "deformation"):
        raise ValueError(f"distortion {kind!r} is unknown; choose rotation or deformation")
    turned = rotate(classes, amount) if kind == "rotation" else classes
    mixing = space.mixing + amount * space.deformation if kind == "deformation" else space.mixing
    return transform(embed(turned, space.rest), orthogonal_factor(mixing))


def draw(rng: np.random.Generator, classes: Classes, events: int) -> Float[np.ndarray, "2 event axis"]:
    """So many events of each class."""
    pairs = zip(*classes, strict=True)
    return np.stack([rng.multivariate_normal(mean, cov, events, method="cholesky") for mean, cov in pairs])


def log_densities(classes: Classes, events: Float[np.ndarray, "*event axis"]) -> Float[np.ndarray, "2 *event"]:
    """Log of the density of each class."""
    return np.stack([multivariate_normal.logpdf(events, mean, cov) for mean, cov in zip(*classes, strict=True)])


def averaged_log_densities(
    several: Sequence[Classes], events: Float[np.ndarray, "*event axis"]
) -> Float[np.ndarray, "2 *event"]:
    """Log of the mean of several densities of each class, as of an unknown nuisance parameter."""
    return np.logaddexp.reduce([log_densities(each, events) for each in several]) - np.log(len(several))
