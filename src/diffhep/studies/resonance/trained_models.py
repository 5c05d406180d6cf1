"""Trained flows and network of the search, and the events that they are applied to (thesis 9.4 and 9.7)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float

from diffhep.flows import ensembles
from diffhep.flows.density_ratio import LogDensities
from diffhep.flows.flow import Flow
from diffhep.flows.training import restore
from diffhep.learning import classifiers
from diffhep.learning.model_selection import TrainedParameters, trained_parameters
from diffhep.models.modifiers import STATIC
from diffhep.static_settings import StaticSettings

NO_CONTEXT = np.zeros(0, np.float32)
"""Context of unconditional flows."""


@register_dataclass
@dataclass(frozen=True)
class TrainedModels:
    """Trained flows and network of the search.

    Attributes:
        flow: Architecture of the signal's flows, conditioned on both masses.
        signal: Parameters of the signal's ensemble.
        background_flow: Architecture of the background's flows, which are unconditional.
        background: Parameters of the background's ensemble.
        network: Architecture of the pNN (settings of `networks.DenseNetwork`).
        pnn_parameters: Parameters of the pNN.
    """

    flow: Flow = field(metadata=STATIC)
    signal: TrainedParameters
    background_flow: Flow = field(metadata=STATIC)
    background: TrainedParameters
    network: StaticSettings = field(metadata=STATIC)
    pnn_parameters: TrainedParameters

    def log_signal(self, events: Float[Array, "event mass"], masses: Float[Array, " mass"]) -> LogDensities:
        """Log densities of events under the signal hypothesis of these masses."""
        return ensembles.log_densities(self.flow, self.signal, events, masses)

    @jax.jit
    def log_background(self, events: Float[Array, "event mass"]) -> LogDensities:
        """Log densities of events under the background hypothesis."""
        return ensembles.log_densities(self.background_flow, self.background, events, jnp.asarray(NO_CONTEXT))

    def pnn(self, events: Float[Array, "event mass"], masses: Float[Array, " mass"]) -> Float[Array, " event"]:
        """Logits of the pNN conditioned on these masses."""
        return classifiers.logit(self.network, self.pnn_parameters, events, masses)


class SearchSample(NamedTuple):
    """Events of the search, with their log densities as background.

    Attributes:
        events: m_bbgg and m_bb in GeV.
        weights: Expected number of events that each event represents; 0 for padding.
        background: Log densities of the events by each member of the background's ensemble.
    """

    events: Float[Array, "*axis event mass"]
    weights: Float[Array, "*axis event"]
    background: Float[Array, "*axis member event"]


def restore_models(
    settings: Mapping[str, Any], flow: xr.Dataset, background_flow: xr.Dataset, pnn: xr.Dataset
) -> TrainedModels:
    """Restore the trained flows and network from the results of their trainings.

    Args:
        settings: `flow` (settings of `autoregressive_flow`) and `network`.
        flow: Result of `training.train_flow`.
        background_flow: Result of `training.train_background`.
        pnn: Result of `training.train_network`.

    Returns:
        The trained models.
    """
    flows = (*restore(settings["flow"], flow), *restore(settings["flow"], background_flow))
    return TrainedModels(*flows, StaticSettings(settings["network"]), trained_parameters(pnn))


def search_samples(
    models: TrainedModels, signal: xr.Dataset, background: xr.Dataset
) -> tuple[SearchSample, SearchSample]:
    """Select the test events of signal and background, with weights scaled to the yields of all events.

    Args:
        models: Trained models.
        signal: Result of `events.select_signal`.
        background: Result of `events.select_background`.

    Returns:
        The signal (point, event), padded with events of weight 0, and the background (event).
    """
    points = [_test_events(signal, signal["mass_point"].values == point) for point in range(signal.sizes["point"])]
    longest = max(len(weights) for _, weights in points)
    events, weights = (
        np.stack([np.pad(array, [(0, longest - len(array))] + [(0, 0)] * (array.ndim - 1), "edge") for array in arrays])
        for arrays in zip(*points, strict=True)
    )
    is_event = np.arange(longest) < np.array([len(weights) for _, weights in points])[:, None]
    logs = np.asarray(models.log_background(events.reshape(-1, events.shape[-1])))
    background_events, background_weights = _test_events(background, np.ones(background.sizes["event"], bool))
    return (
        SearchSample(events, weights * is_event, logs.reshape(-1, len(points), longest).swapaxes(0, 1)),
        SearchSample(background_events, background_weights, models.log_background(background_events)),
    )


def _test_events(sample: xr.Dataset, selected: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Test events among those selected, and weights that add up to those of all selected events."""
    weight, test = sample["weight"].values, selected & sample["test"].values
    return sample["events"].values[test], weight[test] * weight[selected].sum() / weight[test].sum()
