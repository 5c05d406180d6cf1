"""Coupling flows start as the identity, integrate to one if monotone, and transform all variables by both kinds."""

import equinox as eqx
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flowjax.bijections import AbstractBijection
from scipy import stats

from diffhep.flows import bijections, coupling
from diffhep.flows import flow as flows_flow

SMALL = {"layers": 4, "couplings": ["gated_affine", "hyperbolic"], "width": 6, "depth": 1}
MONOTONE = ["gated_affine", "hyperbolic", "quadratic_clipped", "spline"]
MEMBERS = (0, 1, 2)


def random(flow, seed, size=0.25):
    """Parameters whose transforms are not the identity."""
    first = np.asarray(flow.initialise(jax.random.key(seed)))
    return first + size * np.asarray(jax.random.normal(jax.random.key(100 + seed), first.shape, first.dtype))


def normal(number, dimension):
    return np.random.default_rng(1).normal(size=(number, dimension)).astype(np.float32)


def log_density(flow):
    """Compiled function of parameters and points."""

    def evaluate(parameters, points):
        return flows_flow.scaled_log_density(flow, parameters, points, jnp.zeros((len(points), 0), jnp.float32))

    return jax.jit(evaluate)


def masses(kind):
    """Integrals of densities over a large square, with nodes that are dense at the centre."""
    flow = coupling.coupling_flow(SMALL | {"couplings": ["gated_affine", kind]}, 2)
    t = np.linspace(-np.arcsinh(300), np.arcsinh(300), 501)
    x, spans = np.sinh(t), np.cosh(t) * (t[1] - t[0])
    points = np.stack(np.meshgrid(x, x), axis=-1, dtype=np.float32).reshape(-1, 2)
    found = log_density(flow)
    for seed in MEMBERS:
        density = np.exp(np.nan_to_num(found(random(flow, seed), points), nan=-np.inf))
        yield np.sum(density.reshape(501, 501) * np.outer(spans, spans))


@pytest.mark.parametrize("kind", bijections.TRANSFORMS)
def test_an_untrained_flow_is_standard_normal(kind):
    flow = coupling.coupling_flow(SMALL | {"couplings": ["gated_affine", kind]}, 3)
    points = normal(50, 3)
    expected = stats.norm.logpdf(points).sum(axis=-1)
    np.testing.assert_allclose(log_density(flow)(flow.initialise(jax.random.key(0)), points), expected, atol=1e-4)


@pytest.mark.parametrize("kind", MONOTONE)
def test_monotone_couplings_integrate_to_one(kind):
    np.testing.assert_allclose([*masses(kind)], 1.0, atol=0.01)


def test_printed_quadratic_couplings_do_not_integrate_to_one():
    assert all(mass > 2 for mass in masses("quadratic_literal"))


@pytest.mark.parametrize("kind", MONOTONE)
def test_the_log_density_follows_from_the_base_density_and_the_jacobian(kind):
    flow = coupling.coupling_flow(SMALL | {"couplings": [kind, "gated_affine"]}, 3)
    parameters, density = random(flow, 7), log_density(flow)

    @jax.jit
    def round_trip(x):
        bijection = flow.bijection(parameters)
        u = bijection.inverse(x)
        return u, jax.jacobian(bijection.inverse)(x), bijection.transform(u)

    for x in normal(3, 3):
        with jax.enable_x64(False):
            u, slope, back = round_trip(x)
        np.testing.assert_allclose(back, x, atol=1e-4)
        expected = stats.norm.logpdf(u).sum() + np.linalg.slogdet(slope)[1]
        np.testing.assert_allclose(density(parameters, x[None])[0], expected, rtol=1e-4, atol=1e-4)


class Times(AbstractBijection):
    """Multiplication by a constant, independent of the network."""

    raw: jax.Array
    factor: float = eqx.field(static=True)
    shape: tuple[int, ...] = eqx.field(default=(), static=True)
    cond_shape: None = eqx.field(default=None, static=True)

    def transform_and_log_det(self, x, condition=None):
        return self.factor * x + 0 * self.raw, jnp.log(self.factor) + 0 * self.raw

    def inverse_and_log_det(self, y, condition=None):
        return y / self.factor, -jnp.log(self.factor)


@pytest.mark.parametrize("dimension", [2, 3, 4, 7])
def test_every_variable_passes_through_both_kinds_of_couplings(monkeypatch, dimension):
    kinds = {"twice": lambda: Times(jnp.zeros(()), 2.0), "thrice": lambda: Times(jnp.zeros(()), 3.0)}
    monkeypatch.setattr(bijections, "TRANSFORMS", kinds)
    flow = coupling.coupling_flow(SMALL | {"couplings": ["twice", "thrice"]}, dimension)
    parameters = flow.initialise(jax.random.key(0))
    with jax.enable_x64(False):
        slope = jax.jit(jax.jacobian(lambda x: flow.bijection(parameters).inverse(x)))(np.zeros(dimension, np.float32))
    factors = np.abs(slope).sum(axis=0)
    np.testing.assert_allclose(factors / 6, np.round(factors / 6), rtol=1e-5)
    assert (factors >= 5.9).all()


def test_parameters_and_densities_are_float32():
    flow = coupling.coupling_flow(SMALL, 2)
    parameters = flow.initialise(jax.random.key(0))
    assert parameters.dtype == jax.eval_shape(log_density(flow), parameters, normal(3, 2)).dtype == jnp.float32


@pytest.mark.parametrize(
    ("changes", "dimension", "message"),
    [
        ({"layers": 3}, 2, "layers is 3: they come in pairs"),
        ({"layers": 0}, 2, "layers is 0"),
        ({}, 1, "events have 1 feature: coupling layers need at least two"),
        ({"couplings": ["gated_affine", "cubic"]}, 2, "coupling 'cubic' is unknown"),
    ],
)
def test_impossible_flows_raise(changes, dimension, message):
    with pytest.raises(ValueError, match=message):
        coupling.coupling_flow(SMALL | changes, dimension)
