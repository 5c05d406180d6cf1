"""Minimisation problem of a fit, and its derivatives."""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float

from diffhep.models.likelihood import RATE_FLOOR, apply_rate_floor


class NewtonProblem(NamedTuple):
    """Likelihood as a function of the free parameters.

    Attributes:
        rates: Maps free parameters (par,) to rates (bin,), which may be negative.
        constraint_nll: Maps free parameters (par,) to minus the log density of the constraints.
        information: Fisher information of the constraints, shape (par,).
        counts: Observed events, shape (bin,).
        bounds: Lower and upper bounds, two arrays of shape (par,).
        is_shift: Marks parameters that interpolate between templates, in standard deviations; static under jit.
        has_kink: Marks parameters on which the rates depend with a kink at 0; static under jit.
    """

    rates: Callable[[Array], Array]
    constraint_nll: Callable[[Array], Array]
    information: Array
    counts: Array
    bounds: tuple[np.ndarray, np.ndarray]
    is_shift: np.ndarray
    has_kink: np.ndarray

    def negative_log_likelihood(self, free: Float[Array, " par"]) -> Float[Array, ""]:
        """Sum over bins of nu - n log nu, plus the constraints, for guarded rates nu and counts n."""
        nu, log_nu = apply_rate_floor(self.rates(free))
        return jnp.sum(nu - self.counts * log_nu) + self.constraint_nll(free)


class Expansion(NamedTuple):
    """Derivatives of the negative log-likelihood by the rates, and of the rates by the parameters.

    Attributes:
        rates: Rates, shape (bin,).
        slope: First derivative of the negative log-likelihood by each rate, shape (bin,).
        curvature: Second derivative by each rate, shape (bin,).
        fisher: Expectation of the second derivative by each rate, shape (bin,).
        jacobian: Derivatives of the rates, shape (bin, par).
        bend: Second derivatives of the rates, weighted with the slopes and summed over bins, shape (par, par).
        constraint_gradient: Gradient of the constraints, shape (par,).
        information: Fisher information of the constraints, shape (par, par).
    """

    rates: Float[Array, " bin"]
    slope: Float[Array, " bin"]
    curvature: Float[Array, " bin"]
    fisher: Float[Array, " bin"]
    jacobian: Float[Array, "bin par"]
    bend: Float[Array, "par par"]
    constraint_gradient: Float[Array, " par"]
    information: Float[Array, "par par"]

    @property
    def gradient(self) -> Float[Array, " par"]:
        """Gradient of the negative log-likelihood."""
        return self.constraint_gradient + self.slope @ self.jacobian

    def freeze(self, frozen: Bool[Array, " par"]) -> "Expansion":
        """Return the expansion with some parameters fixed: no derivatives, unit information."""
        either = frozen[:, None] | frozen
        return self._replace(
            jacobian=jnp.where(frozen, 0.0, self.jacobian),
            constraint_gradient=jnp.where(frozen, 0.0, self.constraint_gradient),
            bend=jnp.where(either, 0.0, self.bend),
            information=jnp.where(either, jnp.eye(frozen.shape[0], dtype=self.bend.dtype), self.information),
        )


def expand(problem: NewtonProblem, free: Float[Array, " par"], forces: Float[Array, " bin"]) -> Expansion:
    """Expand the negative log-likelihood to second order.

    Args:
        problem: Likelihood of the free parameters.
        free: Free parameters.
        forces: Slopes to use for bins without events, see `empty_bins`; others have that of the likelihood.

    Returns:
        Derivatives at `free`.
    """
    rates = problem.rates(free)
    nu, _ = apply_rate_floor(rates)
    log_slope = 1 / jnp.maximum(rates, RATE_FLOOR)
    slope = (nu - problem.counts) * log_slope
    weights = jnp.where(problem.counts < RATE_FLOOR, forces, slope)
    jacobian, bend = rate_derivatives(problem.rates, free, weights)
    return Expansion(
        rates=rates,
        slope=slope,
        curvature=jnp.where(rates > RATE_FLOOR, problem.counts, nu) * log_slope**2,
        fisher=nu * log_slope**2,
        jacobian=jacobian,
        bend=bend,
        constraint_gradient=jax.grad(problem.constraint_nll)(free),
        information=jnp.diag(problem.information),
    )


def rate_derivatives(
    rates: Callable[[Array], Array], free: Float[Array, " par"], weights: Float[Array, " bin"]
) -> tuple[Float[Array, "bin par"], Float[Array, "par par"]]:
    """Return the Jacobian of the rates, and the Hessian of their weighted sum.

    Args:
        rates: Maps free parameters (par,) to rates (bin,).
        free: Free parameters.
        weights: Weights of the bins in the sum.

    Returns:
        Jacobian of shape (bin, par) and Hessian of shape (par, par).
    """

    def rates_and_gradient(values):
        nu, pull_back = jax.vjp(rates, values)
        return nu, pull_back(weights)[0]

    return jax.jacfwd(rates_and_gradient)(free)
