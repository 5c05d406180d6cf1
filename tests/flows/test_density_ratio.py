"""s_flow and its uncertainty follow thesis equations 9.2 and 9.3, also where densities underflow."""

import numpy as np
from scipy.special import expit

from diffhep.flows import density_ratio


def test_value_and_error_follow_the_equations():
    rng = np.random.default_rng(0)
    signal, background = np.exp(rng.normal(size=(5, 40))), np.exp(rng.normal(size=(4, 40)))
    found = density_ratio.s_flow(np.log(signal), np.log(background))
    s, b = signal.mean(axis=0), background.mean(axis=0)
    np.testing.assert_allclose(found.value, s / (s + b))
    numerator = (s * background.std(axis=0, ddof=1)) ** 2 + (b * signal.std(axis=0, ddof=1)) ** 2
    np.testing.assert_allclose(found.error, np.sqrt(numerator / (s + b) ** 4))


def test_the_error_propagates_the_scatter_of_the_densities():
    """Propagation of small errors against a million values of eq. 9.2."""
    rng = np.random.default_rng(1)
    members = np.log([[0.99, 1.0, 1.01]]).T, np.log([[1.96, 2.0, 2.04]]).T
    found = density_ratio.s_flow(*members)
    signal, background = rng.normal(1.0, 0.01, 10**6), rng.normal(2.0, 0.04, 10**6)
    np.testing.assert_allclose(found.error, np.std(signal / (signal + background)), rtol=0.01)


def test_densities_that_underflow_give_finite_results():
    signal, background = np.array([[-2000.0, -5.0], [-2010.0, -5.0]]), np.array([[-2001.0, -3000.0]] * 2)
    found = density_ratio.s_flow(signal, background)
    ratio = np.asarray(density_ratio.log_density_ratio(signal, background))
    assert np.isfinite(found.error).all() and np.isfinite(ratio).all()
    np.testing.assert_allclose(found.value, expit(ratio))
    assert np.asarray(found.value)[1] == 1 and ratio[1] > 2000


def test_densities_that_overflow_count_as_zero():
    """A few samples in 10 000 from affine flows are so far out that float32 cannot represent their density."""
    nothing = np.array([[-np.inf, np.nan, np.nan], [np.nan, -np.inf, -1.0]])
    ratio = density_ratio.log_density_ratio(nothing, np.array([[-np.inf, -3.0, -1.0]] * 2))
    np.testing.assert_allclose(ratio, [0.0, -np.inf, np.log(0.5)], rtol=1e-6)
    assert np.isfinite(density_ratio.s_flow(nothing, nothing).error).all()
