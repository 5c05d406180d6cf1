"""Effects of parameters on yields, and what constrains the parameters: the parts of a HistFactory model.

Each is a pytree of arrays with its parameters' indices fixed when compiling. A new kind of modifier is a class with a
`factor` or an `addition` and changes nothing else.
"""

from dataclasses import dataclass, field
from typing import Any, Literal

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array

STATIC = {"static": True}
"""Marks what is known when a program is compiled, not data of the pytree."""

Leaf = Any
"""An array of a pytree; not `Array`, because jax also rebuilds pytrees with placeholders in their leaves."""

Interpolation = Literal["code0", "code4p"]


class Modifier:
    """An effect of parameters on yields; a subclass overrides one of the two methods."""

    @property
    def kinked(self) -> tuple[int, ...]:
        """Parameters at whose zero the effect has a kink."""
        return ()

    def addition(self, nominal: Array, pars: Array) -> Array | float:
        """Events added to the nominal yields, broadcast to (sample, bin)."""
        del nominal, pars
        return 0.0

    def factor(self, nominal: Array, pars: Array) -> Array | float:
        """What the yields are multiplied with after all additions, broadcast to (sample, bin)."""
        del nominal, pars
        return 1.0


@register_dataclass
@dataclass(frozen=True)
class NormFactor(Modifier):
    """A free parameter that scales some samples, such as the signal strength."""

    parameter: int = field(metadata=STATIC)
    samples: tuple[int, ...] = field(metadata=STATIC)

    def factor(self, nominal: Array, pars: Array) -> Array:
        """The parameter for its samples, one for the others, shape (sample, 1)."""
        scaled = np.isin(np.arange(nominal.shape[0]), self.samples)[:, None]
        return jnp.where(scaled, pars[self.parameter], 1.0)


@register_dataclass
@dataclass(frozen=True)
class HistoSys(Modifier):
    """Systematic shifts of the yields, interpolated between templates at -1, 0 and +1 standard deviations.

    All of a model's shifts live in one object, so that a hundred cost little more than one. A sample that a shift does
    not touch has up = down = nominal.

    Attributes:
        parameters: index of the parameter of each shift.
        code: "code0", piecewise linear, or "code4p", a sextic polynomial inside ±1 and linear outside (both of pyhf).
        up: yields at +1, shape (shift, sample, bin).
        down: yields at -1, shape (shift, sample, bin).
    """

    parameters: tuple[int, ...] = field(metadata=STATIC)
    code: Interpolation = field(metadata=STATIC)
    up: Leaf
    down: Leaf

    @property
    def kinked(self) -> tuple[int, ...]:
        """All of them with code0."""
        return self.parameters if self.code == "code0" else ()

    def addition(self, nominal: Array, pars: Array) -> Array:
        """Sum over shifts of alpha S + h(alpha) A, with S = (up - down) / 2 and A = (up + down - 2 nominal) / 16.

        This is pyhf's code0 and code4p: outside ±1 (for code0 everywhere) h = 8 |alpha| makes it alpha (up - nominal)
        or alpha (nominal - down). At alpha = 0 code0 has a kink: its derivative is the one on the right, of "up".
        """
        alpha = _take(pars, self.parameters)
        symmetric = (self.up - self.down) / 2
        asymmetric = (self.up + self.down - 2 * nominal) / 16
        return jnp.tensordot(alpha, symmetric, 1) + jnp.tensordot(_bend(alpha, self.code), asymmetric, 1)


@register_dataclass
@dataclass(frozen=True)
class Constraints:
    """Unit normal densities of auxiliary data around their parameters."""

    parameters: tuple[int, ...] = field(metadata=STATIC)

    def log_density(self, pars: Array, auxiliary: Array) -> Array:
        """Sum of log Normal(auxiliary; parameter, 1) without the constant -log(2 pi)/2 of each."""
        return -0.5 * jnp.sum((_take(pars, self.parameters) - auxiliary) ** 2)

    def expected(self, pars: Array) -> Array:
        """Auxiliary data that measure the parameters exactly, shape (aux,)."""
        return _take(pars, self.parameters)

    def information(self, pars: Array) -> Array:
        """Fisher information of the auxiliary data on each parameter, shape (par,): one if constrained, else zero."""
        return jnp.asarray(np.isin(np.arange(pars.shape[0]), self.parameters), pars.dtype)


def _bend(alpha, code):
    """h(alpha) of `HistoSys.addition`."""
    line = 8 * jnp.where(alpha >= 0, alpha, -alpha)
    if code == "code0":
        return line
    square = alpha**2
    return jnp.where(square <= 1, square * (15 + square * (3 * square - 10)), line)


def _take(pars, indices):
    """pars[indices]; neighbours as a slice, which XLA vectorises and a gather it does not."""
    if indices == tuple(range(indices[0], indices[0] + len(indices))) if indices else False:
        return pars[indices[0] : indices[-1] + 1]
    return pars[np.asarray(indices, int)]
