"""The same work as users of the peers do it: training with relaxed, fits with pyhf."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pyhf
import relaxed
from jaxtyping import Array, Float, PyTree

from diffhep.learning.networks import DenseNetwork
from diffhep.models.likelihood import Data
from diffhep.models.simple import signal_background
from diffhep.peers.relaxed import expected_cls

Loss = Callable[[PyTree, Float[Array, "sample event feature"]], Float[Array, ""]]


def relaxed_losses(settings: Mapping[str, Any]) -> dict[str, Loss]:
    """CLs, with histograms and hypothesis test of relaxed, and augmented cross-entropy of a batch."""
    network, scales = DenseNetwork(settings["widths"]), settings["yields"]
    edges = jnp.linspace(0, 1, settings["bins"] + 1)
    background = scales["background"] * scales["overall"]
    expected = jnp.array([scales["signal"] * scales["overall"], background, background, background])

    def cls(parameters, features):
        scores = jax.nn.sigmoid(network.apply(parameters, features))
        counts = jnp.stack([relaxed.hist(sample, edges, settings["bandwidth"]) for sample in scores])
        return expected_cls(signal_background(*(expected[:, None] * counts / scores.shape[1] + scales["floor"])))

    def bce_augmented(parameters, features):
        logits = network.apply(parameters, features)
        labels = jnp.zeros_like(logits).at[0].set(1)
        return jnp.mean(optax.sigmoid_binary_cross_entropy(logits, labels))

    return {"cls": cls, "bce_augmented": bce_augmented}


def python_loop(
    loss: Loss,
    parameters: PyTree,
    features: Float[Array, "sample event feature"],
    settings: Mapping[str, Any],
) -> Callable[[], None]:
    """One epoch of one seed: a Python loop over batches that calls one compiled step."""
    optimiser = optax.adam(settings["learning_rate"])
    features, size = np.asarray(features), settings["batch_size"]
    rng = np.random.default_rng(0)

    @jax.jit
    def step(parameters, opt_state, batch):
        gradient = jax.grad(loss)(parameters, batch)
        updates, opt_state = optimiser.update(gradient, opt_state)
        return optax.apply_updates(parameters, updates), opt_state

    def epoch() -> None:
        trained, opt_state = parameters, optimiser.init(parameters)
        order = rng.permutation(features.shape[1])
        for first in range(0, features.shape[1], size):
            trained, opt_state = step(trained, opt_state, features[:, order[first : first + size]])
        jax.block_until_ready(trained)

    return epoch


def pyhf_model(yields: Float[np.ndarray, "sample bin"]) -> pyhf.Model:
    """Signal over a background with one correlated shape uncertainty."""
    return pyhf.simplemodels.correlated_background(*np.asarray(yields).tolist())


def pyhf_fits(model: pyhf.Model, data: Data) -> Float[np.ndarray, "toy par"]:
    """Best (mu, gamma) of each data set, one fit after the other."""
    columns = [model.config.poi_index, model.config.par_slice("correlated_bkg_uncertainty").start]
    observed = np.concatenate([data.main, data.auxiliary], axis=1)
    return np.array([pyhf.infer.mle.fit(toy, model) for toy in observed])[:, columns]
