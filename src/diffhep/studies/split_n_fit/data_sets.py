"""Split-N-Fit on data sets of realistic size: the gain from fine-tuning, and fakes without signal."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float, Key

from diffhep import prng
from diffhep.inference.spectra import fits
from diffhep.learning.model_selection import trained_parameters
from diffhep.learning.split_n_fit import fine_tuning
from diffhep.learning.split_n_fit.fine_tuning import FineTuningData
from diffhep.learning.split_n_fit.loss import Shapes
from diffhep.prng import SPLIT_N_FIT_DATA_SETS
from diffhep.static_settings import StaticSettings
from diffhep.studies.split_n_fit.stages import build_shapes, join_samples, weighted_half

KINDS = ("before", "folded", "unfolded")


def data_sets(settings: dict, trained: xr.Dataset, signal: xr.Dataset, background: xr.Dataset) -> xr.Dataset:
    """Fine-tune a network on each of many data sets, in folds and without them.

    Args:
        settings: Those of `fine_tuning.fine_tune_in_folds` and `stages.build_shapes`; `yields`; `strength` of the
            signal in the data, relative to the expected one; `first` and `last` data set; `cut`, `seed`.
        trained: Result of `train`, on the wrong background.
        signal: Result of `generate`.
        background: Result of `generate` for the correct background.

    Returns:
        `observed` and `true` (kind, data_set): significance in the data set itself, and expected one, at the expected
        signal, of the network that was fine-tuned on it. Kinds: the network `before`; `folded`; and `unfolded`, fitted
        to all the data and applied to them. And `passed` (kind, data_set, bin).
    """
    yields = settings["yields"]
    start = trained_parameters(trained).parameters[0]
    samples = ((signal, yields["signal"]), (background, yields["background"]))
    pools, judges = (
        [weighted_half(settings, trained, sample, test=test, weight=weight) for sample, weight in samples]
        for test in (False, True)
    )
    means = settings["strength"] * yields["signal"], yields["background"]
    alike = StaticSettings({name: each for name, each in settings.items() if name not in ("first", "last", "seed")})
    first = prng.key(settings["seed"], SPLIT_N_FIT_DATA_SETS)
    fitted, found = StaticSettings({name: settings[name] for name in ("range", "bins", "shapes")}), []
    for number in range(settings["first"], settings["last"] + 1):
        passed, expected = _fine_tune_kinds(alike, means, start, pools, judges, jax.random.fold_in(first, number))
        found.append(jax.device_get((*_significances(fitted, passed, expected), passed)))
    observed, true, passed = map(np.stack, zip(*found, strict=True))
    return xr.Dataset(
        {
            "observed": (("data_set", "kind"), observed),
            "true": (("data_set", "kind"), true),
            "passed": (("data_set", "kind", "bin"), passed),
        },
        coords={"kind": list(KINDS), "edges": ("edge", np.linspace(*settings["range"], settings["bins"] + 1))},
    )


@partial(jax.jit, static_argnums=(0, 1))
def _fine_tune_kinds(
    settings: StaticSettings, means: tuple[float, ...], start, pools, judges, key
) -> tuple[Array, Array]:
    """Spectra of one data set after the cut, and the expected ones."""
    shapes = build_shapes(settings)
    data = _draw(key, pools, means)
    folded = fine_tuning.fine_tune_in_folds(settings, shapes, start, data, scaled=False).best
    unfolded = fine_tuning.fine_tune(settings, shapes, start, data).last
    networks = jnp.stack([jnp.broadcast_to(each, folded.shape) for each in (start, folded, unfolded)])
    samples = [data], judges
    passed, expected = (jax.lax.map(partial(_spectrum, settings, shapes, each), networks) for each in samples)
    return passed, expected


@partial(jax.jit, static_argnums=0)
def _significances(settings: StaticSettings, passed, expected) -> tuple[Array, Array]:
    """Observed and true ones of one data set, whatever its size."""
    shapes = build_shapes(settings)
    significance = partial(fits.significance, shapes.signal, shapes.background)
    observed, true = jax.lax.map(significance, jnp.concatenate([passed, expected])).reshape(2, -1)
    return observed, true


def _draw(key: Key[Array, ""], pools: list[FineTuningData], means: tuple[float, ...]) -> FineTuningData:
    """Events drawn from the pools, a Poisson number of each; there is room for six standard deviations more."""
    parts = []
    for pool, mean, one in zip(pools, means, jax.random.split(key, len(pools)), strict=True):
        number, which = jax.random.split(one)
        room = int(np.ceil(mean + 6 * np.sqrt(mean) + 1))
        index = jax.random.randint(which, (room,), 0, len(pool.weights))
        there = jnp.arange(room) < jax.random.poisson(number, mean)
        parts.append(FineTuningData(pool.observables[index], pool.place[index], there.astype(pool.weights.dtype)))
    return join_samples(parts)


def _spectrum(
    settings, shapes: Shapes, samples: list[FineTuningData], parameters: Float[Array, "fold parameter"]
) -> Float[Array, " bin"]:
    """Spectrum of the events above the cut, each scored by the network of its fold."""
    total = jnp.zeros(shapes.bins)
    for sample in samples:
        found = fine_tuning.scores_in_folds(settings["network"], parameters, sample.observables)
        weights = jnp.where(found > settings["cut"], sample.weights, 0.0).astype(float)
        total += jax.ops.segment_sum(weights, sample.place, num_segments=shapes.bins)
    return total


def compare(settings: dict, experiments: xr.Dataset, sets: dict[str, xr.Dataset]) -> xr.Dataset:
    """Compute the numbers behind the claims, each with its standard error.

    Args:
        settings: `resampled`: how often medians are drawn anew for their errors; `seed`.
        experiments: Result of `experiment`.
        sets: Results of `data_sets` by strength of the signal.

    Returns:
        Of medians over pseudo-experiments, for the setting of the figures and at each `point` of the sweep: `gain` of
        fine-tuning, `recovered` share of the gap to the network trained on the correct background, `data_ratio`, the
        amount of data that would be worth the same. Of data sets with the expected signal: `real_gain` in true
        significance, folded. Of those without any: `fake` (kind), the mean size of the observed significance, which is
        sqrt(2 / pi) = 0.80 if it is normal.
    """
    toys = experiments["significance"]
    tuned = [str(name) for name in toys["network"].values if str(name).startswith("tuned")]
    rng, rows = np.random.default_rng([settings["seed"], SPLIT_N_FIT_DATA_SETS]), []
    for name in tuned:
        values = toys.sel(network=["wrong", name, "correct"]).values
        again = (np.stack([rng.choice(row, row.size) for row in values]) for _ in range(settings["resampled"]))
        rows.append([_relative_gains(*np.median(drawn, axis=1)) for drawn in (values, *again)])
    told = np.array(rows)  # (point, drawn, number)
    found = {}
    for n, name in enumerate(("gain", "recovered", "data_ratio")):
        found |= {name: ("point", told[:, 0, n]), f"{name}_error": ("point", told[:, 1:, n].std(axis=1))}
    real = sets["1.0"]["true"].sel(kind="folded") - sets["1.0"]["true"].sel(kind="before")
    for name, values in {"real_gain": real, "fake": np.abs(sets["0.0"]["observed"])}.items():
        error = values.std("data_set", ddof=1) / np.sqrt(values.sizes["data_set"])
        found |= {name: values.mean("data_set"), f"{name}_error": error}
    points = ["the figures' settings", *(name.removeprefix("tuned_") for name in tuned[1:])]
    return xr.Dataset(found, coords={"point": points})


def _relative_gains(wrong: float, tuned: float, correct: float) -> tuple[float, float, float]:
    """Gain, share of the gap that is recovered, and ratio of data, from medians."""
    return tuned - wrong, (tuned - wrong) / (correct - wrong), (tuned / wrong) ** 2
