"""What is trained for the HiggsML Uncertainty Challenge: flows of either class, and classifiers (section 6.2)."""

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Array, Float

from diffhep import prng
from diffhep.data.htautau.inputs import CATEGORIES, flow_columns, select_columns
from diffhep.flows import contrastive
from diffhep.learning import classifiers
from diffhep.samples import conditional_events
from diffhep.studies.higgsml.events import PerturbedEvents, draw_perturbed_events, label_classes, nominal_events

LABELS = ("signal", "background")


def train_flow(settings: dict, pools: dict[str, xr.Dataset], checkpoint: Path | None = None) -> xr.Dataset:
    """Train a contrastive flow of one class in one category, on events without shifts.

    Args:
        settings: As for `gaussian_classes.train`; `label` of the class, `category`; `columns`; `perturbed.validation`, the
            share of events that validates; `seed`.
        pools: Results of `events.build_pool`, by process.
        checkpoint: As in `training.train`.

    Returns:
        As of `gaussian_classes.train`, and `centre` and `spread`: median and interquartile range of log p of its class.
    """
    rng, parts = np.random.default_rng([settings["seed"], prng.HIGGSML_SPLIT]), ([], [])
    classes = nominal_events(settings, pools, "train")
    for seen in classes if settings["label"] == "signal" else classes[::-1]:
        here = seen.category == CATEGORIES.index(settings["category"])
        columns, weights = _flow_columns(settings, seen.columns[here]), seen.weights[here]
        valid = rng.random(len(weights)) < settings["perturbed"]["validation"]
        for part, rows in zip(parts, (~valid, valid), strict=True):
            part.append(conditional_events(columns[rows], np.zeros((rows.sum(), 0)), weights[rows]))
    trained = contrastive.train(
        settings, *(classifiers.combine_classes(*part, rng) for part in parts), checkpoint=checkpoint
    )
    seen = np.asarray(parts[0][0].events[0])
    log_density = contrastive.log_density_function(settings["flow"], seen.shape[-1])(trained, seen)
    low, middle, high = np.quantile(log_density, [0.25, 0.5, 0.75])
    return trained.assign(centre=middle, spread=high - low)


def _flow_columns(settings: Mapping, columns: np.ndarray) -> np.ndarray:
    names = flow_columns(settings["columns"]["flows"], settings["category"])
    return select_columns(columns, names)


def build_discriminants(
    settings: Mapping, flows: Mapping[str, xr.Dataset], category: str
) -> Callable[[Float[Array, "event 28"]], Float[Array, "event flow"]]:
    """Prepared columns of events in a category to the discrimination functions of its flows.

    Args:
        settings: `flow` (keys of `coupling.coupling_flow`), `columns`, and `phi`: `printed`, or `scaled` by the centre
            and spread of log p in training.
        flows: Results of `train_flow`, by `<category>_<label>_<strength>`; those of other categories are left out.
        category: Which.

    Raises:
        ValueError: Phi is neither `printed` nor `scaled`.
    """
    if settings["phi"] not in ("printed", "scaled"):
        raise ValueError(f"phi is {settings['phi']!r}: choose printed or scaled")
    names = flow_columns(settings["columns"]["flows"], category)
    ours = [trained for name, trained in sorted(flows.items()) if name.startswith(category)]
    restored = [contrastive.restore(settings["flow"], trained) for trained in ours]
    scales = [(each["centre"].item(), each["spread"].item()) for each in ours]
    scales = scales if settings["phi"] == "scaled" else [(0.0, 1.0)] * len(ours)

    def of(columns):
        some = select_columns(columns, names)
        found = [contrastive.log_density(*each, some) for each in restored]
        phis = [contrastive.discrimination(each, *scale) for each, scale in zip(found, scales, strict=True)]
        return jnp.stack(phis, axis=-1)

    return of


def train_classifier(
    settings: dict,
    pools: dict[str, xr.Dataset],
    flows: dict[str, xr.Dataset] | None = None,
    checkpoint: Path | None = None,
) -> xr.Dataset:
    """Train a classifier on events of many nuisance parameters.

    Args:
        settings: As for `classifiers.train` and `events.draw_perturbed_events`; those of `build_discriminants`, with flows.
        pools: Results of `events.build_pool`, by process.
        flows: Results of `train_flow`, whose discrimination functions are further inputs; by default there are none.
        checkpoint: As in `training.train`.
    """
    inputs = partial(_with_discriminants, settings, flows) if flows else lambda seen: seen.columns
    return _train(settings, pools, lambda classes: [inputs(seen) for seen in classes], checkpoint)


def _train(
    settings: dict, pools, inputs: Callable[[list[PerturbedEvents]], list[np.ndarray]], checkpoint
) -> xr.Dataset:
    seed = settings["seed"]
    seen, valid = (label_classes(classes, inputs(classes), seed) for classes in draw_perturbed_events(settings, pools))
    return classifiers.train(settings, seen, valid, checkpoint=checkpoint)


def _with_discriminants(settings: Mapping, flows: Mapping[str, xr.Dataset], seen: PerturbedEvents) -> np.ndarray:
    """Columns with discrimination functions behind."""
    number = len(flows) // len(CATEGORIES)
    found = np.zeros((len(seen.columns), number), np.float32)
    for n, category in enumerate(CATEGORIES):
        here = seen.category == n
        found[here] = jax.jit(build_discriminants(settings, flows, category))(seen.columns[here])
    return np.column_stack([seen.columns, found])


def train_nuisance_conditioned(
    settings: dict, pools: dict[str, xr.Dataset], checkpoint: Path | None = None
) -> xr.Dataset:
    """Train the classifier of Appendix E, which is told right and wrong nuisance parameters, in the order of the label.

    Args:
        settings: As for `train_classifier`.
        pools: Results of `events.build_pool`, by process.
        checkpoint: As in `training.train`.
    """
    rng = np.random.default_rng([settings["seed"], prng.HIGGSML_SPLIT])
    return _train(settings, pools, partial(nuisance_conditioned_inputs, rng), checkpoint)


def nuisance_conditioned_inputs(
    rng: np.random.Generator, classes: list[PerturbedEvents]
) -> list[Float[np.ndarray, "_ 40"]]:
    """Columns of signal and background with two sets of nuisance parameters behind (eq. 25).

    The first are right for the signal, the second for the background; the others are those of other events of the same
    class, drawn at random.
    """
    found = []
    for n, seen in enumerate(classes):
        wrong = rng.permutation(seen.nuisances)
        told = (wrong, seen.nuisances) if n else (seen.nuisances, wrong)
        found.append(np.column_stack([seen.columns, *told]))
    return found
