"""Fits against pyhf, implicit derivatives against finite differences, and data that are hard on fits."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pyhf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import oracles

from diffhep.inference import mle
from diffhep.models.likelihood import Data, expected_data, nominal_parameters, with_unbounded_poi
from diffhep.models.simple import signal_background


def both(signal, background, up, down, main, auxiliary, mu, code):
    model = signal_background(signal, background, up, down, interpolation=code)
    data = Data(main, auxiliary)
    return mle.fit(model, data), mle.conditional_fit(model, data, mu)


def implicit(signal, background, up, down, main, auxiliary, mu, code):
    def parameters(yields):
        free, fixed = both(*yields, main, auxiliary, mu, code)
        return jnp.concatenate([free.parameters, fixed.parameters[1:]])

    return jax.jacrev(parameters)(jnp.stack([signal, background, up, down]))


both = jax.jit(both, static_argnames="code")
implicit = jax.jit(implicit, static_argnames="code")


def random_problem(seed, spread=0.3):
    """Return yields of a random model, counts, and an auxiliary measurement."""
    rng = np.random.default_rng(seed)
    signal, background = rng.uniform(0.5, 20, 5), rng.uniform(5, 100, 5)
    tilt = rng.uniform(-spread, spread, 5)  # up and down on either side, else likelihoods have two maxima
    up, down = background * (1 + tilt), background * (1 - tilt * rng.uniform(0.5, 1.5, 5))
    main = rng.poisson(background + rng.uniform(0, 3) * signal).astype(float)
    return (signal, background, up, down), main, rng.normal(size=1)


def best_of_pyhf(oracle, main, auxiliary, mu=None):
    """Return parameters, in our order, and -log L of the best of three fits of pyhf.

    They start at 0 and on both sides of it, because SLSQP gets stuck at kinks of code0.
    """
    data, fit = np.concatenate([main, auxiliary]), pyhf.infer.mle.fit
    if mu is not None:
        fit = partial(pyhf.infer.mle.fixed_poi_fit, mu)
    starts = [list(oracles.in_pyhf_order(oracle, [1.0, gamma])) for gamma in (0.0, -0.5, 0.5)]
    with oracles.tight_pyhf():
        fitted = [fit(data, oracle, init_pars=start, return_fitted_val=True) for start in starts]
    pars, twice = min(fitted, key=lambda result: result[1])
    return np.asarray(pars)[np.argsort(oracles.in_pyhf_order(oracle, [0, 1]))], float(twice) / 2


@pytest.mark.parametrize("code", oracles.CODES)
@settings(max_examples=10)
@given(seed=st.integers(0, 2**32 - 1), mu=st.floats(0.0, 5.0))
def test_fits_are_those_of_pyhf(code, seed, mu):
    yields, main, auxiliary = random_problem(seed)
    free, fixed = both(*yields, main, auxiliary, mu, code)
    oracle = oracles.pyhf_model(*yields, code)
    for ours, fixed_mu in ((free, None), (fixed, mu)):
        pars, nll = best_of_pyhf(oracle, main, auxiliary, fixed_mu)
        assert ours.converged
        assert ours.nll <= nll + 1e-9
        assert float(ours.nll) == pytest.approx(nll, rel=1e-8)
        # SLSQP stops early at kinks of code0; parameters this far apart cost the nll it has too much
        slack = 3 * np.sqrt(2 * max(nll - float(ours.nll), 0.0))
        np.testing.assert_allclose(ours.parameters, pars, rtol=1e-5, atol=1e-6 + slack)


@pytest.mark.parametrize("code", oracles.CODES)
@settings(max_examples=2)
@given(seed=st.integers(0, 2**32 - 1), mu=st.floats(0.0, 5.0))
def test_implicit_derivatives_are_those_of_finite_differences(code, seed, mu):
    yields, main, auxiliary = random_problem(seed)
    point = np.stack(yields)

    def parameters(yields):
        free, fixed = both(*yields, main, auxiliary, mu, code)
        return np.concatenate([free.parameters, fixed.parameters[1:]])

    jacobian = np.asarray(implicit(*yields, main, auxiliary, mu, code))
    for place in np.ndindex(point.shape):
        step = np.zeros_like(point)
        step[place] = 1e-4
        difference = (parameters(point + step) - parameters(point - step)) / 2e-4
        np.testing.assert_allclose(jacobian[:, *place], difference, rtol=1e-4, atol=1e-6)


def test_fits_to_asimov_data_return_their_parameters():
    yields, _, _ = random_problem(3)
    for code in oracles.CODES:
        data = expected_data(signal_background(*yields, interpolation=code), jnp.array([2.0, -0.7]))
        free, fixed = both(*yields, *data, 2.0, code)
        np.testing.assert_allclose(free.parameters, [2.0, -0.7], atol=1e-6)
        np.testing.assert_allclose(fixed.parameters, [2.0, -0.7], atol=1e-6)
        assert fixed.parameters[0] == 2.0


def test_fits_respect_bounds_that_can_be_removed():
    (signal, background, up, down), _, auxiliary = random_problem(4)
    data = Data(jnp.asarray(background - signal), jnp.asarray(auxiliary))
    model = signal_background(signal, background, up, down)
    fit = jax.jit(mle.fit)
    bounded, unbounded = fit(model, data), fit(with_unbounded_poi(model), data)
    assert bounded.parameters[0] == 0
    assert unbounded.parameters[0] < -0.1
    assert unbounded.nll < bounded.nll
    assert bounded.converged
    assert unbounded.converged


def test_fits_do_not_depend_on_the_start():
    yields, main, auxiliary = random_problem(5)
    model, data = signal_background(*yields), Data(jnp.asarray(main), jnp.asarray(auxiliary))
    fit = jax.jit(mle.fit)
    for start in ([0.0, 0.0], [9.0, 4.0], [5.0, -4.0]):
        fitted = fit(model, data, jnp.array(start))
        assert fitted.converged
        np.testing.assert_allclose(
            fitted.parameters, both(*yields, main, auxiliary, 1.0, "code4p")[0].parameters, rtol=1e-6
        )


def test_vmap_fits_many_toys_with_many_shifts():
    rng = np.random.default_rng(6)
    signal, background = rng.uniform(5, 20, 5), rng.uniform(50, 100, 5)
    up, down = background * rng.uniform(0.95, 1.05, (2, 3, 5))
    model = signal_background(signal, background, up, down)
    data = Data(jnp.asarray(rng.poisson(background + signal, (20, 5)) + 0.0), jnp.asarray(rng.normal(size=(20, 3))))
    fitted = jax.jit(jax.vmap(mle.fit, in_axes=(None, 0)))(model, data)
    assert fitted.parameters.shape == (20, 4)
    assert fitted.converged.all()
    score = jax.jit(jax.vmap(jax.grad(lambda p, d: mle.negative_log_likelihood(model, p, d))))(fitted.parameters, data)
    inside = fitted.parameters[:, 0] > 0
    assert inside.sum() > 10
    np.testing.assert_allclose(score[inside], 0.0, atol=1e-5)


def bins(kind):
    """Return a strategy for (signal, background, up, down) of one bin that is hard on fits."""
    factor = st.floats(0.7, 1.3)
    return {
        "empty": st.tuples(st.floats(0, 1e-3), st.just(1e-3), st.floats(0, 2e-3), st.floats(0, 2e-3)),
        "unshifted": st.tuples(st.floats(0.5, 20), st.floats(5, 100), factor).map(
            lambda x: (x[0], x[1], x[1] * x[2], x[1] * x[2])
        ),
        "one side": st.tuples(
            st.floats(0.5, 20), st.floats(5, 100), st.floats(1.0, 1.3), st.floats(1.0, 1.3), st.booleans()
        ).map(lambda x: (x[0], x[1], *(x[1] * (f if x[4] else 2 - f) for f in x[2:4]))),
        "no signal": st.tuples(st.just(0.0), st.floats(5, 100), factor, factor).map(
            lambda x: (x[0], x[1], x[1] * x[2], x[1] * x[3])
        ),
        "usual": st.tuples(st.floats(0.5, 20), st.floats(5, 100), factor, factor).map(
            lambda x: (x[0], x[1], x[1] * x[2], x[1] * x[3])
        ),
    }[kind]


KINDS = ("empty", "unshifted", "one side", "no signal")


@pytest.mark.parametrize("code", oracles.CODES)
@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=10)
@given(draw=st.data(), seed=st.integers(0, 2**32 - 1), mu=st.floats(0.0, 3.0))
def test_hard_cases_converge_with_finite_derivatives(code, kind, draw, seed, mu):
    """All five bins of one kind, or a mixture with usual ones."""
    kinds = draw.draw(st.lists(st.sampled_from([kind, "usual"]), min_size=5, max_size=5))
    if kind != "no signal":  # without any signal the signal strength is undefined, see the test below
        kinds[0] = kind
    else:
        kinds[0] = "usual"
    yields = np.array([draw.draw(bins(kind)) for kind in kinds]).T
    rng = np.random.default_rng(seed)
    main = rng.poisson(yields[1] + yields[0]).astype(float)
    auxiliary = rng.normal(size=1)
    for fitted in both(*yields, main, auxiliary, mu, code):
        assert fitted.converged
        assert np.isfinite(fitted.parameters).all()
        assert np.isfinite(fitted.nll)
    assert np.isfinite(implicit(*yields, main, auxiliary, mu, code)).all()


@pytest.mark.parametrize("code", oracles.CODES)
def test_without_any_signal_fits_and_derivatives_are_finite(code):
    (_, *yields), main, auxiliary = random_problem(8)
    yields = (np.zeros(5), *yields)
    for fitted in both(*yields, main, auxiliary, 1.0, code):
        assert fitted.converged
        assert np.isfinite(fitted.parameters).all()
    assert np.isfinite(implicit(*yields, main, auxiliary, 1.0, code)).all()


def test_fits_to_nan_do_not_converge():
    yields, main, auxiliary = random_problem(9)
    main[2] = np.nan
    for fitted in both(*yields, main, auxiliary, 1.0, "code4p"):
        assert not fitted.converged


def test_fits_with_too_few_steps_do_not_converge(monkeypatch):
    yields, main, auxiliary = random_problem(10)
    model, data = signal_background(*yields), Data(jnp.asarray(main), jnp.asarray(auxiliary))
    start = jnp.array([9.0, 4.0])
    assert jax.jit(mle.fit)(model, data, start).converged
    monkeypatch.setattr(mle, "MAX_STEPS", 1)
    assert not jax.jit(lambda *args: mle.fit(*args))(model, data, start).converged


def test_fits_compile_once():
    @jax.jit
    def strength(yields, main):
        return mle.fit(signal_background(*yields), Data(main, jnp.zeros(1))).parameters[0]

    for seed in range(3):
        yields, main, _ = random_problem(seed)
        strength(np.stack(yields), main)
    assert strength._cache_size() == 1


def test_conditional_fits_fix_the_parameter_of_interest_only():
    yields, main, auxiliary = random_problem(11)
    mus = np.array([0.0, 0.5, 2.0, 12.0])  # the last is beyond the bounds of free fits
    fixed = [both(*yields, main, auxiliary, mu, "code4p")[1].parameters for mu in mus]
    assert [pars[0] for pars in fixed] == mus.tolist()
    assert len({float(pars[1]) for pars in fixed}) == 4
    assert nominal_parameters(signal_background(*yields), 12.0)[0] == 12.0
