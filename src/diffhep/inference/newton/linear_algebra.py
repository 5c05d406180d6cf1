"""Linear equations with few unknowns for thousands of data sets, where batched LAPACK is slow."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

MAX_UNROLLED = 5
"""Maximum number of unknowns for which the factorisation is unrolled into scalar operations."""

# sequential: jaxlib 0.10 splits a batch over the threads that run the program, and two such batches wait for ever
cholesky = jax.custom_batching.sequential_vmap(jnp.linalg.cholesky)
solve = jax.custom_batching.sequential_vmap(jnp.linalg.solve)


@jax.custom_batching.sequential_vmap
def _solve_factorised(factor, right):
    return jax.scipy.linalg.cho_solve((factor, True), right)


def is_positive_definite(matrix: Float[Array, "n n"], margin: Float[Array, " n"]) -> Bool[Array, ""]:
    """Test whether a symmetric matrix is positive definite.

    Args:
        matrix: Symmetric matrix.
        margin: Lower limits on the pivots, used for matrices of up to `MAX_UNROLLED` rows.

    Returns:
        True if all pivots are above their limits (0 for larger matrices).
    """
    if matrix.shape[0] > MAX_UNROLLED:
        return jnp.isfinite(cholesky(matrix)).all()
    return jnp.all(jnp.stack(_factorise(matrix)[1]) > margin)


def positive_definite_solver(matrix: Float[Array, "n n"]) -> Callable[[Array], Array]:
    """Return a function that solves matrix x = right for x.

    Args:
        matrix: Positive definite matrix, factorised once.

    Returns:
        Function of the right side, a vector (n,) or the columns of a matrix (n, k).
    """
    if matrix.shape[0] > MAX_UNROLLED:
        factor = cholesky(matrix)
        return lambda right: _solve_factorised(factor, right)
    lower, pivots = _factorise(matrix)
    return lambda right: _substitute(lower, pivots, right)


def _factorise(matrix):
    """Return the unit lower triangle and the pivots of L D L^T."""
    size = matrix.shape[0]
    lower, pivots = [[None] * size for _ in range(size)], []
    for j in range(size):
        pivots.append(matrix[j, j] - sum(lower[j][k] ** 2 * pivots[k] for k in range(j)))
        for i in range(j + 1, size):
            overlap = sum(lower[i][k] * lower[j][k] * pivots[k] for k in range(j))
            lower[i][j] = (matrix[i, j] - overlap) / pivots[j]
    return lower, pivots


def _substitute(lower, pivots, right):
    """Solve L D L^T x = right."""
    size = len(pivots)
    half, solution = [], [None] * size
    for i in range(size):
        half.append(right[i] - sum(lower[i][k] * half[k] for k in range(i)))
    for i in reversed(range(size)):
        solution[i] = half[i] / pivots[i] - sum(lower[k][i] * solution[k] for k in range(i + 1, size))
    return jnp.stack(solution)
