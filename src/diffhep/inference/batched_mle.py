"""Maximum-likelihood fits of many data sets: plain Newton steps, and safeguarded ones where those fail."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array

from diffhep.inference.mle import TOLERANCE, FitResult, conditional_fit, fit
from diffhep.inference.newton import batching
from diffhep.inference.newton.free_parameters import FixedPoi, free_indices, insert_fixed_parameters, newton_problem
from diffhep.inference.newton.linear_algebra import is_positive_definite, positive_definite_solver
from diffhep.inference.newton.problem import NewtonProblem, rate_derivatives
from diffhep.models.likelihood import RATE_FLOOR, Data, Model, log_likelihood
from diffhep.models.modifiers import gather

BATCH_SIZE = 128
"""Data sets fitted together: enough to fill the vector units, few enough not to wait long for the slowest."""

STEP_LENGTHS = (1.0, 0.3)
"""Multiples of the Newton direction that a plain step tries."""

MAX_STEPS = 12
"""Maximum number of plain steps before a data set is left to the safeguarded ones."""


@jax.jit
def fit_all(model: Model, data: Data, mu: FixedPoi = None) -> FitResult:
    """Fit many data sets from the model's start values; the results have no derivatives.

    Args:
        model: Statistical model.
        data: Observed data, arrays (toy, bin) and (toy, aux).
        mu: Value at which the parameter of interest is fixed; by default it is fitted too.

    Returns:
        Results of the fits, arrays (toy, ...).

    Example:
        >>> model = dh.signal_background(*np.array([[5.0, 10.0], [50.0, 60.0], [55.0, 62.0], [45.0, 58.0]]))
        >>> toys = dh.throw(model, dh.nominal_parameters(model, 1.0), 3, key=jax.random.key(0))
        >>> fits = dh.fit_all(model, toys)
        >>> fits.parameters.shape, bool(fits.converged.all())
        ((3, 2), True)
    """
    n_toys = data.main.shape[0]
    padded, size = batching.pad_to_batches(data, BATCH_SIZE)
    results = jax.lax.map(lambda toy: _plain_fit(model, toy, mu), padded, batch_size=size)
    safeguarded_fit = fit if mu is None else partial(conditional_fit, mu=mu)
    order = jnp.argsort(results.converged)  # those that did not converge first

    def refit(batch, results):
        indices = jax.lax.dynamic_slice_in_dim(order, batch * size, size)
        toys = jax.tree.map(lambda array: array[indices], padded)
        refitted = jax.vmap(lambda toy: safeguarded_fit(model, toy))(toys)
        return jax.tree.map(lambda old, new: old.at[indices].set(new), results, refitted)

    n_batches = (jnp.sum(~results.converged) + size - 1) // size
    return jax.tree.map(lambda array: array[:n_toys], jax.lax.fori_loop(0, n_batches, refit, results))


class _PlainState(NamedTuple):
    free: Array
    gain: Array
    failed: Array


@jax.jit
def _plain_fit(model: Model, data: Data, mu: FixedPoi) -> FitResult:
    """Fit by plain Newton steps; `edm` is infinite if they failed."""
    problem, start = newton_problem(model, data, mu), jnp.asarray(model.parameters.initial)
    initial = _PlainState(
        jnp.clip(gather(start, free_indices(model, mu)), *problem.bounds),
        jnp.asarray(jnp.inf),
        jnp.any(problem.counts < RATE_FLOOR) | problem.has_kink.any(),  # plain steps cannot handle kinks
    )

    def unfinished(carry):
        step, state = carry
        return (step < MAX_STEPS) & (state.gain >= TOLERANCE) & ~state.failed

    def improve(carry):
        step, state = carry
        return step + 1, _plain_step(problem, state)

    _, last = batching.while_loop(unfinished, improve, (0, initial), problem.counts)
    pars = insert_fixed_parameters(model, last.free, mu)
    edm = jnp.where(last.failed | _has_lower_neighbour(problem, last.free), jnp.inf, last.gain)
    return FitResult(pars, -log_likelihood(model, pars, data), edm)


def _plain_step(problem, state):
    """Take a Newton step, with the Fisher information where the Hessian is not positive; it fails if the NLL rises."""
    free, (low, high) = state.free, problem.bounds
    rates = problem.rates(free)
    slope = 1 - problem.counts / rates
    jacobian, bend = rate_derivatives(problem.rates, free, slope)
    gradient = jax.grad(problem.constraint_nll)(free) + slope @ jacobian
    fisher = (jacobian.T / rates) @ jacobian + jnp.diag(problem.information)
    hessian = (jacobian.T * (problem.counts / rates**2)) @ jacobian + jnp.diag(problem.information) + bend
    matrix = jnp.where(is_positive_definite(hessian, 1e-6 * jnp.diagonal(fisher)), hessian, fisher)
    frozen = ((free <= low) & (gradient > 0)) | ((free >= high) & (gradient < 0))
    gradient = jnp.where(frozen, 0.0, gradient)
    matrix = jnp.where(frozen[:, None] | frozen, jnp.eye(free.shape[0]), matrix)
    direction = -positive_definite_solver(matrix)(gradient)
    candidates = jnp.stack([jnp.clip(free + length * direction, low, high) for length in STEP_LENGTHS] + [free])
    values = jax.vmap(partial(_unguarded_nll, problem))(candidates)
    rounding = 1e-13 * (1 + jnp.sum(problem.counts))
    best = jnp.argmin(values[:-1].at[0].add(-rounding))
    failed = ~((values[best] <= values[-1] + rounding) & jnp.isfinite(values[best]))
    return _PlainState(jnp.where(failed, free, candidates[best]), -0.5 * gradient @ direction, failed)


def _unguarded_nll(problem: NewtonProblem, free):
    """Return the negative log-likelihood, infinite where rates vanish."""
    rates = problem.rates(free)
    value = jnp.sum(rates - problem.counts * jnp.log(jnp.maximum(rates, RATE_FLOOR))) + problem.constraint_nll(free)
    return jnp.where((rates > RATE_FLOOR).all(), value, jnp.inf)


def _has_lower_neighbour(problem, free):
    """Test whether the likelihood is larger one or two standard deviations away along one of the shifts."""
    shifts = problem.is_shift.nonzero()[0]
    moves = np.kron(np.eye(len(free))[shifts], np.array([-2.0, -1.0, 1.0, 2.0])[:, None])
    neighbours = jnp.clip(free + moves, *problem.bounds)
    return (jax.vmap(partial(_unguarded_nll, problem))(neighbours) < _unguarded_nll(problem, free)).any()
