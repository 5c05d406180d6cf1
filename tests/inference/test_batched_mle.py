"""Batched fits against single, safeguarded ones and scans, with data for which plain Newton steps fail."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from support.workspaces import WORKSPACES

from diffhep.inference import batched_mle, toys
from diffhep.inference.mle import conditional_fit, fit
from diffhep.models import workspace
from diffhep.models.likelihood import log_likelihood, with_unbounded_poi
from diffhep.models.simple import signal_background

BLOBS = signal_background(*np.array([
    [0.61, 0.96, 2.46, 7.26, 8.70], [78.2, 13.12, 6.2, 2.2, 0.28],
    [46.12, 17.2, 20.6, 13.52, 2.56], [34.64, 23.96, 14.44, 17.24, 9.72],
]))  # fmt: skip
FEW = signal_background(*np.array([[0.5, 2.0, 1.0], [3.0, 0.4, 0.2], [2.0, 0.8, 0.4], [4.0, 0.3, 0.1]]))
MODELS = {
    "blobs": BLOBS,
    "few events": with_unbounded_poi(FEW),
    "code0": signal_background(
        *np.array([[2.0, 6.0], [40.0, 30.0], [44.0, 25.0], [39.0, 31.0]]), interpolation="code0"
    ),
    "all kinds of constraints": workspace.model_and_data(WORKSPACES["correlated"])[0],
}


@pytest.mark.parametrize(("name", "mu"), [(name, None) for name in MODELS] + [("blobs", 0.5)])
def test_batched_fits_have_the_minima_of_single_fits(name, mu):
    model = MODELS[name]
    data = toys.throw(model, jnp.asarray(model.parameters.initial), 300, key=jax.random.key(2))
    single = fit if mu is None else lambda model, data: conditional_fit(model, data, mu)
    expected = jax.jit(lambda data: jax.lax.map(lambda toy: single(model, toy), data, batch_size=100))(data)
    fitted = batched_mle.fit_all(model, data, None if mu is None else jnp.array(mu))
    assert fitted.nll.shape == (300,) and (fitted.converged == expected.converged).mean() > 0.99
    same = np.abs(fitted.nll - expected.nll) < 1e-6
    assert same.mean() > 0.99  # some data have two minima
    np.testing.assert_allclose(fitted.parameters[same], expected.parameters[same], atol=2e-3)


def test_plain_steps_leave_empty_bins_to_the_safeguarded_ones():
    data = toys.throw(FEW, jnp.array([1.0, 0.0]), 300, key=jax.random.key(2))
    plain = jax.jit(jax.vmap(lambda toy: batched_mle._plain_fit(FEW, toy, None)))(data)
    empty = np.asarray((data.main == 0).any(axis=1))
    assert empty.any() and np.isinf(plain.edm[empty]).all() and plain.converged.any()


def test_conditional_fits_find_the_lowest_of_several_minima():
    """Templates of a trained network: at mu = 0, rates at the shift that fits with signal are negative."""
    model = with_unbounded_poi(signal_background(*np.array([
        [2.177, 6.473, 6.777, 0.601, 3.977], [0.081, 0.681, 3.281, 0.601, 95.361],
        [1.001, 1.321, 1.081, 1.241, 95.361], [1.881, 2.721, 1.161, 1.921, 92.321],
    ])))  # fmt: skip
    data = toys.throw(model, jnp.array([1.0, 0.0]), 500, key=jax.random.key(4))
    fitted = batched_mle.fit_all(model, data, jnp.array(0.0))
    shifts = jnp.linspace(-4, 4, 801)

    def scan_minimum(toy):
        return jnp.min(jax.vmap(lambda shift: -log_likelihood(model, jnp.array([0.0, shift]), toy))(shifts))

    above = fitted.nll - jax.jit(lambda data: jax.lax.map(scan_minimum, data))(data)
    assert fitted.converged.all() and above.max() < 20 and np.mean(above < 1e-3) > 0.98


def test_plain_steps_leave_negative_rates_to_the_safeguarded_ones():
    data = jax.tree.map(lambda values: values[0], toys.throw(FEW, jnp.array([1.0, 0.0]), 1, key=jax.random.key(0)))
    data = data._replace(main=jnp.array([4.0, 3.0, 2.0]))
    plain = jax.jit(lambda toy: batched_mle._plain_fit(FEW, toy, jnp.array(-20.0)))(data)
    assert np.isinf(plain.edm) and not plain.converged
