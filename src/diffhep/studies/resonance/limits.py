"""Expected upper limits of the search for X -> SH -> bb gamma gamma by several strategies (thesis 9.7)."""

from functools import partial

import jax
import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.static_settings import StaticSettings
from diffhep.studies.resonance import strategies
from diffhep.studies.resonance.trained_models import SearchSample, TrainedModels, restore_models, search_samples


def compute_limits(
    settings: dict, signal: xr.Dataset, background: xr.Dataset, yields: xr.Dataset, **trained: xr.Dataset
) -> xr.Dataset:
    """Compute expected upper limits on the cross section of the signal by every strategy.

    Args:
        settings: `flow` and `network`, as in `restore_models`; `plane`, `bins` and `samples`, as in
            `strategies.expected_limits`; `first` and `last` mass point; `seed`.
        signal: Result of `events.select_signal`.
        background: Result of `events.select_background`.
        yields: Result of `yields.interpolate`.
        trained: Results of the trainings: `flow`, `background_flow` and `pnn`.

    Returns:
        `limit` (context, strategy, source) in fb, at the simulated mass points and on a mesh where the signal is only
        interpolated; `masses` (context, mass) in GeV, `simulated` and `held_out` (context).
    """
    models, n_simulated = restore_models(settings, **trained), signal.sizes["point"]
    masses, mean, error = (
        np.concatenate([yields[f"{place}_{name}"].values for place in ("point", "limit")])
        for name in ("masses", "yield", "error")
    )
    signals, background_sample = search_samples(models, signal, background)
    signals = _pad(signals, len(masses) - n_simulated)
    keys = jax.random.split(prng.key(settings["seed"], prng.RESONANCE_LIMITS), len(masses))
    contexts = jax.device_put((masses.astype(np.float32), signals, mean, error, keys))
    static = StaticSettings({name: settings[name] for name in ("plane", "bins", "samples")})
    numbers = np.arange(len(masses))[settings["first"] : settings["last"] + 1]
    limits = np.stack([_expected_limits(static, models, contexts, int(n), background_sample) for n in numbers])
    held_out = np.append(signal["held_out"].values, np.zeros(len(masses) - n_simulated, bool))
    return xr.Dataset(
        {
            "limit": (("context", "strategy", "source"), limits),
            "masses": (("context", "mass"), masses[numbers]),
            "simulated": ("context", numbers < n_simulated),
            "held_out": ("context", held_out[numbers]),
        },
        coords={"strategy": list(strategies.STRATEGIES), "source": list(strategies.SOURCES)},
    )


def _pad(sample: SearchSample, number: int) -> SearchSample:
    """Append mass points at which no signal was simulated: of weight 0, so that the limit is infinite."""
    return jax.tree.map(lambda array: np.pad(array, [(0, number)] + [(0, 0)] * (array.ndim - 1)), sample)


@partial(jax.jit, static_argnums=0)  # at one mass point, so that one program serves any number of them
def _expected_limits(
    settings: StaticSettings, models: TrainedModels, contexts: tuple, number, background: SearchSample
):
    context = jax.tree.map(lambda array: array[number], contexts)
    return strategies.expected_limits(models, settings, *context, background)


def compare(settings: dict, limits: xr.Dataset) -> xr.Dataset:
    """Compare limits from the interpolated signal with those from the simulated signal at the held-out points.

    Args:
        settings: No settings.
        limits: Result of `compute_limits`.

    Returns:
        `unseen_ratio` (strategy), the median ratio of the interpolated to the simulated limit.
    """
    unseen = limits["limit"].values[limits["held_out"].values]
    simulated, interpolated = (unseen[..., strategies.SOURCES.index(name)] for name in strategies.SOURCES[:2])
    return xr.Dataset(
        {"unseen_ratio": ("strategy", np.median(interpolated / simulated, axis=0))},
        coords={"strategy": limits["strategy"]},
    )
