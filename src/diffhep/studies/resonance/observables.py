"""Separation of signal and background by the pNN and by s_flow (thesis 9.4.2 and 9.7)."""

from collections.abc import Sequence

import jax
import numpy as np
import xarray as xr
from jaxtyping import Array, Float
from scipy import stats
from sklearn.metrics import roc_auc_score

from diffhep.data import mass_grid
from diffhep.flows.density_ratio import log_mean_density, s_flow
from diffhep.studies.resonance.trained_models import SearchSample, TrainedModels, restore_models, search_samples


def discriminate(settings: dict, signal: xr.Dataset, background: xr.Dataset, **trained: xr.Dataset) -> xr.Dataset:
    """Compare the pNN and s_flow on events that were used neither for the network nor for the background's flow.

    Args:
        settings: `flow` and `network`, as in `restore_models`; `bins` of the observables; `pnn`, the mass point at
            which the pNN is shown in figures; `s_flow`, the held-out mass points at which s_flow is.
        signal: Result of `events.select_signal`.
        background: Result of `events.select_background`.
        trained: Results of the trainings: `flow`, `background_flow` and `pnn`.

    Returns:
        For each conditioning point that is in a figure or held out: `share` (context, observable, sample, bin), the
        share of the weight in bins of each observable between 0 and 1, with `edges` (edge); `error` (context, sample,
        bin), the mean uncertainty of s_flow in a bin; `auc` (context, observable), the area under the receiver
        operating characteristic; `background_density` (context), the density of the background at m_bbgg = m_X and
        m_bb = m_S in 1/GeV²; `masses` (context, mass), `held_out` (context), and `in_figure` (context, observable).
        Over the held-out points: `min_auc` of s_flow, and its Spearman `correlation` with `background_density`, with
        `correlation_error`.
    """
    models, grid = restore_models(settings, **trained), signal["masses"].values
    in_figure = np.stack(
        [mass_grid.select_points(grid, points) for points in ([settings["pnn"]], settings["s_flow"])], axis=-1
    )
    selected = signal["held_out"].values | in_figure.any(axis=1)
    masses, held_out = grid[selected].astype(np.float32), signal["held_out"].values[selected]
    separations = _separations(models, masses, signal, background, selected, np.linspace(0, 1, settings["bins"] + 1))
    result = xr.concat(separations, "context").assign(
        masses=(("context", "mass"), grid[selected]),
        in_figure=(("context", "observable"), in_figure[selected]),
        held_out=("context", held_out),
        background_density=("context", np.asarray(np.exp(log_mean_density(models.log_background(masses))))),
    )
    unseen = result.sel(observable="s_flow").isel(context=held_out)
    return result.assign(
        min_auc=unseen["auc"].min(),
        correlation=stats.spearmanr(unseen["auc"], unseen["background_density"]).statistic,
        correlation_error=1 / np.sqrt(held_out.sum() - 1),
    )


def _separations(
    models: TrainedModels,
    masses: np.ndarray,
    signal: xr.Dataset,
    background: xr.Dataset,
    selected: np.ndarray,
    edges: np.ndarray,
) -> list[xr.Dataset]:
    """Separation of signal and background at each of the selected mass points."""
    signals, background_sample = search_samples(models, signal, background)
    signals = jax.tree.map(lambda array: array[selected], signals)
    separations = []
    for number, point in enumerate(masses):
        samples = jax.tree.map(lambda array, n=number: array[n], signals), background_sample
        values = [tuple(map(np.asarray, _observables(models, sample, point))) for sample in samples]
        separations.append(_separation(values, edges))
    return separations


@jax.jit
def _observables(models: TrainedModels, sample: SearchSample, masses: Float[Array, " mass"]) -> tuple[Array, ...]:
    """pNN, s_flow and its uncertainty, and the weight of each event."""
    observable = s_flow(models.log_signal(sample.events, masses), sample.background)
    return jax.nn.sigmoid(models.pnn(sample.events, masses)), observable.value, observable.error, sample.weights


def _separation(samples: Sequence[tuple[np.ndarray, ...]], edges: np.ndarray) -> xr.Dataset:
    """Histograms, uncertainties and areas of both observables at one mass point, from `_observables`."""
    labels = np.repeat([1, 0], [len(weights) for *_, weights in samples])
    weights = np.concatenate([sample[-1] for sample in samples])
    areas = [
        roc_auc_score(labels, np.concatenate([sample[n] for sample in samples]), sample_weight=weights) for n in (0, 1)
    ]
    shares = [
        [np.histogram(sample[n], edges, weights=sample[-1] / sample[-1].sum())[0] for sample in samples] for n in (0, 1)
    ]
    errors = [np.histogram(value, edges, weights=error * w / w.sum())[0] for _, value, error, w in samples]
    divisors = np.where(np.array(shares[1]) > 0, shares[1], 1.0)
    return xr.Dataset(
        {
            "auc": ("observable", areas),
            "share": (("observable", "sample", "bin"), np.array(shares)),
            "error": (("sample", "bin"), np.array(errors) / divisors),
            "edges": ("edge", edges),
        },
        coords={"observable": ["pNN", "s_flow"], "sample": ["signal", "background"]},
    )
