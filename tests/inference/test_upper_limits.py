"""Upper limits against pyhf, and their derivatives against finite differences."""

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from support import oracles
from support.workspaces import WORKSPACES

from diffhep.inference.hypotests import expected_cls, hypotest
from diffhep.inference.upper_limits import CLS_LEVEL, expected_upper_limit, upper_limits
from diffhep.models import workspace
from diffhep.models.likelihood import Data
from diffhep.models.simple import signal_background

S, B = jnp.array([2.0, 4.0, 7.0]), jnp.array([50.0, 30.0, 12.0])

median_limit = jax.jit(expected_upper_limit)


def build(signal, background):
    return signal_background(signal, background, background * jnp.array([1.1, 1.0, 0.9]), background * 0.95)


@pytest.mark.parametrize("name", ["shapesys"])
def test_limits_are_those_of_pyhf(name):
    limits = jax.jit(upper_limits)(*workspace.model_and_data(WORKSPACES[name]))
    oracle = oracles.PyhfAnalysis(WORKSPACES[name])
    with oracles.tight_pyhf(1e-10):
        observed, expected = pyhf.infer.intervals.upper_limits.upper_limit(oracle.data, oracle.model, rtol=1e-5)
    assert limits.converged
    np.testing.assert_allclose(limits.observed, observed, rtol=1e-4)
    np.testing.assert_allclose(limits.expected, expected, rtol=1e-4)


def test_cls_at_the_limit_equals_the_level():
    model, data = workspace.model_and_data(WORKSPACES["staterror"])
    limits = jax.jit(upper_limits, static_argnames="test_stat")(model, data, test_stat="q")
    tested = jax.jit(hypotest, static_argnames="test_stat")(model, data, limits.observed, test_stat="q")
    np.testing.assert_allclose(np.exp(tested.log_observed), CLS_LEVEL, rtol=1e-6)
    np.testing.assert_allclose(jax.jit(expected_cls)(build(S, B), median_limit(build(S, B))), CLS_LEVEL, rtol=1e-6)


def expected(scale):
    return expected_upper_limit(build(S, B * scale))


def observed(scale):
    return upper_limits(build(S, B * scale), Data(B + 2, jnp.array([0.1]))).observed


@pytest.mark.parametrize("limit", [expected, observed])
def test_derivatives_are_those_of_finite_differences(limit):
    step, both = 1e-4, jax.jit(jax.value_and_grad(limit))
    slope = (both(1 + step)[0] - both(1 - step)[0]) / (2 * step)
    np.testing.assert_allclose(both(1.0)[1], slope, rtol=1e-4)


def test_limits_scale_inversely_with_the_signal():
    np.testing.assert_allclose(median_limit(build(S, B)), 3 * median_limit(build(3 * S, B)), rtol=1e-8)


def test_limits_without_signal_are_infinite():
    assert np.isinf(median_limit(build(jnp.zeros(3), B)))
    assert np.isfinite(jax.grad(lambda s: median_limit(build(jnp.zeros(3) * s, B)))(1.0))
