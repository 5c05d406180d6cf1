"""Constraint terms: probability densities of the auxiliary measurements of nuisance parameters."""

from dataclasses import dataclass, field

import jax
import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float

from diffhep.models.modifiers import STATIC, Leaf, gather


@register_dataclass
@dataclass(frozen=True)
class Constraints:
    """Densities of auxiliary data given the parameters: normal ones first, then Poisson ones.

    Attributes:
        normal: Indices of parameters with a normal constraint; the auxiliary datum is a measurement of the parameter.
        poisson: Indices of parameters that scale an expected auxiliary count; the auxiliary datum is the count.
        width: Standard deviation of each normal measurement, shape (normal,).
        expected_count: Expected auxiliary count where the parameter is 1, shape (poisson,).
        auxiliary: Observed auxiliary data, shape (normal + poisson,).
    """

    normal: tuple[int, ...] = field(metadata=STATIC)
    poisson: tuple[int, ...] = field(metadata=STATIC)
    width: Leaf
    expected_count: Leaf
    auxiliary: Leaf

    def deviance(self, pars: Float[Array, " par"], auxiliary: Float[Array, " aux"]) -> Float[Array, ""]:
        """Return half the sum of squared pulls of the normal measurements: -log density up to a constant."""
        pulls = (gather(pars, self.normal) - auxiliary[: len(self.normal)]) / self.width
        return 0.5 * jnp.sum(pulls**2)

    def log_normalisation(self) -> Float[Array, ""]:
        """Return the constant that `deviance` omits: the sum of log(sigma sqrt(2 pi)) over normal measurements."""
        return jnp.sum(jnp.log(self.width)) + 0.5 * np.log(2 * np.pi) * len(self.normal)

    def rates(self, pars: Float[Array, " par"]) -> Float[Array, " poisson"]:
        """Return the expected auxiliary counts of the Poisson measurements."""
        return self.expected_count * gather(pars, self.poisson)

    def counts(self, auxiliary: Float[Array, "*toy aux"]) -> Float[Array, "*toy poisson"]:
        """Select the counts of the Poisson measurements from auxiliary data."""
        return auxiliary[..., len(self.normal) :]

    def expected(self, pars: Float[Array, " par"]) -> Float[Array, " aux"]:
        """Return the Asimov auxiliary data, which measure the parameters exactly."""
        if not self.poisson:
            return gather(pars, self.normal)
        return jnp.concatenate([gather(pars, self.normal), self.rates(pars)])

    def information(self, pars: Float[Array, " par"]) -> Float[Array, " par"]:
        """Return the Fisher information of the normal measurements: 1 / sigma², or 0 without a measurement."""
        return jnp.zeros_like(pars).at[np.asarray(self.normal, int)].set(1 / self.width**2)


def unit_normal(parameters: tuple[int, ...]) -> Constraints:
    """Return normal constraints at 0 with standard deviation 1, as systematic shifts have.

    Args:
        parameters: Indices of the constrained parameters.
    """
    number = len(parameters)
    return Constraints(parameters, (), *jax.device_put([np.ones(number), np.zeros(0), np.zeros(number)]))
