"""Fits and expected CLs of templates with relaxed, which brings no likelihood and borrows ours."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import jax.numpy as jnp
import relaxed
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float

from diffhep.models.likelihood import Data, Model, expected_data, log_likelihood
from diffhep.models.modifiers import Leaf
from diffhep.peers import diffhep as ours
from diffhep.peers.templates import Templates

NAME = f"relaxed {version('relaxed')} (conditional fit given a copy of its parameters), jax {version('jax')}"


@cache
def patch_conditional_fit() -> None:
    """Let the conditional fit of relaxed work on a copy of the parameters.

    It writes the tested strength into the dict that jaxopt gave it, which present versions of jax refuse as a
    change of structure. Nothing else is changed; what is computed stays the same.
    """
    minimize = relaxed.mle._minimize

    def minimize_a_copy(fit_objective, **rest):
        def objective(pars, model, data):
            return fit_objective(dict(pars), model, data)

        return minimize(fit_objective=objective, **rest)

    relaxed.mle._minimize = minimize_a_copy


@register_dataclass
@dataclass(frozen=True)
class RelaxedModel:
    """Our likelihood of strength "mu" and shifts "gamma" (one or several) as relaxed wants one."""

    model: Leaf

    def logpdf(self, pars: Mapping[str, Any], data: Data) -> Array:
        """Log-likelihood of parameters by name."""
        return log_likelihood(self.model, _vector(pars), data)

    def expected_data(self, pars: Mapping[str, Any]) -> Data:
        """The Asimov data set of parameters by name."""
        return expected_data(self.model, _vector(pars))


def _vector(pars: Mapping[str, Any]) -> Array:
    return jnp.concatenate([jnp.ravel(jnp.asarray(pars[name], jnp.float64)) for name in ("mu", "gamma")])


def expected_cls(model: Model) -> Float[Array, ""]:
    """Expected CLs of the signal if there is none; the free fit to Asimov data is left out, as with us."""
    patch_conditional_fit()
    wrapped, shifts = RelaxedModel(model), len(model.parameters.names) - 1
    background_only = _start(0.0, shifts)
    return relaxed.infer.hypotest(
        1.0,
        data=wrapped.expected_data(background_only),
        model=wrapped,
        init_pars=_start(1.0, shifts),
        bounds=_bounds(shifts),
        expected_pars=background_only,
    )


def cls(templates: Templates) -> Float[Array, ""]:
    """Expected CLs of the signal if there is none."""
    return expected_cls(ours.model(templates))


def fit(templates: Templates, observed: Float[Array, " bin"]) -> Float[Array, ""]:
    """Best signal strength."""
    shifts = templates.up.shape[0]
    wrapped = RelaxedModel(ours.model(templates))
    return relaxed.mle.fit(ours.data(templates, observed), wrapped, _start(1.0, shifts), _bounds(shifts))["mu"]


def _start(mu: float, shifts: int) -> dict[str, Array]:
    return {"mu": jnp.asarray(mu), "gamma": jnp.zeros(shifts)}


def _bounds(shifts: int) -> dict[str, Any]:
    return {"mu": (0.0, 10.0), "gamma": [(-5.0, 5.0)] * shifts}
