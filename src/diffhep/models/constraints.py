"""What auxiliary measurements say about parameters, before any of the main data."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array

from diffhep.models.modifiers import STATIC, Leaf, gather


@register_dataclass
@dataclass(frozen=True)
class Constraints:
    """Densities of auxiliary data around their parameters: normal ones first, then Poisson ones.

    Attributes:
        normal: parameters measured with a normal error; the auxiliary datum is the measured value.
        poisson: parameters that scale an expected count; the auxiliary datum is the count.
        width: standard deviation of each normal measurement, shape (normal,).
        expected_count: count that each Poisson measurement expects where its parameter is one, shape (poisson,).
        measured: the auxiliary data, shape (normal + poisson,).
    """

    normal: tuple[int, ...] = field(metadata=STATIC)
    poisson: tuple[int, ...] = field(metadata=STATIC)
    width: Leaf
    expected_count: Leaf
    measured: Leaf

    def deviance(self, pars: Array, auxiliary: Array) -> Array:
        """Half the sum of squared pulls of the normal measurements: minus their log density, up to a constant."""
        pulls = (gather(pars, self.normal) - auxiliary[: len(self.normal)]) / self.width
        return 0.5 * jnp.sum(pulls**2)

    def log_normalisation(self) -> Array:
        """What is left of minus the log density of the normal measurements: sum of log(sigma sqrt(2 pi))."""
        return jnp.sum(jnp.log(self.width)) + 0.5 * np.log(2 * np.pi) * len(self.normal)

    def rates(self, pars: Array) -> Array:
        """Counts that the Poisson measurements expect, shape (poisson,)."""
        return self.expected_count * gather(pars, self.poisson)

    def counts(self, auxiliary: Array) -> Array:
        """Counts that the Poisson measurements have found, shape (..., poisson)."""
        return auxiliary[..., len(self.normal) :]

    def expected(self, pars: Array) -> Array:
        """Auxiliary data that measure the parameters exactly, shape (normal + poisson,)."""
        if not self.poisson:
            return gather(pars, self.normal)
        return jnp.concatenate([gather(pars, self.normal), self.rates(pars)])

    def information(self, pars: Array) -> Array:
        """Fisher information of the normal measurements on each parameter, shape (par,): 1 / sigma², or zero."""
        return jnp.zeros_like(pars).at[np.asarray(self.normal, int)].set(1 / self.width**2)


def unit_normal(parameters: tuple[int, ...]) -> Constraints:
    """Measurements of the parameters at 0 with unit error, as of all systematic shifts."""
    number = len(parameters)
    return Constraints(parameters, (), *jax.device_put([np.ones(number), np.zeros(0), np.zeros(number)]))
