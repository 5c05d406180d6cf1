"""Fits of many data sets: plain Newton steps for most of them, the safeguarded ones of `fits` for the rest."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool

from diffhep.inference.mle import TOLERANCE, FitResult, conditional_fit, fit
from diffhep.inference.newton import batching
from diffhep.inference.newton.free_parameters import FixedPoi, free_indices, insert_fixed_parameters, newton_problem
from diffhep.inference.newton.linear_algebra import is_positive_definite, positive_definite_solver
from diffhep.inference.newton.step import NewtonProblem, rate_derivatives
from diffhep.models.likelihood import RATE_FLOOR, Data, Model, log_likelihood
from diffhep.models.modifiers import gather

BATCH_SIZE = 128
"""Data sets fitted side by side: they fill the vector units and do not wait long for the slowest."""

STEP_LENGTHS = (1.0, 0.3)

MAX_STEPS = 12
"""Plain Newton steps after which a data set is one of the rest."""


@jax.jit
def fit_all(model: Model, data: Data, mu: FixedPoi = None) -> FitResult:
    """Fits of many data sets from the model's start values, arrays (toy, ...); without derivatives.

    Args:
        model: the statistical model.
        data: what it is fitted to, arrays (toy, bin) and (toy, aux).
        mu: value at which the parameter of interest is held; by default it is fitted too.
    """
    number = data.main.shape[0]
    padded, size = batching.pad_to_batches(data, BATCH_SIZE)
    found = jax.lax.map(lambda toy: _plainly(model, toy, mu), padded, batch_size=size)
    safely = fit if mu is None else partial(conditional_fit, mu=mu)
    order = jnp.argsort(found.converged)  # those that did not converge first

    def again(chunk, found):
        places = jax.lax.dynamic_slice_in_dim(order, chunk * size, size)
        some = jax.tree.map(lambda each: each[places], padded)
        fitted = jax.vmap(lambda data: safely(model, data))(some)
        return jax.tree.map(lambda old, new: old.at[places].set(new), found, fitted)

    rest = (jnp.sum(~found.converged) + size - 1) // size
    return jax.tree.map(lambda each: each[:number], jax.lax.fori_loop(0, rest, again, found))


class _State(NamedTuple):
    free: Array
    gain: Array
    lost: Array


@jax.jit
def _plainly(model: Model, data: Data, mu: FixedPoi) -> FitResult:
    """Where plain Newton steps end; `edm` is infinite if they went astray."""
    problem, start = newton_problem(model, data, mu), jnp.asarray(model.parameters.initial)
    begin = _State(
        jnp.clip(gather(start, free_indices(model, mu)), *problem.bounds),
        jnp.asarray(jnp.inf),
        jnp.any(problem.counts < RATE_FLOOR) | problem.kinked.any(),  # kinks are not for plain steps
    )

    def unfinished(carry):
        step, state = carry
        return (step < MAX_STEPS) & (state.gain >= TOLERANCE) & ~state.lost

    def step(carry):
        number, state = carry
        return number + 1, _step(problem, state)

    _, end = batching.while_loop(unfinished, step, (0, begin), problem.counts)
    pars = insert_fixed_parameters(model, end.free, mu)
    edm = jnp.where(end.lost | _has_better_neighbour(problem, end.free), jnp.inf, end.gain)
    return FitResult(pars, -log_likelihood(model, pars, data), edm)


def _step(problem: NewtonProblem, state: _State) -> _State:
    """One Newton step, with the Fisher information where the Hessian is not positive; lost if the likelihood falls."""
    free, (low, high) = state.free, problem.bounds
    rates = problem.rates(free)
    slope = 1 - problem.counts / rates
    jacobian, bend = rate_derivatives(problem.rates, free, slope)
    gradient = jax.grad(problem.prior)(free) + slope @ jacobian
    fisher = (jacobian.T / rates) @ jacobian + jnp.diag(problem.information)
    hessian = (jacobian.T * (problem.counts / rates**2)) @ jacobian + jnp.diag(problem.information) + bend
    matrix = jnp.where(is_positive_definite(hessian, 1e-6 * jnp.diagonal(fisher)), hessian, fisher)
    frozen = ((free <= low) & (gradient > 0)) | ((free >= high) & (gradient < 0))
    gradient = jnp.where(frozen, 0.0, gradient)
    direction = -positive_definite_solver(jnp.where(frozen[:, None] | frozen, jnp.eye(free.shape[0]), matrix))(gradient)
    candidates = jnp.stack([jnp.clip(free + length * direction, low, high) for length in STEP_LENGTHS] + [free])
    values = jax.vmap(partial(_nll, problem))(candidates)
    rounding = 1e-13 * (1 + jnp.sum(problem.counts))
    best = jnp.argmin(values[:-1].at[0].add(-rounding))
    lost = ~((values[best] <= values[-1] + rounding) & jnp.isfinite(values[best]))
    return _State(jnp.where(lost, free, candidates[best]), -0.5 * gradient @ direction, lost)


def _nll(problem: NewtonProblem, free: Array) -> Array:
    """Negative log-likelihood, infinite where rates vanish."""
    rates = problem.rates(free)
    value = jnp.sum(rates - problem.counts * jnp.log(jnp.maximum(rates, RATE_FLOOR))) + problem.prior(free)
    return jnp.where((rates > RATE_FLOOR).all(), value, jnp.inf)


def _has_better_neighbour(problem: NewtonProblem, free: Array) -> Bool[Array, ""]:
    """Whether another valley begins within two standard deviations along one of the shifts."""
    places = problem.shifts.nonzero()[0]
    moves = np.kron(np.eye(len(free))[places], np.array([-2.0, -1.0, 1.0, 2.0])[:, None])
    there = jnp.clip(free + moves, *problem.bounds)
    return (jax.vmap(partial(_nll, problem))(there) < _nll(problem, free)).any()
