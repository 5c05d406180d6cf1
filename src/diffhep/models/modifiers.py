"""Modifiers of a HistFactory model: effects of parameters on yields.

A modifier is a pytree of arrays; the indices of its parameters are static. A new type of modifier is a subclass of
`Modifier` with a `factor` or an `addition`, and needs no change elsewhere.
"""

import functools
from dataclasses import dataclass, field
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, Num

from diffhep.models.interpolation import KINKED_CODES, HistoSysCode, NormSysCode, asymmetry_weight, normsys_factor

STATIC = {"static": True}
"""Metadata of fields that are known at compile time and are no leaves of the pytree."""

Leaf = Any
"""Type of an array in a pytree; not `Array`, because jax also rebuilds pytrees with placeholders as leaves."""


class Modifier:
    """Effect of parameters on yields; a subclass overrides `addition` or `factor`."""

    @property
    def shifts(self) -> tuple[int, ...]:
        """Indices of the parameters that shift yields between templates, in standard deviations."""
        return ()

    @property
    def kinked(self) -> tuple[int, ...]:
        """Indices of the parameters with a kink of the effect at 0."""
        return ()

    def addition(self, nominal: Array, pars: Array) -> Array | float:
        """Return the events to add to the nominal yields, broadcastable to (sample, bin)."""
        del nominal, pars
        return 0.0

    def factor(self, nominal: Array, pars: Array) -> Array | float:
        """Return the factor that scales the yields after all additions, broadcastable to (sample, bin)."""
        del nominal, pars
        return 1.0


@register_dataclass
@dataclass(frozen=True)
class NormFactor(Modifier):
    """Parameter that scales samples, such as the signal strength or the luminosity.

    Attributes:
        parameter: Index of the parameter.
        mask: Yields that it scales, shape (sample, bin), or (sample, 1) if all bins are alike.
    """

    parameter: int = field(metadata=STATIC)
    mask: tuple[tuple[bool, ...], ...] = field(metadata=STATIC)

    def factor(self, nominal: Array, pars: Array) -> Array:
        """Return the parameter where it scales the yields and 1 elsewhere, broadcastable to (sample, bin)."""
        del nominal
        return jnp.where(np.array(self.mask), pars[self.parameter], 1.0)


class Interpolated(Modifier):
    """Modifier that interpolates between templates at -1, 0 and +1 standard deviations of its `parameters`."""

    @property
    def shifts(self) -> tuple[int, ...]:
        """Indices of all parameters."""
        return self.parameters

    @property
    def kinked(self) -> tuple[int, ...]:
        """Indices of all parameters if the interpolation `code` has a kink at 0."""
        return self.parameters if self.code in KINKED_CODES else ()


@register_dataclass
@dataclass(frozen=True)
class HistoSys(Interpolated):
    """Systematic shifts of the yields, interpolated between templates at -1, 0 and +1 standard deviations.

    One object has all shifts of a model, so that a hundred cost little more than one. A sample that a shift does not
    change has up = down = nominal.

    Attributes:
        parameters: Index of the parameter of each shift.
        code: "code0", piecewise linear, or "code4p", a sextic polynomial inside ±1 and linear outside (both of pyhf).
        up: Yields at +1, shape (shift, sample, bin).
        down: Yields at -1, shape (shift, sample, bin).
    """

    parameters: tuple[int, ...] = field(metadata=STATIC)
    code: HistoSysCode = field(metadata=STATIC)
    up: Leaf
    down: Leaf

    def addition(self, nominal: Array, pars: Array) -> Array:
        """Return the sum over shifts of alpha S + h(alpha) A, shape (sample, bin).

        S = (up - down) / 2, A = (up + down - 2 nominal) / 16, and h is `interpolation.asymmetry_weight`. These are
        code0 and code4p of pyhf: outside ±1 (for code0 everywhere) h = 8 |alpha|, so that the sum is
        alpha (up - nominal) or alpha (nominal - down). At the kink of code0 (alpha = 0) the derivative is the right
        one, up - nominal.
        """
        alpha = gather(pars, self.parameters)
        symmetric = (self.up - self.down) / 2
        asymmetric = (self.up + self.down - 2 * nominal) / 16
        return jnp.tensordot(alpha, symmetric, 1) + jnp.tensordot(asymmetry_weight(alpha, self.code), asymmetric, 1)


@register_dataclass
@dataclass(frozen=True)
class NormSys(Interpolated):
    """Systematic shifts of normalisations, interpolated between factors at -1, 0 and +1 standard deviations.

    One object has all shifts of a model. A sample that a shift does not change has up = down = 1.

    Attributes:
        parameters: Index of the parameter of each shift.
        code: "code1", exponential, or "code4", a sextic polynomial inside ±1 and exponential outside (both of pyhf).
        channel_bins: Number of bins of each channel.
        up: Factors at +1, shape (shift, sample, channel).
        down: Factors at -1, shape (shift, sample, channel).
    """

    parameters: tuple[int, ...] = field(metadata=STATIC)
    code: NormSysCode = field(metadata=STATIC)
    channel_bins: tuple[int, ...] = field(metadata=STATIC)
    up: Leaf
    down: Leaf

    def factor(self, nominal: Array, pars: Array) -> Array:
        """Return the product over shifts of `interpolation.normsys_factor`, shape (sample, bin)."""
        del nominal
        alpha = gather(pars, self.parameters)[:, None, None]
        factor = jnp.prod(normsys_factor(alpha, self.up, self.down, self.code), axis=0)
        return factor[:, np.repeat(np.arange(len(self.channel_bins)), self.channel_bins)]


@register_dataclass
@dataclass(frozen=True)
class BinFactors(Modifier):
    """Parameters that scale single bins: shapefactor, shapesys and staterror of HistFactory.

    Attributes:
        parameters: Layers of parameter indices, shape (layer, sample, bin); -1 where a layer has no parameter.
    """

    parameters: tuple[tuple[tuple[int, ...], ...], ...] = field(metadata=STATIC)

    def factor(self, nominal: Array, pars: Array) -> Array:
        """Return the product over layers of the parameters, shape (sample, bin)."""
        del nominal
        padded = jnp.append(pars, 1.0)  # the factor at index -1
        layers = [padded[np.array(layer)] for layer in self.parameters]
        return functools.reduce(jnp.multiply, layers)


def gather(pars: Num[Array, " par"], indices: tuple[int, ...]) -> Num[Array, " index"]:
    """Return pars[indices]; consecutive indices become a slice, which XLA vectorises, unlike a gather."""
    consecutive = len(indices) > 0 and indices == tuple(range(indices[0], indices[0] + len(indices)))
    if consecutive:
        return pars[indices[0] : indices[-1] + 1]
    return pars[np.asarray(indices, int)]
