"""Decays conserve energy and momentum and are isotropic; boosts are those of special relativity."""

import jax
import numpy as np
import pytest
from scipy import stats

from diffhep.data import kinematics

X = np.asarray(kinematics.four_vector(np.linspace(1, 400, 5000), np.linspace(-2, 2, 5000), 0.7, 500.0))


def test_components_are_those_of_pt_eta_phi_and_mass():
    vector = np.asarray(kinematics.four_vector(30.0, -1.2, 2.0, 5.0))
    assert kinematics.mass(vector) == pytest.approx(5.0)
    assert kinematics.transverse_momentum(vector) == pytest.approx(30.0)
    assert kinematics.pseudorapidity(vector) == pytest.approx(-1.2)
    assert np.arctan2(vector[2], vector[1]) == pytest.approx(2.0)


def test_boost_along_the_beam_is_a_lorentz_transformation():
    frame = np.array([5.0, 0.0, 0.0, 3.0])  # gamma 5/4, beta 3/5
    np.testing.assert_allclose(kinematics.boost(np.array([2.0, 0.5, 0.0, 1.0]), frame), [3.25, 0.5, 0.0, 2.75])
    np.testing.assert_allclose(kinematics.boost(np.array([4.0, 0.0, 0.0, 0.0]), frame), frame)


def test_decays_conserve_momentum_and_masses():
    s, h = map(np.asarray, kinematics.decay(jax.random.key(0), X, 170.0, 125.0))
    np.testing.assert_allclose(s + h, X, rtol=1e-9, atol=1e-8)
    np.testing.assert_allclose(kinematics.mass(s), 170.0, rtol=1e-9)
    np.testing.assert_allclose(kinematics.mass(h), 125.0, rtol=1e-9)


def test_decays_are_isotropic_in_the_rest_frame():
    at_rest = np.broadcast_to([500.0, 0.0, 0.0, 0.0], (5000, 4))
    s, _ = kinematics.decay(jax.random.key(1), at_rest, 170.0, 125.0)
    momentum = np.asarray(s)[:, 1:]
    size = np.linalg.norm(momentum, axis=1)
    np.testing.assert_allclose(size, np.sqrt((500**2 - 295**2) * (500**2 - 45**2)) / 1000, rtol=1e-9)
    assert stats.kstest(momentum[:, 2] / size, stats.uniform(-1, 2).cdf).pvalue > 0.01
    assert stats.kstest(np.arctan2(momentum[:, 1], momentum[:, 0]), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


def test_products_of_a_parent_that_is_too_light_are_finite():
    s, h = kinematics.decay(jax.random.key(0), X, 400.0, 125.0)
    assert np.isfinite(s).all() and np.isfinite(h).all()


def test_directions_along_the_beam_have_their_density():
    forward = 0.95
    result = np.asarray(kinematics.draw_forward_directions(jax.random.key(7), (20_000,), forward))
    np.testing.assert_allclose(np.linalg.norm(result, axis=-1), 1.0, rtol=1e-6)

    def cumulative(c):
        return (np.arctanh(forward * c) / np.arctanh(forward) + 1) / 2

    assert stats.kstest(result[:, 2], cumulative).pvalue > 0.01
    assert stats.kstest(np.arctan2(result[:, 1], result[:, 0]), stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 0.01


def test_first_product_has_the_given_direction():
    parent = np.array([[500.0, 0.0, 0.0, 0.0]])
    products = kinematics.decay(jax.random.key(0), parent, 100.0, 50.0, np.array([[0.0, 0.6, 0.8]]))
    first, second = map(np.asarray, products)
    np.testing.assert_allclose(first[0, 1:] / np.linalg.norm(first[0, 1:]), [0.0, 0.6, 0.8], atol=1e-9)
    np.testing.assert_allclose(first + second, parent, atol=1e-9)


def test_delta_r_uses_the_smaller_angle():
    one, other = (kinematics.four_vector(50.0, eta, phi, 0.0) for eta, phi in ((0.5, 3.0), (-0.5, -3.0)))
    assert float(kinematics.delta_r(one, other)) == pytest.approx(np.hypot(1.0, 2 * np.pi - 6.0))
