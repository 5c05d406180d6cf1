"""Classifiers of signal and background, which may be told what signal they shall look for.

Those that are told are parametrized networks (pNN; Baldi et al., arXiv:1601.07913; thesis 9.4.2): the context of an
event are the masses of its signal. Background has no such context: it is given that of signal events, drawn at random,
so that it alone tells nothing. Others have a context of no features.
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

from diffhep.learning import losses, model_selection, networks, training
from diffhep.learning.model_selection import TrainedParameters
from diffhep.learning.networks import logits
from diffhep.samples import ConditionalEvents
from diffhep.static_settings import Bound, StaticSettings


def combine_classes(
    signal: ConditionalEvents, background: ConditionalEvents, rng: np.random.Generator
) -> ConditionalEvents:
    """Both samples as one `Pairs` (sample, event), with contexts of the signal drawn for the background.

    Contexts are drawn in proportion to the signal's weights; the weights of each sample are scaled to a mean of 1, and
    the shorter sample is repeated.

    Args:
        signal: Events of one sample in their contexts.
        background: Events of one sample; their contexts are not looked at.
        rng: Source of randomness.
    """
    shares = np.asarray(signal.weights, float)[0]
    drawn = rng.choice(shares.size, background.events.shape[1], p=shares / shares.sum())
    background = background._replace(context=np.asarray(signal.context)[:, drawn])
    number = max(signal.events.shape[1], background.events.shape[1])

    def filled(each):
        arrays = map(np.asarray, each)  # numpy compiles nothing
        events, context, weights = (np.take(array, np.arange(number), axis=1, mode="wrap") for array in arrays)
        return ConditionalEvents(events, context, weights / np.mean(weights))

    return ConditionalEvents(
        *jax.device_put([*map(np.concatenate, zip(filled(signal), filled(background), strict=True))])
    )


def train(
    settings: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents, *, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train the classifier by cross-entropy, on events and contexts of mean 0 and width 1.

    Args:
        settings: `network` (of `networks.build_network`) and the keys of `training.kept`.
        seen: What is trained on, from `combine_classes`.
        valid: What it is validated on.
        checkpoint: As in `training.train`.

    Returns:
        As of `training.train`.
    """
    posed = partial(problem, settings["network"])
    return model_selection.standardise_and_train(posed, settings, seen, valid, checkpoint=checkpoint)


def problem(network: Mapping[str, Any], seen: ConditionalEvents, valid: ConditionalEvents) -> training.Problem:
    """Cross-entropy of scaled events and contexts, signal first."""
    _, first, _ = build_flat_network(network, seen.events.shape[-1] + seen.context.shape[-1])
    loss, evaluate = (Bound(function, StaticSettings(network)) for function in (_loss, _evaluated))
    return training.Problem("cross-entropy", first, loss, evaluate, seen, valid)


def _loss(network: StaticSettings, parameters: Array, batch: ConditionalEvents) -> Array:
    inputs = jnp.concatenate([batch.events, batch.context], axis=-1)
    net, _, unravel = build_flat_network(network, inputs.shape[-1])
    return losses.bce(losses.Outcome(logits(net, unravel(parameters), inputs), batch.weights, None))


def _evaluated(network: StaticSettings, parameters: Array, held_out: ConditionalEvents) -> dict[str, Array]:
    return {"valid": _loss(network, parameters, held_out), "parameters": parameters}


def build_flat_network(
    network: Mapping[str, Any], inputs: int
) -> tuple[nn.Module, Callable[[Key[Array, ""]], Array], Callable[[Array], PyTree]]:
    """The network, what draws its first parameters as one vector, and what makes a pytree of such a vector."""
    return _built(StaticSettings(network), inputs)


@lru_cache(maxsize=8)  # programs are compiled for a network: those of equal ones are shared
def _built(network: StaticSettings, inputs: int) -> tuple[nn.Module, Callable, Callable]:
    net, found = networks.build_network(network), []

    def first(key):
        flat, unravel = ravel_pytree(net.init(key, jnp.zeros(inputs, jnp.float32)))
        found[:] = [unravel]
        return flat

    jax.eval_shape(first, jax.random.key(0))
    return net, jax.jit(first), found[0]


def logit(
    network: Mapping[str, Any],
    trained: TrainedParameters,
    events: Float[ArrayLike, "event feature"],
    context: Float[ArrayLike, " condition"],
) -> Float[Array, " event"]:
    """What the first of the trained networks says of events in a context."""
    return _logit(StaticSettings(network), trained, events, context)


@partial(jax.jit, static_argnums=0)
def _logit(network: StaticSettings, trained: TrainedParameters, events, context) -> Float[Array, " event"]:
    inputs, told = trained.events(events), trained.context(context)
    net, _, unravel = build_flat_network(network, inputs.shape[-1] + told.shape[-1])
    both = jnp.concatenate([inputs, jnp.broadcast_to(told, (len(inputs), len(told)))], axis=-1)
    return logits(net, unravel(trained.parameters[0]), both)
