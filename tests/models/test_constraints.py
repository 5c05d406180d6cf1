"""Constraint terms equal the normal and Poisson densities of scipy, and those of pyhf."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy import stats
from support import oracles
from support.workspaces import WORKSPACES

from diffhep.models.constraints import Constraints, unit_normal
from diffhep.models.workspace import model_and_data

WIDTH, COUNT, MEASURED = np.array([0.5, 2.0]), np.array([30.0]), np.array([0.1, -1.0, 27.0])
CONSTRAINTS = Constraints((2, 0), (1,), *map(jnp.asarray, (WIDTH, COUNT, MEASURED)))
PARS = jnp.array([0.7, 1.2, -0.4, 5.0])


def test_normal_terms_equal_the_densities_of_scipy():
    log_density = stats.norm(np.asarray(PARS)[[2, 0]], WIDTH).logpdf(MEASURED[:2]).sum()
    ours = -CONSTRAINTS.deviance(PARS, CONSTRAINTS.auxiliary) - CONSTRAINTS.log_normalisation()
    np.testing.assert_allclose(ours, log_density, rtol=1e-12)


def test_asimov_auxiliary_data_measure_the_parameters():
    expected = CONSTRAINTS.expected(PARS)
    np.testing.assert_allclose(expected, [-0.4, 0.7, 30 * 1.2])
    assert CONSTRAINTS.deviance(PARS, expected) == 0
    np.testing.assert_allclose(CONSTRAINTS.rates(PARS), CONSTRAINTS.counts(expected))
    np.testing.assert_allclose(CONSTRAINTS.counts(jnp.stack([MEASURED, MEASURED + 1])), [[27], [28]])


def test_information_is_the_second_derivative_of_the_deviance():
    hessian = jax.hessian(lambda pars: CONSTRAINTS.deviance(pars, CONSTRAINTS.auxiliary))(PARS)
    np.testing.assert_allclose(np.diag(CONSTRAINTS.information(PARS)), hessian, atol=1e-12)


def test_unit_normal_constraints_are_at_zero_with_width_one():
    constraints = unit_normal((1, 3))
    deviance = constraints.deviance(PARS, constraints.auxiliary)
    np.testing.assert_allclose(deviance, (1.2**2 + 5.0**2) / 2)
    assert constraints.poisson == () and constraints.counts(constraints.auxiliary).shape == (0,)


@pytest.mark.parametrize("name", ["staterror", "shapesys", "configured", "everything"])
def test_constraint_terms_equal_those_of_pyhf(name):
    oracle, (model, data) = oracles.PyhfAnalysis(WORKSPACES[name]), model_and_data(WORKSPACES[name])
    constraints, pars = model.constraints, jnp.array(model.parameters.initial) * 0.9 + 0.05
    theirs = oracle.model.constraint_logpdf(
        oracle.joined(model, data)[len(data.main) :], np.asarray(pars)[oracle.order(model)]
    )
    normal = -constraints.deviance(pars, data.auxiliary) - constraints.log_normalisation()
    rates, counts = constraints.rates(pars), constraints.counts(data.auxiliary)
    poisson = np.sum(np.asarray(counts * jnp.log(rates) - rates) - [float(jax.lax.lgamma(n + 1)) for n in counts])
    np.testing.assert_allclose(normal + poisson, theirs, rtol=1e-10)
