"""Roots against brentq and closed forms, their implicit derivatives, and functions without a root."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import brentq

from diffhep.inference.root_finding import Bracket, bracketed_newton_step, increasing_root

FUNCTIONS = {
    "cubic": lambda x, c: x**3 + x - c,
    "steep": lambda x, c: jnp.expm1(5 * x) - c,
    "bent": lambda x, c: jnp.tanh(x - 3) + 0.01 * x - 0.05 * c,  # Newton's method alone diverges
}


def root(function, guess, c):
    return increasing_root(lambda x, _, c: function(x, c), lambda x, c: None, jnp.asarray(guess), c)[0]


@pytest.mark.parametrize("guess", [1e-3, 1.0, 5.0])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_roots_and_derivatives_are_those_of_brentq(name, guess):
    function, c, step = FUNCTIONS[name], 2.0, 1e-5
    value, slope = jax.jit(jax.value_and_grad(lambda c: root(function, guess, c)))(c)
    low, middle, high = (brentq(function, 1e-9, 99, args=(c + d,), xtol=1e-14) for d in (-step, 0, step))
    np.testing.assert_allclose(value, middle, rtol=1e-8)
    np.testing.assert_allclose(slope, (high - low) / (2 * step), rtol=1e-5)


@pytest.mark.parametrize("guess", [1e-3, 1.0, 1e3])
def test_roots_do_not_depend_on_the_guess(guess):
    value, slope = jax.value_and_grad(lambda c: root(lambda x, c: jnp.log(x) - c, guess, c))(0.5)
    np.testing.assert_allclose([value, slope], np.exp(0.5), rtol=1e-8)


@pytest.mark.parametrize("function", [lambda x, c: -c - 1 / (1 + x), lambda x, c: x * 0 - c])
def test_without_a_root_the_result_is_infinite_with_a_finite_derivative(function):
    value, slope = jax.value_and_grad(lambda c: root(function, 1.0, c))(2.0)
    assert np.isinf(value) and np.isfinite(slope)


def test_the_settled_result_is_that_of_the_root_and_counts_as_constant():
    def solve(c):
        return increasing_root(lambda x, y, c: x - y * c, lambda x, c: {"y": c + 1.0}["y"], jnp.array(1.0), c)

    (value, settled), slope = solve(2.0), jax.grad(lambda c: solve(c)[0])(2.0)
    np.testing.assert_allclose([value, settled, slope], [6.0, 3.0, 3.0], rtol=1e-8)


def step(x, value, slope, low, high, **options):
    x, value, slope, low, high = (jnp.asarray(number, float) for number in (x, value, slope, low, high))
    guess, bracket = bracketed_newton_step(x, value, slope, Bracket(low, high), **options)
    return float(guess), float(bracket.low), float(bracket.high)


@pytest.mark.parametrize(
    ("arguments", "options", "expected"),
    [
        ((1.0, -1.0, 2.0, 0.0, 4.0), {}, (1.5, 1.0, 4.0)),  # Newton's step
        ((3.0, 1.0, 2.0, 0.0, 4.0), {}, (2.5, 0.0, 3.0)),  # from the other side
        ((1.0, -1.0, 0.1, 0.0, 4.0), {}, (2.5, 1.0, 4.0)),  # beyond the bracket: its middle
        ((1.0, -1.0, -1.0, 0.0, np.inf), {}, (3.0, 1.0, np.inf)),  # downwards, without an upper end: growth
        ((1.0, -1.0, 0.1, 0.0, np.inf), {}, (11.0, 1.0, np.inf)),
        ((1.0, -1.0, 0.1, 0.0, np.inf), {"limit_newton": True}, (3.0, 1.0, np.inf)),
        ((1.0, np.nan, np.nan, 0.0, np.inf), {}, (0.5, 0.0, 1.0)),
    ],
)
def test_a_step_is_newtons_inside_the_bracket_and_safe_elsewhere(arguments, options, expected):
    np.testing.assert_allclose(step(*arguments, growth=3.0, **options), expected, rtol=1e-12)
