"""Three strategies of the search for X -> SH: a fit in the plane of both masses, the pNN, and s_flow (thesis 9.4, 9.7).

Each strategy sorts events into bins that depend on the masses of X and S of the search. For a signal that was not
simulated, the content of the bins is estimated from samples of the flows.
"""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int, Key

from diffhep.flows import ensembles
from diffhep.flows.density_ratio import log_density_ratio
from diffhep.inference import upper_limits
from diffhep.models import interpolated_signal
from diffhep.studies.resonance.trained_models import SearchSample, TrainedModels

STRATEGIES = ("2-D fit", "pNN", "s_flow")
SOURCES = ("simulated", "interpolated", "interpolated, uncertainty ignored")
"""Sources of the expected signal: simulation, or samples of the flows with or without the signal's uncertainty."""

MIN_SIMULATED_EVENTS = 0.5
"""Least simulated background events in a bin; in an empty bin any signal would be certain."""


class Binning(NamedTuple):
    """Bins of one strategy.

    Attributes:
        place: Maps a sample to the bin of each event; `n_bins` for events outside all bins.
        n_bins: Number of bins.
    """

    place: Callable[[SearchSample], Int[Array, " event"]]
    n_bins: int

    def __call__(self, sample: SearchSample, weights: Float[Array, " event"]) -> Float[Array, " bin"]:
        """Sum the weights of the events in each bin."""
        return jnp.bincount(self.place(sample), weights, length=self.n_bins + 1)[:-1]


def binnings(
    models: TrainedModels, settings: Mapping[str, Any], masses: Float[Array, " mass"], generated: SearchSample
) -> list[Binning]:
    """Bins of every strategy for a search at these masses, in the order of `STRATEGIES`.

    Bins of the plane are evenly spaced in units of the masses; bins of pNN and s_flow have equal shares of the signal
    sampled from the flows.

    Args:
        models: Trained models.
        settings: `plane` (ranges `m_bbgg` and `m_bb` in units of the masses; `bins` along each side), and `bins` of
            pNN and s_flow.
        masses: m_X and m_S in GeV.
        generated: Signal sampled from all flows.

    Returns:
        One binning for each strategy.
    """

    def place_in_plane(sample):
        side = settings["plane"]["bins"]
        low, high = (jnp.array([settings["plane"][name][end] for name in ("m_bbgg", "m_bb")]) for end in (0, 1))
        place = jnp.floor((sample.events / masses - low) / (high - low) * side).astype(int)
        inside = ((place >= 0) & (place < side)).all(axis=1)
        return jnp.where(inside, side * place[:, 1] + place[:, 0], side**2)

    def place_in_quantiles(observable):
        values = observable(generated)
        edges = jnp.quantile(values, jnp.linspace(0, 1, settings["bins"] + 1)[1:-1])
        return lambda sample: jnp.searchsorted(edges, observable(sample), side="right")

    pnn = place_in_quantiles(lambda sample: models.pnn(sample.events, masses))
    s_flow = place_in_quantiles(
        lambda sample: log_density_ratio(models.log_signal(sample.events, masses), sample.background)
    )
    return [
        Binning(place_in_plane, settings["plane"]["bins"] ** 2),
        *(Binning(place, settings["bins"]) for place in (pnn, s_flow)),
    ]


def expected_limits(
    models: TrainedModels,
    settings: Mapping[str, Any],
    masses: Float[Array, " mass"],
    simulated: SearchSample,
    expected: Float[Array, ""],
    error: Float[Array, ""],
    key: Key[Array, ""],
    background: SearchSample,
) -> Float[Array, "strategy source"]:
    """Compute the median expected upper limits on the signal strength at 95 % confidence level, without a signal.

    Args:
        models: Trained models.
        settings: Settings of `binnings`, and the number of `samples` of each flow.
        masses: m_X and m_S in GeV.
        simulated: Simulated signal of these masses; of weight 0 where none was simulated.
        expected: Interpolated yield of the signal at strength 1.
        error: Standard deviation of the interpolated yield.
        key: Random key.
        background: Background of the search.

    Returns:
        Limits by strategy and source, in the order of `STRATEGIES` and `SOURCES`.
    """
    members = ensembles.sample(models.flow, models.signal, masses, settings["samples"], key=key)
    flat = members.reshape(-1, members.shape[-1])
    generated = SearchSample(flat, jnp.full(len(flat), 1 / settings["samples"]), models.log_background(flat))
    contents = []
    for binning in binnings(models, settings, masses, generated):
        place = binning.place(generated).reshape(len(members), -1)
        counts = jax.vmap(partial(jnp.bincount, length=binning.n_bins + 1))(place)
        shares = counts[:, :-1] / settings["samples"]
        contents.append((shares, binning(simulated, simulated.weights), _background_content(binning, background)))
    plane, *scores = contents
    scores = jax.tree.map(lambda *arrays: jnp.stack(arrays), *scores)  # equally many bins: the fit compiles once
    score_limits = jax.lax.map(partial(_limits, expected, error), scores)
    return jnp.concatenate([_limits(expected, error, plane)[None], score_limits])


def _background_content(binning: Binning, background: SearchSample) -> Float[Array, " bin"]:
    """Expected background in each bin, at least `MIN_SIMULATED_EVENTS` of mean weight."""
    return jnp.maximum(binning(background, background.weights), MIN_SIMULATED_EVENTS * background.weights.mean())


def _limits(
    expected: Float[Array, ""],
    error: Float[Array, ""],
    contents: tuple[Float[Array, "member bin"], Float[Array, " bin"], Float[Array, " bin"]],
) -> Float[Array, " source"]:
    """Limits of one strategy by source, from the shares of each flow, the simulated signal and the background."""
    shares, simulated, background = contents
    # a yield that is not positive means no signal
    size, relative = jnp.maximum(expected, 0.0), error / jnp.maximum(expected, 1e-9)
    signal, shifts = size * shares.mean(axis=0), size * interpolated_signal.shape_shifts(shares)

    def limit(case):
        signal, shifts, error = case
        model = interpolated_signal.interpolated_signal_model(signal, background, shifts, error)
        return upper_limits.expected_upper_limit(model)

    no_shifts = jnp.zeros_like(shifts)
    cases = (simulated, no_shifts, 0.0), (signal, shifts, relative), (signal, no_shifts, 0.0)
    return jax.lax.map(limit, tuple(jnp.stack(values) for values in zip(*cases, strict=True)))
