"""Normal distributions in a plane, one for each mean on a grid (thesis chapter 8)."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

SUBDIVISIONS = 8
"""Points along each side of a bin over which a density is averaged."""


def grid_means(low: float, high: float, points: int) -> Float[np.ndarray, "context axis"]:
    """Return means on a square grid, row by row from below.

    Args:
        low: Smallest coordinate on both axes.
        high: Largest coordinate on both axes.
        points: Number of means along each side.
    """
    axis = np.linspace(low, high, points)
    return np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)


def unit_covariances(means: Float[np.ndarray, "context axis"]) -> Float[np.ndarray, "context axis axis"]:
    """Return the covariances of example 1, "following the mean": unit matrices (thesis 8.3)."""
    return np.broadcast_to(np.eye(2), (len(means), 2, 2)).copy()


def firework_covariances(means: Float[np.ndarray, "context axis"]) -> Float[np.ndarray, "context axis axis"]:
    """Return the covariances of example 2, the "Gaussian firework" (thesis eq. 8.1, as printed).

    Sigma = M M^T with M = [[cos t, sin t], [-sin t, cos t]] diag(1/r, 1), t = arctan(mu_y / mu_x), r = |mu|.

    The printed arctan does not distinguish opposite quadrants, and need not: t and t + pi give equal Sigma. At
    mu_x = 0 it is the limit. At r = 0 the width 1/r has no limit, and such a mean is refused. The printed matrix
    rotates by -t, not t: the wide axis points at the origin on the diagonals and across them on the axes.

    Raises:
        ValueError: A mean is at the origin.
    """
    r = np.linalg.norm(means, axis=1)
    for context in np.flatnonzero(r == 0)[:1]:
        raise ValueError(f"mean {context} is (0, 0), where the width 1/r of eq. 8.1 is infinite: leave it out")
    t = np.arctan2(means[:, 1], means[:, 0])
    rotation = np.array([[np.cos(t), np.sin(t)], [-np.sin(t), np.cos(t)]]).transpose(2, 0, 1)
    m = rotation * np.stack([1 / r, np.ones_like(r)], axis=1)[:, None, :]
    return m @ m.transpose(0, 2, 1)


COVARIANCES = {"unit": unit_covariances, "firework": firework_covariances}


def draw(
    key: Key[Array, ""],
    means: Float[np.ndarray, "context axis"],
    covariances: Float[np.ndarray, "context axis axis"],
    events: int,
) -> Float[Array, "context event axis"]:
    """Draw events of each distribution, in single precision.

    Args:
        key: Source of randomness.
        means: Mean of each distribution.
        covariances: Covariance of each distribution.
        events: Number of events of each distribution.
    """
    return _draw(key, means, np.linalg.cholesky(covariances), events)


@partial(jax.jit, static_argnums=3)
def _draw(key, means, roots, events: int) -> Float[Array, "context event axis"]:
    noise = jax.random.normal(key, (len(means), events, 2))
    return (means[:, None] + jnp.einsum("cij,cej->cei", roots, noise)).astype(jnp.float32)


def log_density(
    points: Float[ArrayLike, "*axis xy"], mean: Float[ArrayLike, " xy"], covariance: Float[ArrayLike, "xy xy"]
) -> Float[Array, "*axis"]:
    """Return the log density of one distribution at points in the plane."""
    return jax.scipy.stats.multivariate_normal.logpdf(points, mean, covariance)


def bin_probabilities(
    mean: Float[ArrayLike, " xy"], covariance: Float[ArrayLike, "xy xy"], edges: Float[np.ndarray, " edge"]
) -> Float[Array, "y x"]:
    """Return the probability of each bin of a square around the mean, by the midpoint rule.

    Args:
        mean: Mean of the distribution.
        covariance: Covariance of the distribution.
        edges: Evenly spaced edges of the bins along both axes, relative to the mean.
    """
    fine = np.linspace(edges[0], edges[-1], (len(edges) - 1) * SUBDIVISIONS + 1)
    middle = (fine[1:] + fine[:-1]) / 2
    return _probabilities(mean, covariance, np.stack(np.meshgrid(middle, middle), axis=-1), (fine[1] - fine[0]) ** 2)


@jax.jit
def _probabilities(mean, covariance, offsets, area) -> Float[Array, "y x"]:
    bins = len(offsets) // SUBDIVISIONS
    density = jnp.exp(log_density(mean + offsets, mean, covariance)) * area
    return density.reshape(bins, SUBDIVISIONS, bins, SUBDIVISIONS).sum(axis=(1, 3))
