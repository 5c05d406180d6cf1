"""Flows integrate to one, change variables by their Jacobian, and generate samples that follow their density."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from diffhep.flows import autoregressive, coupling
from diffhep.flows import flow as flows_flow
from diffhep.learning import model_selection, scaling

AFFINE = {"transform": "affine", "layers": 3, "hidden": 6}
SPLINE = {"transform": "spline", "layers": 2, "hidden": 6, "knots": 5, "reach": 4.0}
CONTEXT = np.array([0.4, -0.7])
KEY = jax.random.key(3)


@pytest.fixture(scope="module", params=[AFFINE, SPLINE], ids=["affine", "spline"])
def trained(request):
    """A flow with a scaling other than the identity."""
    flow = autoregressive.autoregressive_flow(request.param, 2, 2)
    parameters = 1.5 * np.asarray(flow.initialise(KEY))
    numbers = [[1.0, -2.0], [0.5, 3.0], [0.1, 0.2], [2.0, 3.0]]
    mean, width, *context = (np.array(each, np.float32) for each in numbers)
    events, context = scaling.Scaling(mean, width), scaling.Scaling(*context)
    return flow, model_selection.TrainedParameters(parameters, events, context)


@pytest.fixture(scope="module")
def square(trained):
    """Points of a square, and the probability of the cell around each."""
    flow, values = trained
    axis = np.linspace(-12, 12, 401)
    z = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    points = z * values.events.width + values.events.mean
    area = (axis[1] - axis[0]) ** 2 * np.prod(values.events.width)
    return points, area * np.exp(flows_flow.log_density(flow, values, points, np.broadcast_to(CONTEXT, points.shape)))


def test_the_density_integrates_to_one(square):
    _, shares = square
    assert shares.sum() == pytest.approx(1.0, abs=2e-3)


def test_samples_have_the_moments_of_the_density(trained, square):
    points, shares = square
    drawn = np.asarray(flows_flow.sample(*trained, CONTEXT, 100_000, key=jax.random.key(5)))
    assert drawn.dtype == np.float32 and np.isfinite(drawn).all()
    mean = shares @ points
    np.testing.assert_allclose(drawn.mean(axis=0), mean, atol=0.02 * drawn.std(axis=0).max())
    np.testing.assert_allclose(drawn.std(axis=0), np.sqrt(shares @ (points - mean) ** 2), rtol=0.02)


def test_the_log_density_follows_from_the_base_density_and_the_jacobian(trained):
    flow, values = trained
    condition = values.context(CONTEXT).astype(np.float32)

    @jax.jit
    def round_trip(z):
        bijection = flow.bijection(values.parameters)
        u = bijection.inverse(z, condition)
        slope = jax.jacobian(lambda z: bijection.inverse(z, condition))(z)
        return u, slope, bijection.transform(u, condition)

    for point in np.array([[1.3, -1.0], [0.5, -6.0]]):
        z = values.events(point).astype(np.float32)
        with jax.enable_x64(False):
            u, slope, back = map(np.asarray, round_trip(z))
        np.testing.assert_allclose(back, z, atol=1e-4)
        expected = -0.5 * u @ u - np.log(2 * np.pi) + np.linalg.slogdet(slope)[1] - np.log(values.events.width).sum()
        np.testing.assert_allclose(
            flows_flow.log_density(flow, values, point[None], CONTEXT[None])[0], expected, rtol=1e-4
        )


def test_parameters_and_densities_are_float32(trained):
    flow, values = trained
    assert flow.initialise(KEY).dtype == jnp.float32
    density = partial(flows_flow.scaled_log_density, flow)
    events = jnp.zeros((3, 2), jnp.float32)
    assert jax.eval_shape(density, values.parameters, events, events).dtype == jnp.float32


def test_the_density_depends_on_the_context(trained):
    values = [flows_flow.log_density(*trained, np.ones((1, 2)), context) for context in (CONTEXT[None], -CONTEXT[None])]
    assert abs(float(values[0][0]) - float(values[1][0])) > 1e-3


def test_blocks_give_the_density_of_all_events_together(trained, monkeypatch):
    flow, values = trained
    points = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
    whole, blocks = (
        jax.jit(partial(each, flow))
        for each in (flows_flow.scaled_log_density, flows_flow.blockwise_scaled_log_density)
    )
    monkeypatch.setattr(flows_flow, "BLOCK_SIZE", 20)
    arguments = values.parameters, points, points
    np.testing.assert_allclose(blocks(*arguments), whole(*arguments), rtol=1e-5)


def test_scaling_gives_mean_zero_and_width_one():
    values = np.random.default_rng(0).normal([1.0, 200.0], [0.1, 30.0], (1000, 2))
    scaled = scaling.fit_scaling(values)(values)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-5)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-5)


def test_a_feature_that_never_changes_is_refused():
    with pytest.raises(ValueError, match="feature 1 is 3 in all events"):
        scaling.fit_scaling(np.array([[1.0, 3.0], [2.0, 3.0]]))


@pytest.mark.parametrize(
    "build",
    [
        # settings that no other test uses, because flows are cached
        partial(autoregressive.autoregressive_flow, AFFINE | {"hidden": 3}, 2, 0),
        partial(
            coupling.coupling_flow, {"layers": 2, "couplings": ["spline", "hyperbolic"], "width": 3, "depth": 1}, 2
        ),
    ],
    ids=["autoregressive", "couplings"],
)
def test_a_flow_built_inside_a_traced_program_can_be_used_in_others(build):
    def scaled(factor, points):
        flow = build()
        context = jnp.zeros((len(points), 0), jnp.float32)
        return factor * flows_flow.scaled_log_density(flow, flow.initialise(KEY), points, context)

    first, second = (jax.jit(partial(scaled, factor))(np.ones((3, 2), np.float32)) for factor in (1, 2))
    np.testing.assert_allclose(second, 2 * first, rtol=1e-6)
