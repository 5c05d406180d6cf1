"""Effects of parameters on yields: the parts of a HistFactory model.

Each is a pytree of arrays with its parameters' indices fixed when compiling. A new kind of modifier is a class with a
`factor` or an `addition` and changes nothing else.
"""

import functools
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array

from diffhep.models.interpolation import KINKED_CODES, HistoSysCode, NormSysCode, asymmetry_weight, normsys_factor

STATIC = {"static": True}
"""Marks what is known when a program is compiled, not data of the pytree."""

Leaf = Any
"""An array of a pytree; not `Array`, because jax also rebuilds pytrees with placeholders in their leaves."""


class Modifier:
    """An effect of parameters on yields; a subclass overrides one of the two methods."""

    @property
    def shifts(self) -> tuple[int, ...]:
        """Parameters, in standard deviations, that move between templates."""
        return ()

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
    """A parameter that scales some samples, such as the signal strength or the luminosity.

    Attributes:
        parameter: its index.
        scaled: what it scales, shape (sample, bin), or (sample, 1) if that is the same in all bins.
    """

    parameter: int = field(metadata=STATIC)
    scaled: tuple[tuple[bool, ...], ...] = field(metadata=STATIC)

    def factor(self, nominal: Array, pars: Array) -> Array:
        """The parameter for what it scales, one for the others, broadcast to (sample, bin)."""
        del nominal
        return jnp.where(np.array(self.scaled), pars[self.parameter], 1.0)


class Interpolated(Modifier):
    """Effects between templates at -1, 0 and +1 standard deviations of their `parameters`, by a `code`."""

    @property
    def shifts(self) -> tuple[int, ...]:
        """All of them."""
        return self.parameters

    @property
    def kinked(self) -> tuple[int, ...]:
        """All of them, with a code that is kinked."""
        return self.parameters if self.code in KINKED_CODES else ()


@register_dataclass
@dataclass(frozen=True)
class HistoSys(Interpolated):
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
    code: HistoSysCode = field(metadata=STATIC)
    up: Leaf
    down: Leaf

    def addition(self, nominal: Array, pars: Array) -> Array:
        """Sum over shifts of alpha S + h(alpha) A, with S = (up - down) / 2 and A = (up + down - 2 nominal) / 16.

        This is pyhf's code0 and code4p: outside ±1 (for code0 everywhere) h = 8 |alpha| makes it alpha (up - nominal)
        or alpha (nominal - down). At alpha = 0 code0 has a kink: its derivative is the one on the right, of "up".
        """
        alpha = gather(pars, self.parameters)
        symmetric = (self.up - self.down) / 2
        asymmetric = (self.up + self.down - 2 * nominal) / 16
        return jnp.tensordot(alpha, symmetric, 1) + jnp.tensordot(asymmetry_weight(alpha, self.code), asymmetric, 1)


@register_dataclass
@dataclass(frozen=True)
class NormSys(Interpolated):
    """Systematic changes of the size of samples, interpolated between factors at -1, 0 and +1 standard deviations.

    All of a model's live in one object. A sample that one of them does not touch has up = down = 1.

    Attributes:
        parameters: index of the parameter of each change.
        code: "code1", exponential, or "code4", a sextic polynomial inside ±1 and exponential outside (both of pyhf).
        channel_bins: bins of each channel, in their order.
        up: factor at +1, shape (change, sample, channel).
        down: factor at -1, shape (change, sample, channel).
    """

    parameters: tuple[int, ...] = field(metadata=STATIC)
    code: NormSysCode = field(metadata=STATIC)
    channel_bins: tuple[int, ...] = field(metadata=STATIC)
    up: Leaf
    down: Leaf

    def factor(self, nominal: Array, pars: Array) -> Array:
        """Product over changes of `interpolation.normsys_factor`, shape (sample, bin)."""
        del nominal
        alpha = gather(pars, self.parameters)[:, None, None]
        factor = jnp.prod(normsys_factor(alpha, self.up, self.down, self.code), axis=0)
        return factor[:, np.repeat(np.arange(len(self.channel_bins)), self.channel_bins)]


@register_dataclass
@dataclass(frozen=True)
class BinFactors(Modifier):
    """Parameters that scale single bins: shapefactor, shapesys and staterror of HistFactory.

    Attributes:
        parameters: in each of several layers, the parameter of each (sample, bin), or -1 where there is none.
    """

    parameters: tuple[tuple[tuple[int, ...], ...], ...] = field(metadata=STATIC)

    def factor(self, nominal: Array, pars: Array) -> Array:
        """Product over layers of the parameters, shape (sample, bin)."""
        del nominal
        padded = jnp.append(pars, 1.0)  # which -1 finds
        layers = [padded[np.array(layer)] for layer in self.parameters]
        return functools.reduce(jnp.multiply, layers)


def gather(pars: Array, indices: tuple[int, ...]) -> Array:
    """pars[indices]; neighbours as a slice, which XLA vectorises and a gather it does not."""
    if indices == tuple(range(indices[0], indices[0] + len(indices))) if indices else False:
        return pars[indices[0] : indices[-1] + 1]
    return pars[np.asarray(indices, int)]
