"""Linear equations against numpy; no batch reaches LAPACK, where jaxlib can deadlock."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.inference.newton.linear_algebra import MAX_UNROLLED, is_positive_definite, positive_definite_solver, solve

SIZES = (1, 3, MAX_UNROLLED, MAX_UNROLLED + 1, 20)


def equations(size, number=4):
    rng = np.random.default_rng(size)
    root = rng.normal(size=(number, size, size))
    return root @ root.swapaxes(1, 2) + np.eye(size), rng.normal(size=(number, size))


@pytest.mark.parametrize("size", SIZES)
def test_solutions_of_a_batch_are_those_of_numpy(size):
    matrices, rights = equations(size)
    expected = np.linalg.solve(matrices, rights[..., None])[..., 0]
    solved = jax.jit(jax.vmap(lambda matrix, right: positive_definite_solver(matrix)(right)))(matrices, rights)
    np.testing.assert_allclose(solved, expected, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(jax.jit(jax.vmap(solve))(matrices, rights), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", SIZES)
def test_a_matrix_with_a_negative_eigenvalue_is_not_positive_definite(size):
    matrices, _ = equations(size)
    bent = matrices - 1.1 * np.linalg.eigvalsh(matrices)[:, :1, None] * np.eye(size)
    positive = jax.jit(jax.vmap(lambda matrix: is_positive_definite(matrix, jnp.zeros(size))))(
        np.concatenate([matrices, bent])
    )
    np.testing.assert_array_equal(positive, np.repeat([True, False], len(matrices)))


@pytest.mark.parametrize("solver", [lambda m, r: positive_definite_solver(m)(r), solve], ids=["divider", "solve"])
def test_no_batch_reaches_lapack(solver):
    """A batch of limits with six free parameters and 225 bins hung on two cores, both waiting in `dpotrf`."""
    program = jax.jit(jax.vmap(solver)).lower(*equations(MAX_UNROLLED + 1)).as_text()
    calls = [line for line in program.splitlines() if "@lapack_" in line]
    assert calls and not [line for line in calls if re.search(r"tensor<\d+x\d+x\d+x", line)]
