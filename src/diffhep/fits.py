"""Maximum-likelihood fits that compile, vectorise over data sets and have derivatives.

Every fit is a fixed number of safeguarded Newton steps, so that thousands of data sets can be fitted side by side with
`jax.vmap`. Derivatives of fitted parameters come from the implicit function theorem, not from the steps.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxopt.implicit_diff import custom_root
from jaxtyping import Array, Bool, Float, Real
from jax.typing import ArrayLike

from diffhep.likelihood import (
    RATE_FLOOR,
    Data,
    Model,
    guarded,
    log_likelihood,
    negative_log_likelihood,
    nominal_parameters,
    unguarded_rates,
)

ITERATIONS = 12
"""Newton steps of a fit: 5 suffice for most data, the rest is for minima at the edge of vanishing rates."""

CONVERGED = 1e-6
"""Largest estimated distance to the minimum, in units of the negative log-likelihood, of a fit called converged."""

STEP_LENGTHS = (1.0, 0.3, 0.05)
SMALL = 4


class FitResult(NamedTuple):
    """Where a likelihood is largest.

    Attributes:
        parameters: best values of all parameters, fixed ones included.
        nll: negative log-likelihood there, with its full normalisation.
        edm: estimated vertical distance to the minimum before the last step, g H^-1 g / 2, in units of the nll.
    """

    parameters: Float[Array, "*toy par"]
    nll: Float[Array, "*toy"]
    edm: Float[Array, "*toy"]

    @property
    def converged(self) -> Bool[Array, "*toy"]:
        """Whether the estimated distance to the minimum is below `CONVERGED`."""
        return self.edm < CONVERGED


def fit(model: Model, data: Data, start: Float[Array, " par"] | None = None) -> FitResult:
    """Fit all parameters within the model's bounds.

    Reverse-mode derivatives of the fitted parameters with respect to model and data are those of the implicit function
    theorem, thesis eq. 7.7; those of the nll need none of that, by the envelope theorem.

    Args:
        model: the statistical model.
        data: what it is fitted to.
        start: first guess of the parameters, by default the model's start values.
    """
    start = jnp.asarray(model.parameters.initial, model.nominal.dtype) if start is None else start
    return _result(model, data, None, start)


def conditional_fit(
    model: Model, data: Data, mu: Real[ArrayLike, ""], start: Float[Array, " par"] | None = None
) -> FitResult:
    """Fit all parameters but the parameter of interest, which is held at `mu`.

    Args:
        model: the statistical model.
        data: what it is fitted to.
        mu: value of the parameter of interest; the model's bounds do not apply to it.
        start: first guess of the parameters (its parameter of interest is ignored), by default the start values.
    """
    mu = jnp.asarray(mu, model.nominal.dtype)
    start = nominal_parameters(model, mu) if start is None else start
    return _result(model, data, mu, jnp.delete(start, model.parameters.poi, assume_unique_indices=True))


def _result(model, data, mu, start):
    data = Data(*(jnp.asarray(values, model.nominal.dtype) for values in data))
    low, high = _bounds(model, mu)
    free, edm = _implicit_minimum(jnp.clip(jax.lax.stop_gradient(start), low, high), model, data, mu)
    fixed = _all_parameters(model, jax.lax.stop_gradient(free), mu)
    return FitResult(_all_parameters(model, free, mu), -log_likelihood(model, fixed, data), edm)


def _all_parameters(model, free, mu):
    """Free parameters with `mu` put in its place, if it is held."""
    if mu is None:
        return free
    poi = model.parameters.poi
    return jnp.concatenate([free[:poi], mu[None], free[poi:]])


def _without_poi(model, values, mu):
    return values if mu is None else np.delete(values, model.parameters.poi, axis=0)


def _bounds(model, mu):
    bounds = _without_poi(model, np.reshape(model.parameters.bounds, (-1, 2)), mu)
    return bounds[:, 0], bounds[:, 1]


def _optimality(free, model, data, mu):
    """Zero where a gradient step, cut to the bounds, leads nowhere."""
    low, high = _bounds(model, mu)
    slope = jax.grad(lambda values: negative_log_likelihood(model, _all_parameters(model, values, mu), data))(free)
    return free - jnp.clip(free - slope, low, high)


def _solve_directly(product, right):
    """Solve product(x) = right for the few unknowns of a fit."""
    if right.shape[0] == 0:
        return right
    matrix = jax.jacobian(product)(right)
    return _divide(matrix, right)


def _divide(matrix, right):
    return right / matrix[0] if right.shape[0] == 1 else jnp.linalg.solve(matrix, right)


@lambda solver: custom_root(_optimality, has_aux=True, solve=_solve_directly)(solver)
def _implicit_minimum(start, model, data, mu):
    """Free parameters at the minimum, and the estimated distance to it before the last step."""
    if start.shape[0] == 0:
        return start, jnp.zeros((), start.dtype)

    def unfinished(state):
        iteration, _, edm = state
        return (iteration < ITERATIONS) & (edm > 1e-10)

    def step(state):
        iteration, free, _ = state
        return iteration + 1, *_newton_step(free, model, data, mu)

    return jax.lax.while_loop(unfinished, step, (0, start, jnp.full((), jnp.inf, start.dtype)))[1:]


def _newton_step(free, model, data, mu):
    """One projected Newton step with line search: better parameters, and half the Newton decrement before it."""
    low, high = _bounds(model, mu)

    def rates_of(values):
        return unguarded_rates(model, _all_parameters(model, values, mu))

    local = _expansion(rates_of, free, model, data, mu)
    frozen = ((free <= low) & (local.gradient > 0)) | ((free >= high) & (local.gradient < 0))
    gradient = jnp.where(frozen, 0.0, local.gradient)
    direction = -_solve_safely(_freeze(local.hessian, frozen), _freeze(local.fisher, frozen), gradient)
    edm = -0.5 * jnp.sum(gradient * direction)

    lengths = jnp.concatenate([jnp.array(STEP_LENGTHS), _matching_lengths(local, direction, data)[None]])
    candidates = jnp.concatenate([free + lengths[:, None] * direction, _probes(free, local.hessian, model, mu)])
    return _lowest(jnp.clip(candidates, low, high), free, rates_of, model, data, mu), edm


class _Expansion(NamedTuple):
    """Second-order expansion of the negative log-likelihood in the free parameters."""

    rates: Array
    jacobian: Array
    gradient: Array
    hessian: Array
    fisher: Array


def _expansion(rates_of, free, model, data, mu):
    rates = rates_of(free)
    jacobian = (jax.jacfwd if free.shape[0] <= rates.shape[0] else jax.jacrev)(rates_of)(free)
    nu, _ = guarded(rates)
    log_slope = jnp.where(rates > RATE_FLOOR, 1 / jnp.maximum(rates, RATE_FLOOR), 1 / RATE_FLOOR)
    slope = (nu - data.main) * log_slope
    curvature = jnp.where(rates > RATE_FLOOR, data.main, nu) * log_slope**2

    def prior(values):
        return -model.constraints.log_density(_all_parameters(model, values, mu), data.auxiliary)

    pars = _all_parameters(model, free, mu)
    information = model.constraints.information(pars)
    information = information if mu is None else jnp.delete(information, model.parameters.poi, assume_unique_indices=True)
    bend = jax.hessian(lambda values: jnp.sum(slope * rates_of(values)))(free)
    return _Expansion(
        rates,
        jacobian,
        gradient=slope @ jacobian + jax.grad(prior)(free),
        hessian=(jacobian.T * curvature) @ jacobian + bend + jnp.diag(information),
        fisher=(jacobian.T * (nu * log_slope**2)) @ jacobian + jnp.diag(information),
    )


def _freeze(matrix, frozen):
    """Rows and columns of frozen parameters become those of the unit matrix."""
    size = matrix.shape[0]
    return jnp.where(frozen[:, None] | frozen, jnp.eye(size, dtype=matrix.dtype), matrix)


def _matching_lengths(local, direction, data):
    """Step lengths at which one bin's rate meets its count.

    Without them, no step length finds the kink where the rate of an empty bin reaches zero.
    """
    speed = local.jacobian @ direction
    target = jnp.maximum(data.main, 0.3 * RATE_FLOOR)
    length = (target - local.rates) / jnp.where(speed == 0, 1.0, speed)
    useful = ((data.main == 0) | (local.rates < RATE_FLOOR)) & (speed != 0) & (length > 0)
    return jnp.min(jnp.where(useful, length, 1.0))


def _probes(free, hessian, model, mu):
    """One unit to either side along the constrained parameter with the least curvature.

    This leaves stationary points that are no minimum: where up and down templates coincide the gradient vanishes at 0.
    """
    constrained = np.isin(np.arange(len(model.parameters.names)), model.constraints.parameters)
    constrained = _without_poi(model, constrained, mu)
    if not constrained.any():
        return free[None]
    flattest = jnp.argmin(jnp.where(constrained, jnp.diag(hessian), jnp.inf))
    move = (jnp.arange(free.shape[0]) == flattest).astype(free.dtype)
    return jnp.stack([free, free + move, free - move])


def _lowest(candidates, free, rates_of, model, data, mu):
    """The candidate with the lowest negative log-likelihood; the first, full step wins within rounding."""

    def nll(values):
        nu, log_nu = guarded(rates_of(values))
        pars = _all_parameters(model, values, mu)
        return jnp.sum(nu - data.main * log_nu) - model.constraints.log_density(pars, data.auxiliary)

    values = jnp.stack([nll(candidate) for candidate in candidates])
    rounding = 1e-13 * (1 + jnp.sum(data.main))
    values = jnp.where(jnp.isfinite(values), values, jnp.inf).at[0].add(-rounding)
    return candidates[jnp.argmin(values)]


def _solve_safely(hessian, fisher, gradient):
    """Newton's step H^-1 g, or the Fisher scoring step where the Hessian is not positive definite."""
    diagonal = jnp.diag(fisher)
    fisher = fisher + jnp.diag(1e-12 * diagonal + 1e-30)  # parameters without effect stay where they are
    if gradient.shape[0] > SMALL:
        factor = jnp.linalg.cholesky(hessian)
        good = jnp.isfinite(factor).all()
        factor = jax.lax.cond(good, lambda: factor, lambda: jnp.linalg.cholesky(fisher))
        return jax.scipy.linalg.cho_solve((factor, True), gradient)
    _, pivots = _factorise(hessian)
    good = jnp.all(jnp.stack(pivots) > 1e-9 * diagonal)
    return _back_substitute(*_factorise(jnp.where(good, hessian, fisher)), gradient)


def _factorise(matrix):
    """Unit lower triangle and pivots of L D L^T, written out: batched LAPACK is slow on thousands of 2 x 2 matrices."""
    size = matrix.shape[0]
    lower, pivots = [[None] * size for _ in range(size)], []
    for j in range(size):
        pivots.append(matrix[j, j] - sum(lower[j][k] ** 2 * pivots[k] for k in range(j)))
        for i in range(j + 1, size):
            overlap = sum(lower[i][k] * lower[j][k] * pivots[k] for k in range(j))
            lower[i][j] = (matrix[i, j] - overlap) / jnp.where(pivots[j] == 0, 1.0, pivots[j])
    return lower, pivots


def _back_substitute(lower, pivots, right):
    size = len(pivots)
    half = []
    for i in range(size):
        half.append(right[i] - sum(lower[i][k] * half[k] for k in range(i)))
    solution = [None] * size
    for i in reversed(range(size)):
        solution[i] = half[i] / pivots[i] - sum(lower[k][i] * solution[k] for k in range(i + 1, size))
    return jnp.stack(solution)
