"""The same work as users of the peers do it: training with relaxed, fits with pyhf."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pyhf
import relaxed
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float, PyTree

from diffhep.data.blobs import Events
from diffhep.likelihood import Data, Model, expected_data, log_likelihood, signal_background
from diffhep.networks import Observable

RELAXED = f"relaxed {version('relaxed')} (conditional fit repaired), jax {version('jax')}"
PYHF = f"pyhf {version('pyhf')} (numpy, scipy {version('scipy')})"

Loss = Callable[[PyTree, Float[Array, "sample event feature"]], Float[Array, ""]]


@cache
def repair_relaxed() -> None:
    """Let the conditional fit of relaxed work on a copy of the parameters.

    It writes the tested strength into the dict that jaxopt gave it, which present versions of jax refuse as a change of
    structure. Nothing else is changed; what is computed stays the same.
    """
    minimize = relaxed.mle._minimize

    def minimize_copy(fit_objective, **rest):
        return minimize(
            fit_objective=lambda pars, model, data: fit_objective(dict(pars), model, data), **rest
        )

    relaxed.mle._minimize = minimize_copy


@register_dataclass
@dataclass(frozen=True)
class RelaxedModel:
    """Our likelihood as relaxed wants it, which brings none of its own."""

    model: Model

    def _parameters(self, pars: Mapping[str, Array]) -> Array:
        return jnp.stack([jnp.asarray(pars[name], jnp.float64) for name in self.model.parameters.names])

    def logpdf(self, pars: Mapping[str, Array], data: Data) -> Array:
        """Log-likelihood of parameters by name."""
        return log_likelihood(self.model, self._parameters(pars), data)

    def expected_data(self, pars: Mapping[str, Array]) -> Data:
        """The Asimov data set."""
        return expected_data(self.model, self._parameters(pars))


def relaxed_losses(settings: Mapping[str, Any]) -> dict[str, Loss]:
    """CLs and augmented cross-entropy of a batch, with relaxed's histograms and hypothesis tests."""
    repair_relaxed()
    network, scales = Observable(settings["network"]), settings["yields"]
    edges = jnp.linspace(0, 1, settings["bins"] + 1)
    background = scales["background"] * scales["overall"]
    events = jnp.array([scales["signal"] * scales["overall"], background, background, background])

    def cls(parameters, features):
        scores = jax.nn.sigmoid(network.apply(parameters, features))
        counts = jnp.stack([relaxed.hist(sample, edges, settings["bandwidth"]) for sample in scores])
        yields = events[:, None] * counts / scores.shape[1] + scales["floor"]
        model = RelaxedModel(signal_background(*yields))
        null = {"mu": 0.0, "gamma": 0.0}
        return relaxed.infer.hypotest(
            1.0,
            data=model.expected_data(null),
            model=model,
            init_pars={"mu": 1.0, "gamma": 0.0},
            bounds=dict(zip(model.model.parameters.names, model.model.parameters.bounds, strict=True)),
            expected_pars=null,
        )

    def bce_augmented(parameters, features):
        logits = network.apply(parameters, features)
        labels = jnp.zeros_like(logits).at[0].set(1)
        return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, labels))

    return {"cls": cls, "bce_augmented": bce_augmented}


def relaxed_epoch(
    loss: Loss, parameters: PyTree, events: Events, settings: Mapping[str, Any]
) -> Callable[[], None]:
    """A Python loop over batches that calls one compiled step, for one seed."""
    optimiser = optax.adam(settings["learning_rate"])
    features, size = np.asarray(events.features), settings["batch_size"]
    rng = np.random.default_rng(0)

    @jax.jit
    def step(parameters, memory, batch):
        gradient = jax.grad(loss)(parameters, batch)
        updates, memory = optimiser.update(gradient, memory)
        return optax.apply_updates(parameters, updates), memory

    def epoch() -> None:
        trained, memory = parameters, optimiser.init(parameters)
        order = rng.permutation(features.shape[1])
        for first in range(0, features.shape[1], size):
            trained, memory = step(trained, memory, features[:, order[first : first + size]])
        jax.block_until_ready(trained)

    return epoch


def pyhf_model(yields: Float[np.ndarray, "sample bin"]) -> pyhf.Model:
    """Signal over a background with one correlated shape uncertainty."""
    signal, background, up, down = ([float(value) for value in sample] for sample in yields)
    return pyhf.simplemodels.correlated_background(signal, background, up, down)


def pyhf_fits(model: pyhf.Model, data: Data) -> Float[np.ndarray, "toy par"]:
    """Best (mu, gamma) of each data set, one fit after the other."""
    columns = [model.config.poi_index, model.config.par_slice("correlated_bkg_uncertainty").start]
    observed = np.concatenate([data.main, data.auxiliary], axis=1)
    return np.array([pyhf.infer.mle.fit(toy, model) for toy in observed])[:, columns]
