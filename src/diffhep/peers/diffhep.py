"""Fits, limits and expected CLs of templates with this library."""

import jax.numpy as jnp
from jaxtyping import Array, Float

from diffhep.inference import hypotests, mle, upper_limits
from diffhep.models.likelihood import Data, Model
from diffhep.models.simple import signal_background
from diffhep.peers.templates import Templates


def model(templates: Templates) -> Model:
    """The model of the templates."""
    return signal_background(*templates)


def data(templates: Templates, observed: Float[Array, " bin"]) -> Data:
    """Observed events, with auxiliary measurements where they are expected."""
    return Data(observed, jnp.zeros(templates.up.shape[0]))


def fit(templates: Templates, observed: Float[Array, " bin"]) -> Float[Array, ""]:
    """Best signal strength."""
    return mle.fit(model(templates), data(templates, observed)).parameters[0]


def limit(templates: Templates, observed: Float[Array, " bin"]) -> Float[Array, ""]:
    """Observed upper limit; the five expected ones are found on the way."""
    found = upper_limits.upper_limits(model(templates), data(templates, observed))
    return found.observed + 0 * found.expected.sum()  # nothing of it is optimised away


def cls(templates: Templates) -> Float[Array, ""]:
    """Expected CLs of the signal if there is none."""
    return hypotests.expected_cls(model(templates), 1.0)
