"""Autoregressive flows: every variable depends on those before it only, and equal settings share one flow."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.flows.autoregressive import autoregressive_flow

AFFINE = {"transform": "affine", "layers": 1, "hidden": 8}
SPLINE = {"transform": "spline", "layers": 1, "hidden": 8, "knots": 5, "reach": 3.0}
KEY = jax.random.key(0)


def bijection(settings, dimension=3, conditions=0):
    flow = autoregressive_flow(settings, dimension, conditions)
    return flow.bijection(1.5 * flow.initialise(KEY))


@pytest.mark.parametrize("settings", [AFFINE, SPLINE], ids=["affine", "spline"])
def test_the_jacobian_of_one_layer_is_triangular(settings):
    """Up to the order of the variables, so that its determinant is the product of the diagonal."""
    with jax.enable_x64(False):
        point = jnp.array([0.3, -0.8, 1.1], jnp.float32)
        transform = bijection(settings)
        jacobian = np.asarray(jax.jacobian(transform.inverse)(point))
        _, log_det = transform.inverse_and_log_det(point)
    arguments = np.sort(np.count_nonzero(np.abs(jacobian) > 1e-7, axis=1))
    assert (arguments <= [1, 2, 3]).all() and arguments[-1] > 1
    np.testing.assert_allclose(np.linalg.slogdet(jacobian)[1], log_det, rtol=1e-4, atol=1e-5)


def test_a_spline_is_the_identity_beyond_its_reach():
    with jax.enable_x64(False):
        far = jnp.array([3.5, -4.0, 10.0], jnp.float32)
        image = np.asarray(bijection(SPLINE).inverse(far))
    np.testing.assert_allclose(np.sort(np.abs(image)), np.sort(np.abs(far)), rtol=1e-5)


def test_a_flow_without_conditions_ignores_the_context():
    flow, conditional = (autoregressive_flow(AFFINE, 2, conditions) for conditions in (0, 2))
    assert flow.initialise(KEY).size < conditional.initialise(KEY).size
    assert flow.bijection(flow.initialise(KEY)).cond_shape is None
    assert conditional.bijection(conditional.initialise(KEY)).cond_shape == (2,)


def test_equal_settings_share_one_flow():
    assert autoregressive_flow(dict(AFFINE), 2, 1) is autoregressive_flow(dict(AFFINE), 2, 1)
    assert autoregressive_flow(AFFINE, 2, 1) is not autoregressive_flow(AFFINE | {"layers": 2}, 2, 1)


def test_an_unknown_transform_raises():
    with pytest.raises(ValueError, match="transform 'cubic' is unknown; choose affine or spline"):
        autoregressive_flow(AFFINE | {"transform": "cubic"}, 2, 2)
