"""Fits, limits and expected CLs of templates with everwillow, shapes interpolated by evermore."""

import evermore
import everwillow
import everwillow.statelib as sl
import jax
import jax.numpy as jnp
from everwillow.hypotest.calculators import AsymptoticCalculator
from everwillow.hypotest.upper_limit import upper_limit
from jaxtyping import Array, Float, PyTree

from diffhep.peers.templates import Templates

MAX_SIGNAL_STRENGTH = 10.0
"""Strength up to which limits are looked for: the bound that pyhf and we have."""


def _rates(templates, pars):
    def shifted(up, down, gamma):
        return evermore.effect.VerticalTemplateMorphing(up, down).vshift(gamma, templates.background)

    shifts = jax.vmap(shifted)(templates.up, templates.down, pars["gamma"])
    return pars["mu"] * templates.signal + templates.background + shifts.sum(axis=0)


def _calculator(templates: Templates, observation: PyTree) -> AsymptoticCalculator:
    def predict(pars):
        return _rates(templates, pars), jnp.zeros_like(pars["gamma"])

    return AsymptoticCalculator(_nll(templates), _start(templates), observation, "mu", predict_fn=predict)


def _nll(templates):
    def nll(pars, observation):
        counts, measured = observation
        rates = jnp.maximum(_rates(templates, pars), 1e-6)
        return jnp.sum(rates - counts * jnp.log(rates)) + jnp.sum((pars["gamma"] - measured) ** 2) / 2

    return nll


def _start(templates):
    return sl.State.from_pytree({"mu": jnp.asarray(1.0), "gamma": jnp.zeros(templates.up.shape[0])})


def _observation(templates, observed):
    return jnp.asarray(observed), jnp.zeros(templates.up.shape[0])


def fit(templates: Templates, observed: Float[Array, " bin"]) -> Float[Array, ""]:
    """Best signal strength."""
    found = everwillow.fit(_nll(templates), _start(templates), _observation(templates, observed))
    return found.params.to_pytree()["mu"]


def limit(templates: Templates, observed: Float[Array, " bin"]) -> Float[Array, ""]:
    """Observed upper limit, and no expected one."""
    calculator = _calculator(templates, _observation(templates, observed))
    return upper_limit(lambda mu: calculator.cls(calculator.test(mu)), bounds=(0.0, MAX_SIGNAL_STRENGTH))


def cls(templates: Templates) -> Float[Array, ""]:
    """Expected CLs of the signal if there is none, as the observed one of Asimov data."""
    calculator = _calculator(templates, _observation(templates, templates.background))
    return calculator.cls(calculator.test(1.0))
