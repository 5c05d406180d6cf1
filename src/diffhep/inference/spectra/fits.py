"""Fits of sums of shapes to spectra, as functions of the bin contents that compile, vectorise and have derivatives.

Amplitudes are always solved in closed form. Other parameters, where there are any, are found by Levenberg and
Marquardt's method on what is left (variable projection, Golub and Pereyra 1973), and have implicit derivatives.
"""

from collections.abc import Sequence
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from diffhep.inference.newton.linear_algebra import positive_definite_solver
from diffhep.inference.spectra.shapes import Shape

FLOOR = 1e-3
"""Smallest bin content, and smallest expectation, that a fit divides by."""

MAX_STEPS = 60
TOLERANCE = 1e-12
"""Gain of a step, in what is minimised, below which a fit stops."""

STEP_LENGTHS = (1.0, 0.5, 0.25, 0.1, 0.01)


class SpectrumFit(NamedTuple):
    """A spectrum that fits best.

    Attributes:
        contents: of the bins.
        amplitudes: of all shapes in their order.
        parameters: others, of all shapes in their order.
        value: what was minimised: chi², or -2 log of the likelihood ratio to the data themselves.
    """

    contents: Float[Array, " bin"]
    amplitudes: Float[Array, " amplitude"]
    parameters: Float[Array, " parameter"]
    value: Float[Array, ""]


def templates(shapes: Sequence[Shape], parameters: Float[Array, " parameter"]) -> Float[Array, "amplitude bin"]:
    """Bin contents of every amplitude."""
    parts, done = [], 0
    for shape in shapes:
        size = len(shape.start)
        parts.append(shape.templates(parameters[done : done + size]))
        done += size
    return jnp.concatenate(parts)


def chi_square(shapes: Sequence[Shape], counts: Float[Array, " bin"]) -> SpectrumFit:
    """Least squares weighted with 1 / counts (Neyman's chi², Split-N-Fit eqs. 2 and 3).

    Args:
        shapes: What adds up to the spectrum.
        counts: Bin contents, need not be whole numbers.
    """
    first = jnp.array([value for shape in shapes for value in shape.start], float)
    parameters = _minimum(tuple(shapes), first, counts) if len(first) else first
    return _solve_amplitudes(templates(shapes, parameters), counts, parameters)


def _residuals(shapes, parameters, counts):
    """Residuals after the fit of the amplitudes, in standard deviations of each bin."""
    found = _solve_amplitudes(templates(shapes, parameters), counts, parameters)
    return (found.contents - counts) / jnp.sqrt(jnp.maximum(counts, FLOOR))


@partial(jax.custom_vjp, nondiff_argnums=(0,))
def _minimum(shapes, first, counts):
    """Parameters of the least sum of squares, by steps of (J^T J + damping diag J^T J) x = -J^T r."""

    def step(state):
        number, x, damping, _ = state
        rest, jacobian = _residuals(shapes, x, counts), jax.jacfwd(lambda x: _residuals(shapes, x, counts))(x)
        matrix = jacobian.T @ jacobian
        diagonal = jnp.diagonal(matrix) + 1e-30
        tried = x - positive_definite_solver(matrix + jnp.diag(damping * diagonal))(jacobian.T @ rest)
        gain = rest @ rest - jnp.sum(_residuals(shapes, tried, counts) ** 2)
        better = gain >= 0
        return (
            number + 1,
            jnp.where(better, tried, x),
            damping * jnp.where(better, 0.2, 5.0),
            jnp.where(better, gain, 1.0),
        )

    def unfinished(state):
        return (state[0] < MAX_STEPS) & (state[3] > TOLERANCE)

    return jax.lax.while_loop(unfinished, step, (0, first, jnp.array(1e-2), jnp.array(jnp.inf)))[1]


def _minimum_forward(shapes, first, counts):
    found = _minimum(shapes, first, counts)
    return found, (found, counts)


def _minimum_backward(shapes, known, cotangent):
    """The implicit function theorem: dx / dh = -(d²chi² / dx²)^-1 d²chi² / dx dh."""
    found, counts = known

    def slope(x, counts):
        return jax.grad(lambda x: jnp.sum(_residuals(shapes, x, counts) ** 2))(x)

    turned = positive_definite_solver(jax.jacfwd(slope)(found, counts))(-cotangent)
    (by_counts,) = jax.vjp(lambda counts: slope(found, counts), counts)[1](turned)
    return jnp.zeros_like(found), by_counts


_minimum.defvjp(_minimum_forward, _minimum_backward)


def _solve_amplitudes(found: Float[Array, "amplitude bin"], counts, parameters) -> SpectrumFit:
    """Amplitudes of the normal equations (A^T W A) x = A^T W h with W = 1 / h."""
    weights = 1 / jnp.maximum(counts, FLOOR)
    scale = jnp.sqrt(jnp.sum(found**2 * weights, axis=1))
    basis = found / scale[:, None]
    matrix = (basis * weights) @ basis.T
    amplitudes = positive_definite_solver(matrix + 1e-12 * jnp.eye(len(matrix)))(basis @ (weights * counts))
    contents = amplitudes @ basis
    return SpectrumFit(contents, amplitudes / scale, parameters, jnp.sum(weights * (counts - contents) ** 2))


def poisson(shapes: Sequence[Shape], counts: Float[Array, " bin"]) -> SpectrumFit:
    """Maximum likelihood of Poisson counts, by Fisher scoring from the fit of `chi_square`; not differentiable.

    value = 2 sum f - h + h log(h / f).
    """
    begin = chi_square(shapes, jnp.maximum(counts, 1.0))
    size = len(begin.amplitudes)
    start = jnp.concatenate([begin.amplitudes, begin.parameters])

    def expected(x):
        return x[:size] @ templates(shapes, x[size:])

    def deviance(x):
        f = jnp.maximum(expected(x), FLOOR)
        return 2 * jnp.sum(f - counts + jax.scipy.special.xlogy(counts, counts / f))

    def step(state):
        number, x, _ = state
        f, jacobian = jnp.maximum(expected(x), FLOOR), jax.jacfwd(expected)(x)
        scale = jnp.sqrt(jnp.sum(jacobian**2 / f[:, None], axis=0)) + 1e-30
        basis = jacobian / scale
        matrix = (basis.T / f) @ basis + 1e-10 * jnp.eye(len(x))
        direction = positive_definite_solver(matrix)(basis.T @ (counts / f - 1)) / scale
        tried = jnp.stack([x + length * direction for length in STEP_LENGTHS] + [x])
        values = jax.vmap(deviance)(tried)
        best = jnp.argmin(values)
        return number + 1, tried[best], values[-1] - values[best]

    def unfinished(state):
        return (state[0] < MAX_STEPS) & (state[2] > TOLERANCE)

    _, x, _ = jax.lax.while_loop(unfinished, step, (0, start, jnp.array(jnp.inf)))
    return SpectrumFit(expected(x), x[:size], x[size:], deviance(x))


def significance(signal: Shape, background: Shape, counts: Float[Array, " bin"]) -> Float[Array, ""]:
    """Signed root of 2 Delta log L between background alone and with a signal, negative where there is a deficit."""
    alone, both = poisson([background], counts), poisson([background, signal], counts)
    signs = jnp.sign(both.amplitudes[-1])
    return signs * jnp.sqrt(jnp.maximum(alone.value - both.value, 0.0))
