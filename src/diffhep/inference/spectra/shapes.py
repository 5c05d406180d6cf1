"""Shapes of spectra in bins of a mass, by name: what Split-N-Fit fits to both of its histograms.

A shape's contents are integrals over the bins. Numbers in settings are fixed; a parameter given as [start] is fitted.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax.numpy as jnp
import numpy as np
from jax.scipy.stats import norm
from jaxtyping import Array, Float

NODES, WEIGHTS = np.polynomial.legendre.leggauss(4)
"""Gauss-Legendre points at which densities without a closed integral are averaged over a bin."""

Edges = Float[np.ndarray, " edge"]


class Shape(NamedTuple):
    """One term of a spectrum: linear in its amplitudes, not in its other parameters.

    Attributes:
        templates: other parameters to bin contents of each amplitude, shape (amplitude, bin).
        start: first guesses of the parameters that are fitted.
    """

    templates: Callable[[Float[Array, " parameter"]], Float[Array, "amplitude bin"]]
    start: tuple[float, ...]


def build_shape(settings: Mapping[str, Any], edges: Edges) -> Shape:
    """The shape that settings name.

    Args:
        settings: `shape`, and the parameters of the function of that name below.
        edges: Of the bins.

    Raises:
        ValueError: There is no such shape, or its parameters are others.
    """
    name, given = settings["shape"], {key: value for key, value in settings.items() if key != "shape"}
    if name not in SHAPES:
        raise ValueError(f"shape {name!r} is unknown: choose from {', '.join(SHAPES)}")
    contents, names = SHAPES[name]
    if set(given) != set(names):
        raise ValueError(f"shape {name} takes {', '.join(names)}, not {', '.join(given) or 'nothing'}")
    free = [key for key in names if isinstance(given[key], Sequence)]

    def templates(parameters):
        values = {**given, **dict(zip(free, parameters, strict=True))}
        return jnp.atleast_2d(contents(edges, **values))

    return Shape(templates, tuple(float(given[key][0]) for key in free))


def polynomial(edges: Edges, order: int) -> Array:
    """Powers 0 to `order` of u, which runs from -1 to 1 over all bins; of an amplitude of 1, the mean in a bin."""
    u = 2 * (edges - edges[0]) / (edges[-1] - edges[0]) - 1
    powers = np.arange(1, order + 2)[:, None]
    return jnp.asarray(np.diff(u**powers, axis=1) / powers / np.diff(u))


def gaussian(edges: Edges, mean: Any, width: Any) -> Array:
    """Normal distribution of one event."""
    return jnp.diff(norm.cdf(edges, mean, width))


def breit_wigner(edges: Edges, mean: Any, width: Any) -> Array:
    """Non-relativistic Breit-Wigner (Cauchy) distribution of one event, `width` the full one at half maximum."""
    return jnp.diff(jnp.arctan(2 * (edges - mean) / width)) / jnp.pi


def exponential(edges: Edges, scale: Any) -> Array:
    """exp(-m / scale) of one event in all bins."""
    falling = jnp.exp(-(edges - edges[0]) / scale)
    return -jnp.diff(falling) / (1 - falling[-1])


def crystal_ball(edges: Edges, mean: Any, width: Any, alpha: Any, power: Any) -> Array:
    """Normal core with a power-law tail below mean - alpha width (Gaiser, SLAC-R-255, 1982), 1 at its maximum.

    With t = (m - mean) / width: exp(-t²/2) above -alpha, and [1 - alpha (alpha + t) / power]^-power exp(-alpha²/2)
    below; times the bins' widths.
    """
    t = (_quadrature_points(edges) - mean) / width
    below = jnp.maximum(1 - alpha / power * (alpha + jnp.minimum(t, -alpha)), 1e-9)
    tail = jnp.exp(-(alpha**2) / 2 - power * jnp.log(below))
    return jnp.where(t > -alpha, jnp.exp(-(t**2) / 2), tail) @ (WEIGHTS / 2) * np.diff(edges)


def _quadrature_points(edges: Edges) -> np.ndarray:
    """Points at which densities are evaluated (bin, node)."""
    middle, half = (edges[1:] + edges[:-1]) / 2, np.diff(edges) / 2
    return middle[:, None] + half[:, None] * NODES


SHAPES: dict[str, tuple[Callable[..., Array], tuple[str, ...]]] = {
    "polynomial": (polynomial, ("order",)),
    "gaussian": (gaussian, ("mean", "width")),
    "breit_wigner": (breit_wigner, ("mean", "width")),
    "exponential": (exponential, ("scale",)),
    "crystal_ball": (crystal_ball, ("mean", "width", "alpha", "power")),
}
