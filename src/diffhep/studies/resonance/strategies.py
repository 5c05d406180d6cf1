"""Three ways to look for X -> SH: a fit in the plane of both masses, the pNN, and s_flow (thesis 9.4 and 9.7).

Each sorts events into bins for given masses of X and S. How a signal that was not simulated falls into them follows
from samples of the flows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float, Int, Key

from diffhep.flows import ensembles
from diffhep.flows.density_ratio import LogDensities, log_density_ratio
from diffhep.flows.flow import Flow
from diffhep.flows.training import restore
from diffhep.inference import upper_limits
from diffhep.learning import classifiers
from diffhep.learning.model_selection import TrainedParameters, trained_parameters
from diffhep.models import interpolated_signal
from diffhep.models.modifiers import STATIC
from diffhep.static_settings import StaticSettings

STRATEGIES = ("2-D fit", "pNN", "s_flow")
SOURCES = ("simulated", "interpolated", "interpolated, uncertainty ignored")
NO_CONTEXT = np.zeros(0, np.float32)
"""Context of flows that know none."""

MIN_SIMULATED_EVENTS = 0.5
"""Simulated events that a bin is taken to hold where the background has fewer: none would make any signal certain."""


@register_dataclass
@dataclass(frozen=True)
class TrainedModels:
    """All that was trained.

    Attributes:
        flow: of the signal's ensemble `signal`, in the context of both masses.
        signal: see above.
        background_flow: of the ensemble `background`, which knows no masses.
        background: see above.
        network: the pNN (keys of `networks.DenseNetwork`).
        pnn_parameters: its parameters.
    """

    flow: Flow = field(metadata=STATIC)
    signal: TrainedParameters
    background_flow: Flow = field(metadata=STATIC)
    background: TrainedParameters
    network: StaticSettings = field(metadata=STATIC)
    pnn_parameters: TrainedParameters

    def log_signal(self, events: Float[Array, "event mass"], masses: Float[Array, " mass"]) -> LogDensities:
        """Log densities of events as signal of these masses."""
        return ensembles.log_densities(self.flow, self.signal, events, masses)

    @jax.jit
    def log_background(self, events: Float[Array, "event mass"]) -> LogDensities:
        """Log densities of events as background."""
        return ensembles.log_densities(self.background_flow, self.background, events, jnp.asarray(NO_CONTEXT))

    def pnn(self, events: Float[Array, "event mass"], masses: Float[Array, " mass"]) -> Float[Array, " event"]:
        """Logits of the pNN, told to look for these masses."""
        return classifiers.logit(self.network, self.pnn_parameters, events, masses)


class SearchSample(NamedTuple):
    """Events that compete in a search.

    Attributes:
        events: m_bbgg and m_bb, GeV.
        weights: expected events that each stands for; padding has none.
        background: log densities of the events as background.
    """

    events: Float[Array, "*axis event mass"]
    weights: Float[Array, "*axis event"]
    background: Float[Array, "*axis member event"]


def restore_models(
    settings: Mapping[str, Any], flow: xr.Dataset, background_flow: xr.Dataset, pnn: xr.Dataset
) -> TrainedModels:
    """What was trained, from its stored results.

    Args:
        settings: `flow` (keys of `flow.build`) and `network`.
        flow: Result of `training.train`, of the signal.
        background_flow: Likewise of the background.
        pnn: Result of `classifiers.train`.
    """
    both = (*restore(settings["flow"], flow), *restore(settings["flow"], background_flow))
    return TrainedModels(*both, StaticSettings(settings["network"]), trained_parameters(pnn))


class Binning(NamedTuple):
    """How one strategy sorts events.

    Attributes:
        place: Sample to the bin of each event, `number` for those outside.
        number: of bins.
    """

    place: Callable[[SearchSample], Int[Array, " event"]]
    number: int

    def __call__(self, sample: SearchSample, weights: Float[Array, " event"]) -> Float[Array, " bin"]:
        """Sums of weights."""
        return jnp.bincount(self.place(sample), weights, length=self.number + 1)[:-1]


def binnings(
    tools: TrainedModels, settings: Mapping[str, Any], masses: Float[Array, " mass"], drawn: SearchSample
) -> list[Binning]:
    """How the strategies sort events if they look for these masses, in the order of `STRATEGIES`.

    Bins of the plane are evenly spaced in units of the masses; pNN and s_flow have bins with equal shares of the signal
    that the flows draw.

    Args:
        tools: What was trained.
        settings: `plane` (`m_bbgg` and `m_bb`, the ranges; `bins` along each side) and `bins` of the others.
        masses: m_X and m_S.
        drawn: Samples of all flows.
    """

    def in_plane(sample):
        along = settings["plane"]["bins"]
        low, high = (jnp.array([settings["plane"][name][end] for name in ("m_bbgg", "m_bb")]) for end in (0, 1))
        place = jnp.floor((sample.events / masses - low) / (high - low) * along).astype(int)
        inside = ((place >= 0) & (place < along)).all(axis=1)
        return jnp.where(inside, along * place[:, 1] + place[:, 0], along**2)

    def along(observable):
        values = observable(drawn)
        edges = jnp.quantile(values, jnp.linspace(0, 1, settings["bins"] + 1)[1:-1])
        return lambda sample: jnp.searchsorted(edges, observable(sample), side="right")

    pnn = along(lambda sample: tools.pnn(sample.events, masses))
    s_flow = along(lambda sample: log_density_ratio(tools.log_signal(sample.events, masses), sample.background))
    return [
        Binning(in_plane, settings["plane"]["bins"] ** 2),
        *(Binning(place, settings["bins"]) for place in (pnn, s_flow)),
    ]


def expected_limits(
    tools: TrainedModels,
    settings: Mapping[str, Any],
    masses: Float[Array, " mass"],
    simulated: SearchSample,
    expected: Float[Array, ""],
    error: Float[Array, ""],
    key: Key[Array, ""],
    background: SearchSample,
) -> Float[Array, "strategy source"]:
    """Median upper limits on the signal strength at 95 % confidence level, without a signal.

    Args:
        tools: What was trained.
        settings: As for `binnings`, and `samples` of each flow.
        masses: m_X and m_S.
        simulated: Signal of these masses, if there is any.
        expected: Interpolated yield of the signal at strength 1.
        error: Its standard deviation.
        key: Source of randomness.
        background: Of the whole search.
    """
    drawn = ensembles.sample(tools.flow, tools.signal, masses, settings["samples"], key=key)
    flat = drawn.reshape(-1, drawn.shape[-1])
    every = SearchSample(flat, jnp.full(len(flat), 1 / settings["samples"]), tools.log_background(flat))
    counted = []
    for binning in binnings(tools, settings, masses, every):
        place = binning.place(every).reshape(len(drawn), -1)
        counts = jax.vmap(partial(jnp.bincount, length=binning.number + 1))(place)
        shares = counts[:, :-1] / settings["samples"]
        counted.append((shares, binning(simulated, simulated.weights), _filled(binning, background)))
    in_plane, *of_scores = counted
    of_scores = jax.tree.map(lambda *each: jnp.stack(each), *of_scores)  # as many bins of both: fits compiled once
    found = jax.lax.map(partial(_limits, expected, error), of_scores)
    return jnp.concatenate([_limits(expected, error, in_plane)[None], found])


def _filled(binning: Binning, background: SearchSample) -> Float[Array, " bin"]:
    """Expected background, with at least half a simulated event in every bin."""
    return jnp.maximum(binning(background, background.weights), MIN_SIMULATED_EVENTS * background.weights.mean())


def _limits(
    expected: Float[Array, ""],
    error: Float[Array, ""],
    counted: tuple[Float[Array, "member bin"], Float[Array, " bin"], Float[Array, " bin"]],
) -> Float[Array, " source"]:
    """Limits of one strategy, in the order of `SOURCES`: of the flows' shares, simulated signal and background."""
    shares, simulated, background = counted
    # a yield that is not positive is no signal at all
    size, relative = jnp.maximum(expected, 0.0), error / jnp.maximum(expected, 1e-9)
    signal, shifts = size * shares.mean(axis=0), size * interpolated_signal.shape_shifts(shares)

    def limit(case):
        signal, shifts, error = case
        return upper_limits.expected_upper_limit(
            interpolated_signal.interpolated_signal_model(signal, background, shifts, error)
        )

    nothing = jnp.zeros_like(shifts)
    cases = (simulated, nothing, 0.0), (signal, shifts, relative), (signal, nothing, 0.0)
    return jax.lax.map(limit, tuple(jnp.stack(each) for each in zip(*cases, strict=True)))
