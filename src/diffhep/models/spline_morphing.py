"""Spline morphing of yields on a grid of two nuisance parameters, for the fit of the contrastive-flow paper.

Section 6.2 of the paper builds "with spline interpolation a binned likelihood" from histograms on a dense grid of the
shifts of two energy scales. In the authors' code each bin has a bivariate spline.
"""

import functools
import math
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Real
from scipy.interpolate import BSpline, make_interp_spline

from diffhep.models.constraints import unit_normal
from diffhep.models.likelihood import Model, Parameters
from diffhep.models.modifiers import STATIC, Leaf, Modifier, NormFactor, gather

ORDER = 4
"""Order of cubic splines: coefficients of a piece, and B-splines that overlap at a point."""


@register_dataclass
@dataclass(frozen=True)
class SplineTemplates(Modifier):
    """Yields T(a1, a2) interpolated on a grid of two shifts by a tensor product of cubic splines.

    T = sum over i, j of B_i(a1) B_j(a2) coefficients[i, j], where B_i are the B-splines of the knots, four of which
    are nonzero at any point. Outside the grid, T is continued linearly in each shift. Between nodes a spline can
    undershoot: an exponential replaces a negative rate, see `likelihood.expected_rates`.

    Attributes:
        parameters: Index of the parameter of each of the two shifts, in standard deviations.
        knots: Knots of the splines in either shift, ascending, with the first and the last repeated four times.
        coefficients: Coefficients of the B-splines, shape (node, node, sample, bin).
    """

    parameters: tuple[int, int] = field(metadata=STATIC)
    knots: tuple[float, ...] = field(metadata=STATIC)
    coefficients: Leaf

    @property
    def shifts(self) -> tuple[int, ...]:
        """Indices of the two parameters."""
        return self.parameters

    def addition(self, nominal: Array, pars: Array) -> Array:
        """Return T(a1, a2) - nominal, so that the yields are T for any nominal yields."""
        intervals, weights = jax.vmap(lambda shift: _b_splines(self.knots, shift))(gather(pars, self.parameters))
        shape = (ORDER, ORDER, *self.coefficients.shape[2:])
        patch = jax.lax.dynamic_slice(self.coefficients, jnp.pad(intervals, (0, 2)), shape)
        return jnp.tensordot(jnp.outer(*weights), patch, 2) - nominal


def interpolate_templates(
    parameters: tuple[int, int],
    nodes: Float[np.ndarray, " node"],
    templates: Float[np.ndarray, "node node sample bin"],
) -> SplineTemplates:
    """Interpolate templates at all pairs of nodes by splines without a knot at the second and last but one node.

    Args:
        parameters: Index of the parameter of each of the two shifts.
        nodes: Values of either shift, in standard deviations, ascending.
        templates: Yields at the pairs of nodes.
    """
    along_first = make_interp_spline(nodes, templates)
    along_both = make_interp_spline(nodes, along_first.c, axis=1)
    coefficients = jax.device_put(np.moveaxis(along_both.c, 0, 1))  # scipy moves the axis of the spline to the front
    return SplineTemplates(parameters, tuple(along_first.t.tolist()), coefficients)


def _b_splines(knots, shift):
    """Return the index of the first B-spline that is nonzero at the shift, and the values of all four."""
    breaks, pieces = np.array(knots[ORDER - 1 : 1 - ORDER]), jnp.asarray(_pieces(knots))
    inside = jnp.clip(shift, breaks[0], breaks[-1])
    interval = jnp.searchsorted(breaks[1:-1], inside, side="right")
    constant, linear, square, cubic = pieces[interval]
    distance = inside - jnp.asarray(breaks)[interval]
    value = ((cubic * distance + square) * distance + linear) * distance + constant
    slope = (3 * cubic * distance + 2 * square) * distance + linear
    return interval, value + (shift - inside) * slope


@functools.cache
def _pieces(knots):
    """Taylor coefficients of the four B-splines at the start of each interval, shape (interval, power, 4)."""
    number = len(knots) - ORDER
    splines, starts = BSpline(knots, np.eye(number), ORDER - 1), knots[ORDER - 1 : -ORDER]
    taylor = np.stack([splines(starts, power) / math.factorial(power) for power in range(ORDER)], axis=1)
    return np.stack([powers[:, interval : interval + ORDER] for interval, powers in enumerate(taylor)])


def spline_morphing_model(
    nodes: Real[ArrayLike, " node"],
    templates: Real[ArrayLike, "first second sample bin"],
    names: tuple[str, str] = ("tes", "jes"),
) -> Model:
    """Build the model of a signal over a background, both shifted by two nuisance parameters.

    The rate is scale [mu signal(a1, a2) + background(a1, a2)], with a unit normal constraint on each shift. The
    normalisation `scale` is free: at its best fit the expected number of events equals the observed one, so that the
    likelihood is the multinomial one of the shape. The authors' code also scales its templates to the observed
    number of events. mu may be negative, so that its estimate is not biased near 0: its bounds are -10 and 20.

    Args:
        nodes: Values of either shift with templates, in standard deviations, ascending, at least 4.
        templates: Expected events of signal (at mu = 1) and background, shape (node, node, 2, bin).
        names: Names of the two shifts.

    Raises:
        ValueError: There are too few nodes or they do not ascend, the shape of the templates does not fit, or a yield
            is negative or not finite.
    """
    nodes, templates = np.asarray(nodes, float), np.asarray(templates, float)
    _check(nodes, templates)
    splines = interpolate_templates((1, 2), nodes, templates)
    labels = ("mu", *names, "scale")
    return Model(
        nominal=jax.jit(SplineTemplates.addition)(splines, np.zeros(templates.shape[2:]), np.zeros(4)),
        modifiers=(splines, NormFactor(0, ((True,), (False,))), NormFactor(3, ((True,), (True,)))),
        constraints=unit_normal((1, 2)),
        parameters=Parameters(
            names=labels,
            modifiers=labels,
            initial=(1.0, 0.0, 0.0, 1.0),
            bounds=((-10.0, 20.0), (-5.0, 5.0), (-5.0, 5.0), (0.0, 10.0)),
            fixed=(False,) * 4,
            poi=0,
        ),
    )


def _check(nodes, templates):
    if len(nodes) < 4 or not (np.diff(nodes) > 0).all():
        raise ValueError(f"nodes are {nodes.tolist()}: give at least 4 for a cubic spline, in ascending order")
    if templates.shape[:3] != (len(nodes), len(nodes), 2):
        raise ValueError(
            f"templates have shape {templates.shape}: with {len(nodes)} nodes give ({len(nodes)}, {len(nodes)}, 2, "
            "bin), signal before background"
        )
    for index in np.argwhere(~(np.isfinite(templates) & (templates >= 0)))[:1]:
        first, second, sample, number = index.tolist()
        raise ValueError(
            f"the template of {('signal', 'background')[sample]} at nodes {first} and {second} is "
            f"{templates[tuple(index)]} in bin {number}: yields must be finite and not negative"
        )
