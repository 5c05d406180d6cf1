"""Classifiers of signal and background, parametrised networks (pNN) among them.

A parametrised network takes conditioning variables beside the event, such as the masses of the signal (Baldi et al.,
arXiv:1601.07913; thesis 9.4.2). Background events have no such masses: they are given those of signal events, drawn at
random, so that the masses alone do not separate the classes. Other classifiers have no conditioning variables.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.flatten_util import ravel_pytree
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key, PyTree

from diffhep.learning import losses, model_selection, networks
from diffhep.learning.model_selection import TrainedParameters
from diffhep.learning.networks import logits
from diffhep.learning.tasks import Task
from diffhep.samples import ConditionalEvents
from diffhep.static_settings import Bound, StaticSettings


def combine_classes(
    signal: ConditionalEvents, background: ConditionalEvents, rng: np.random.Generator
) -> ConditionalEvents:
    """Combine signal and background to the training sample of a classifier.

    The conditioning variables of the background are drawn from those of the signal, in proportion to the signal's
    weights. The weights of each class are scaled to a mean of 1, and the shorter class is repeated.

    Args:
        signal: Signal events, one sample.
        background: Background events, one sample; their conditioning variables are ignored.
        rng: Source of randomness.

    Returns:
        Events (class, event, feature), signal first.
    """
    shares = np.asarray(signal.weights, float)[0]
    rows = rng.choice(shares.size, background.events.shape[1], p=shares / shares.sum())
    background = background._replace(context=np.asarray(signal.context)[:, rows])
    n_events = max(signal.events.shape[1], background.events.shape[1])

    def repeat(sample):
        arrays = map(np.asarray, sample)  # numpy compiles nothing
        events, context, weights = (np.take(array, np.arange(n_events), axis=1, mode="wrap") for array in arrays)
        return ConditionalEvents(events, context, weights / np.mean(weights))

    classes = zip(repeat(signal), repeat(background), strict=True)
    return ConditionalEvents(*jax.device_put([*map(np.concatenate, classes)]))


def train(
    settings: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents, *, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train classifiers by cross-entropy, and select the parameters of the lowest validation loss for each.

    Args:
        settings: `network` (settings of `networks.build_network`), and the settings of
            `model_selection.train_and_select_best`.
        seen: Training sample from `combine_classes`.
        valid: Validation sample from `combine_classes`.
        checkpoint: File of the checkpoint, see `training.train`.

    Returns:
        Result of `model_selection.standardise_and_train`.
    """
    make_task = partial(cross_entropy_task, settings["network"])
    return model_selection.standardise_and_train(make_task, settings, seen, valid, checkpoint=checkpoint)


def cross_entropy_task(network: Mapping[str, Any], seen: ConditionalEvents) -> Task:
    """Build the training task of a classifier of scaled events.

    Args:
        network: Settings of `networks.build_network`.
        seen: Scaled training sample, signal first.
    """
    _, initialise, _ = build_flat_network(network, seen.events.shape[-1] + seen.context.shape[-1])
    loss, evaluate = (Bound(function, StaticSettings(network)) for function in (_loss, _evaluate))
    return Task("cross-entropy", initialise, loss, evaluate)


def _loss(network: StaticSettings, parameters: Array, batch: ConditionalEvents) -> Array:
    inputs = jnp.concatenate([batch.events, batch.context], axis=-1)
    net, _, unravel = build_flat_network(network, inputs.shape[-1])
    return losses.bce(logits(net, unravel(parameters), inputs), batch.weights)


def _evaluate(network: StaticSettings, parameters: Array, held_out: ConditionalEvents) -> dict[str, Array]:
    return {"valid": _loss(network, parameters, held_out), "parameters": parameters}


def build_flat_network(
    network: Mapping[str, Any], inputs: int
) -> tuple[nn.Module, Callable[[Key[Array, ""]], Array], Callable[[Array], PyTree]]:
    """Build a network whose parameters are one vector.

    Args:
        network: Settings of `networks.build_network`.
        inputs: Number of input features.

    Returns:
        The network, a function that draws its first parameters, and one that unravels the vector for the network.
    """
    return _build_flat_network(StaticSettings(network), inputs)


@lru_cache(maxsize=8)  # equal networks share one function, and so their compiled programs
def _build_flat_network(network: StaticSettings, inputs: int) -> tuple[nn.Module, Callable, Callable]:
    net, unravelled = networks.build_network(network), []

    def initialise(key):
        flat, unravel = ravel_pytree(net.init(key, jnp.zeros(inputs, jnp.float32)))
        unravelled[:] = [unravel]
        return flat

    jax.eval_shape(initialise, jax.random.key(0))
    return net, jax.jit(initialise), unravelled[0]


def logit(
    network: Mapping[str, Any],
    trained: TrainedParameters,
    events: Float[ArrayLike, "event feature"],
    context: Float[ArrayLike, " condition"],
) -> Float[Array, " event"]:
    """Return the logits of events for one value of the conditioning variables, from the first member of an ensemble.

    Args:
        network: Settings of `networks.build_network`.
        trained: Parameters of the ensemble.
        events: Features of the events, not scaled.
        context: Conditioning variables, not scaled.
    """
    return _logit(StaticSettings(network), trained, events, context)


@partial(jax.jit, static_argnums=0)
def _logit(network: StaticSettings, trained: TrainedParameters, events, context) -> Float[Array, " event"]:
    features, conditions = trained.events(events), trained.context(context)
    net, _, unravel = build_flat_network(network, features.shape[-1] + conditions.shape[-1])
    conditions = jnp.broadcast_to(conditions, (len(features), len(conditions)))
    return logits(net, unravel(trained.parameters[0]), jnp.concatenate([features, conditions], axis=-1))
