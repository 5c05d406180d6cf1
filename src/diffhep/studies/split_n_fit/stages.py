"""Stages of the study of Split-N-Fit: a badly trained network is fine-tuned on data."""

from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array

from diffhep import prng
from diffhep.data import dihiggs
from diffhep.inference.newton import batching
from diffhep.inference.spectra import fits as spectra_fits
from diffhep.inference.spectra import shapes as spectra_shapes
from diffhep.learning import classifiers
from diffhep.learning.model_selection import trained_parameters
from diffhep.learning.scaling import SCALING_VARIABLES, Scaling, to_variables
from diffhep.learning.split_n_fit import fine_tuning
from diffhep.learning.split_n_fit.fine_tuning import FineTuningData
from diffhep.learning.split_n_fit.loss import Shapes
from diffhep.samples import conditional_events
from diffhep.static_settings import StaticSettings

BATCH = 128
"""Number of spectra that are fitted side by side."""

SAMPLES = ("signal", "correct", "wrong")


def generate(settings: dict) -> xr.Dataset:
    """Selected events of one sample: `observables` (event, observable), `mass` and `test` (event).

    Args:
        settings: Those of `data.dihiggs`; `sample`, one of `SAMPLES`; `events`, how many; `seed`.
    """
    sample = settings["sample"]

    def draw(key, events):
        if sample == "signal":
            return dihiggs.generate_signal(key, settings, events)
        return dihiggs.generate_background(key, settings, sample, events)

    key = jax.random.fold_in(prng.key(settings["seed"], prng.SPLIT_N_FIT_EVENTS), SAMPLES.index(sample))
    events = dihiggs.generate_selected(key, draw, settings["events"])
    return xr.Dataset(
        {
            "observables": (("event", "observable"), events.observables),
            "mass": ("event", events.mass),
            "test": ("event", np.arange(len(events.mass)) % 2 == 1),
        },
        coords={"observable": list(dihiggs.OBSERVABLES)},
    )


def train(settings: dict, signal: xr.Dataset, background: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train a network with labels: the signal against one of the backgrounds, with equal numbers of events.

    Args:
        settings: As for `classifiers.train`.
        signal: Result of `generate`.
        background: Likewise.
        checkpoint: As in `training.train`.
    """
    rng, parts = np.random.default_rng([settings["seed"], prng.SPLIT_N_FIT_EVENTS]), []
    for test in (False, True):
        of = [each["observables"].values[each["test"].values == test] for each in (signal, background)]
        parts.append(
            classifiers.combine_classes(*(conditional_events(each, np.zeros((len(each), 0))) for each in of), rng)
        )
    return classifiers.train(settings, *parts, checkpoint=checkpoint)


def build_shapes(settings: dict) -> Shapes:
    """Build the shapes that are fitted to the spectra."""
    edges = np.linspace(*settings["range"], settings["bins"] + 1)
    background, signal = (
        spectra_shapes.build_shape(settings["shapes"][name], edges) for name in ("background", "signal")
    )
    return Shapes(background, signal, settings["bins"])


def bin_indices(settings: dict, mass: np.ndarray) -> np.ndarray:
    """Index of the bin of each mass."""
    low, high = settings["range"]
    return np.clip(((mass - low) / (high - low) * settings["bins"]).astype(int), 0, settings["bins"] - 1)


def weighted_half(
    settings: dict, trained: xr.Dataset, sample: xr.Dataset, *, test: bool, weight: float
) -> FineTuningData:
    """Return half of the events of a sample, with weights that add up to `weight`."""
    chosen = sample["test"].values == test
    scale = Scaling(*(trained[name].values for name in SCALING_VARIABLES[:2]))
    observables = scale(sample["observables"].values[chosen].astype(np.float32))
    place, number = bin_indices(settings, sample["mass"].values[chosen]), int(chosen.sum())
    return FineTuningData(*jax.device_put((observables, place, np.full(number, weight / number))))


def join_samples(parts: list[FineTuningData]) -> FineTuningData:
    """Join the events of several samples."""
    return FineTuningData(*map(jnp.concatenate, zip(*parts, strict=True)))


def tune(settings: dict, trained: xr.Dataset, signal: xr.Dataset, background: xr.Dataset) -> xr.Dataset:
    """Fine-tune a network on many events that are weighted down to the luminosity: data without fluctuations.

    Args:
        settings: As for `fine_tuning.fine_tune_in_folds` and `build_shapes`; `yields`.
        trained: Result of `train`, on the wrong background.
        signal: Result of `generate`.
        background: Likewise, the correct one.

    Returns:
        `parameters` and `last` (fold, parameter), losses `seen` and `valid` (fold, step), and scaling of the events.
    """
    yields = settings["yields"]
    samples = [
        weighted_half(settings, trained, sample, test=False, weight=yields[name])
        for name, sample in (("signal", signal), ("background", background))
    ]
    run = jax.jit(
        lambda start, of: fine_tuning.fine_tune_in_folds(
            settings, build_shapes(settings), start, join_samples(of), scaled=True
        )
    )
    found = run(trained["parameters"].values[0], samples)
    scales = trained_parameters(trained)[1:]
    return xr.Dataset(
        {
            "parameters": (("fold", "parameter"), np.asarray(found.best)),
            "last": (("fold", "parameter"), np.asarray(found.last)),
            "seen": (("fold", "step"), np.asarray(found.seen)),
            "valid": (("fold", "step"), np.asarray(found.valid)),
        }
        | to_variables(scales)
    )


def score_events(settings: dict, network: xr.Dataset, data: FineTuningData) -> Array:
    """Scores of events from a network, or from one for each fold."""
    of, parameters = StaticSettings(settings["network"]), network["parameters"].values
    return _scores(of, parameters if "fold" in network["parameters"].dims else parameters[0], data.observables)


@partial(jax.jit, static_argnums=0)
def _scores(network: StaticSettings, parameters, observables) -> Array:
    found = fine_tuning.scores if parameters.ndim == 1 else fine_tuning.scores_in_folds
    return found(network, parameters, observables)


def spectra(settings: dict, signal: xr.Dataset, background: xr.Dataset, networks: dict[str, xr.Dataset]) -> xr.Dataset:
    """Spectra of unseen events for each network, at the expected yields.

    Args:
        settings: Those of `build_shapes`; `network`, `yields`, `folds`, `cut`; `score_bins`.
        signal: Result of `generate`.
        background: Likewise, the correct one.
        networks: Results of `train` and `tune`, by name.

    Returns:
        `passed` (network, sample, bin), expected events above the cut; `plane` (network, sample, score, bin); `edges`;
        `asimov` (network), the expected significance, and `by_cut` (network, score) with cuts at the lower edges of the
        bins in score; the `cut`; and `spurious` (network): the significance of what is fitted as a signal to background
        alone.
    """
    shapes, samples = build_shapes(settings), {"signal": signal, "background": background}
    planes = np.array([
        [_plane(settings, network, sample, settings["yields"][name]) for name, sample in samples.items()]
        for network in networks.values()
    ])  # fmt: skip
    tails = planes[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]  # of all events from a score on

    cut = round(settings["cut"] * settings["score_bins"])
    counts = np.concatenate([tails.sum(axis=1), tails[:, 1, cut, None]], axis=1)
    one = partial(spectra_fits.significance, shapes.signal, shapes.background)
    judge = jax.jit(lambda counts: batching.map_in_batches(one, counts, BATCH))
    found = np.asarray(judge(counts.reshape(-1, counts.shape[-1]))).reshape(counts.shape[:-1])
    expected, spurious = found[:, :-1], found[:, -1]
    return xr.Dataset(
        {
            "plane": (("network", "sample", "score", "bin"), planes),
            "passed": (("network", "sample", "bin"), tails[:, :, cut]),
            "asimov": ("network", expected[:, cut]),
            "by_cut": (("network", "score"), expected),
            "cut": settings["cut"],
            "spurious": ("network", spurious),
            "edges": ("edge", np.linspace(*settings["range"], settings["bins"] + 1)),
        },
        coords={"network": list(networks), "sample": list(samples)},
    )


def _plane(settings: dict, network: xr.Dataset, sample: xr.Dataset, expected: float) -> np.ndarray:
    """Expected events in bins of score and mass."""
    data = weighted_half(settings, network, sample, test=True, weight=expected)
    rows, place = settings["score_bins"], np.asarray(data.place)
    row = np.minimum((np.asarray(score_events(settings, network, data)) * rows).astype(int), rows - 1)
    return np.histogram2d(row, place, (np.arange(rows + 1), np.arange(settings["bins"] + 1)), weights=data.weights)[0]


def experiment(settings: dict, spectra: xr.Dataset) -> xr.Dataset:
    """Pseudo-experiments above the cut.

    Args:
        settings: Those of `build_shapes`; `number`, `seed`.
        spectra: Result of the stage of that name.

    Returns:
        `significance` (network, toy), and of the first of them `counts`, and what is fitted to them, `alone` without
        and `both` with a signal (network, bin).
    """
    shapes = StaticSettings({name: settings[name] for name in ("range", "bins", "shapes")})
    expected = spectra["passed"].sum("sample").values
    keys = jax.random.split(prng.key(settings["seed"], prng.SPLIT_N_FIT_TOYS), len(expected))
    each = (_throw_and_fit(shapes, settings["number"], *of) for of in zip(keys, expected, strict=True))
    found = zip(*each, strict=True)
    names = {"significance": "toy", "counts": "bin", "alone": "bin", "both": "bin"}
    return xr.Dataset(
        {name: (("network", dim), np.stack(each)) for (name, dim), each in zip(names.items(), found, strict=True)},
        coords={"network": spectra["network"]},
    ).assign(edges=spectra["edges"], asimov=spectra["asimov"], spurious=spectra["spurious"])


@partial(jax.jit, static_argnums=(0, 1))
def _throw_and_fit(settings: StaticSettings, number: int, key, expected) -> tuple[Array, ...]:
    """Significances of the pseudo-experiments of one network; the first pseudo-experiment, and the fits to it."""
    shapes = build_shapes(settings)
    toys = jax.random.poisson(key, expected, (number, len(expected))).astype(float)
    one = partial(spectra_fits.significance, shapes.signal, shapes.background)
    fits = [spectra_fits.poisson(each, toys[0]).contents for each in ([shapes.background], shapes[:2])]
    return batching.map_in_batches(one, toys, BATCH), toys[0], *fits
