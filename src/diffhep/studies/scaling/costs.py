"""Fits, limits and training steps by diffhep and by its peers on the same templates, to be timed."""

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jaxtyping import Array, Float

from diffhep import prng
from diffhep.data.blobs import N_FEATURES
from diffhep.learning import losses
from diffhep.learning.networks import DenseNetwork
from diffhep.learning.networks import logits as logits_of
from diffhep.learning.summary_statistic import smooth_yields
from diffhep.peers import timing
from diffhep.peers.templates import Templates, make_templates
from diffhep.samples import WeightedEvents
from diffhep.studies.scaling.settings import StepMeasurement

CROSS_ENTROPY = "cross_entropy"
"""Name, among the peers of a training step, of a step without statistics."""


def statistics(work: str, peer: str, size: Mapping[str, int], seed: int) -> timing.Workload:
    """A `fit` or a `limit` of templates with `nuisance_parameters`, `bins` and `channels` of a size."""
    module = importlib.import_module(f"diffhep.peers.{peer}")
    templates, observed = make_templates(*(size[key] for key in ("nuisance_parameters", "bins", "channels")), seed)
    if peer == "pyhf":
        return timing.python_workload(getattr(module, work), *module.prepare(templates, observed, size["channels"]))
    return timing.compiled_workload(getattr(module, work), jax.tree.map(jnp.asarray, templates), jnp.asarray(observed))


def step(peer: str, size: Mapping[str, int], settings: StepMeasurement, events: WeightedEvents) -> timing.Workload:
    """A training step on expected CLs with `nuisance_parameters`, `bins` and a `batch_size` of a size."""
    loss, network = _loss(peer, size, settings), DenseNetwork(settings.widths)
    optimiser = optax.adam(settings.learning_rate)
    batch = jax.tree.map(lambda array: jnp.asarray(np.asarray(array)[:, : size["batch_size"]]), events)
    start = jax.jit(network.init)
    parameters = start(prng.key(settings.seed, prng.INITIALISE), np.zeros(N_FEATURES, np.float32))

    def advance(parameters, opt_state, batch):
        value, gradient = jax.value_and_grad(loss)(parameters, batch)
        updates, opt_state = optimiser.update(gradient, opt_state)
        return value, optax.apply_updates(parameters, updates), opt_state

    return timing.compiled_workload(advance, parameters, jax.jit(optimiser.init)(parameters), batch)


def _loss(peer: str, size: Mapping[str, int], settings: StepMeasurement) -> Callable[[Any, WeightedEvents], Array]:
    network, edges = DenseNetwork(settings.widths), np.linspace(0, 1, size["bins"] + 1)
    bandwidth = settings.bandwidth * settings.bandwidth_bins / size["bins"]
    patterns = _patterns(size["nuisance_parameters"], size["bins"], settings.seed)

    def loss(parameters, batch):
        logits = logits_of(network, parameters, batch.features)
        if peer == CROSS_ENTROPY:
            return losses.bce_augmented(logits, batch.weights)
        signal, background, *shifted = smooth_yields(
            logits,
            batch.weights,
            edges,
            bandwidth=bandwidth,
            outer_edges=settings.outer_edges,
            scales=dict(settings.yields),
        )
        up, down = (background + (template - background) * patterns for template in shifted)
        return importlib.import_module(f"diffhep.peers.{peer}").cls(Templates(signal, background, up, down))

    return loss


def _patterns(nuisance_parameters: int, bins: int, seed: int) -> Float[np.ndarray, "shift bin"]:
    """Share of the background's shift that each nuisance parameter has: all of it, or parts of random signs."""
    if nuisance_parameters == 1:
        return np.ones((1, bins))
    signs = np.random.default_rng(seed).choice([-1.0, 1.0], (nuisance_parameters, bins))
    return signs / np.sqrt(nuisance_parameters)
