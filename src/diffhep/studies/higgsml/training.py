"""Training of flows and classifiers for the HiggsML Uncertainty Challenge (contrastive flows section 6.2)."""

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
        settings: Settings of `contrastive.train`; `label` of the class that the flow learns; `category`; `columns`;
            `perturbed.validation`, the fraction of events for validation; `seed`.
        pools: Results of `events.build_pool`, by process.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `contrastive.train`, and `centre` and `spread`: median and interquartile range of log p of the class
        that the flow learns.
    """
    rng, parts = np.random.default_rng([settings["seed"], prng.HIGGSML_SPLIT]), ([], [])
    classes = nominal_events(settings, pools, "train")
    for events in classes if settings["label"] == "signal" else classes[::-1]:
        mask = events.category == CATEGORIES.index(settings["category"])
        columns, weights = _select_flow_columns(settings, events.columns[mask]), events.weights[mask]
        validation = rng.random(len(weights)) < settings["perturbed"]["validation"]
        for part, rows in zip(parts, (~validation, validation), strict=True):
            part.append(conditional_events(columns[rows], np.zeros((rows.sum(), 0)), weights[rows]))
    trained = contrastive.train(
        settings, *(classifiers.combine_classes(*part, rng) for part in parts), checkpoint=checkpoint
    )
    learned = np.asarray(parts[0][0].events[0])
    log_density = contrastive.log_density_function(settings["flow"], learned.shape[-1])(trained, learned)
    low, middle, high = np.quantile(log_density, [0.25, 0.5, 0.75])
    return trained.assign(centre=middle, spread=high - low)


def _select_flow_columns(settings: Mapping, columns: np.ndarray) -> np.ndarray:
    return select_columns(columns, flow_columns(settings["columns"]["flows"], settings["category"]))


def build_discriminants(
    settings: Mapping, flows: Mapping[str, xr.Dataset], category: str
) -> Callable[[Float[Array, "event 28"]], Float[Array, "event flow"]]:
    """Build the function from prepared columns to the discrimination functions of the flows of one category.

    Args:
        settings: `flow` (settings of `coupling.coupling_flow`); `columns`; `phi`: `printed`, or `scaled` by centre and
            spread of log p in training.
        flows: Results of `train_flow`, by `<category>_<label>_<strength>`; other categories are ignored.
        category: One of `CATEGORIES`.

    Returns:
        Function of the columns (event, 28) with one value for each flow (event, flow), in the order of their names.

    Raises:
        ValueError: The setting `phi` is neither `printed` nor `scaled`.
    """
    if settings["phi"] not in ("printed", "scaled"):
        raise ValueError(f"phi is {settings['phi']!r}: choose printed or scaled")
    names = flow_columns(settings["columns"]["flows"], category)
    trained_flows = [trained for name, trained in sorted(flows.items()) if name.startswith(category)]
    restored = [contrastive.restore(settings["flow"], trained) for trained in trained_flows]
    scales = [(trained["centre"].item(), trained["spread"].item()) for trained in trained_flows]
    scales = scales if settings["phi"] == "scaled" else [(0.0, 1.0)] * len(trained_flows)

    def discriminants(columns):
        inputs = select_columns(columns, names)
        log_densities = [contrastive.log_density(*flow, inputs) for flow in restored]
        phis = [contrastive.discrimination(value, *scale) for value, scale in zip(log_densities, scales, strict=True)]
        return jnp.stack(phis, axis=-1)

    return discriminants


def train_classifier(
    settings: dict,
    pools: dict[str, xr.Dataset],
    flows: dict[str, xr.Dataset] | None = None,
    checkpoint: Path | None = None,
) -> xr.Dataset:
    """Train a classifier on events with shifted nuisance parameters.

    Args:
        settings: Settings of `classifiers.train` and `events.draw_perturbed_events`; with flows, also those of
            `build_discriminants`.
        pools: Results of `events.build_pool`, by process.
        flows: Results of `train_flow`, whose discrimination functions become further inputs. None by default.
        checkpoint: File of the checkpoint, see `learning.training.train`.
    """
    inputs = partial(_append_discriminants, settings, flows) if flows else lambda events: events.columns
    return _train(settings, pools, lambda classes: [inputs(events) for events in classes], checkpoint)


def _train(
    settings: dict, pools, inputs: Callable[[list[PerturbedEvents]], list[np.ndarray]], checkpoint
) -> xr.Dataset:
    seed = settings["seed"]
    train, valid = (label_classes(classes, inputs(classes), seed) for classes in draw_perturbed_events(settings, pools))
    return classifiers.train(settings, train, valid, checkpoint=checkpoint)


def _append_discriminants(settings: Mapping, flows: Mapping[str, xr.Dataset], events: PerturbedEvents) -> np.ndarray:
    phis = np.zeros((len(events.columns), len(flows) // len(CATEGORIES)), np.float32)
    for index, category in enumerate(CATEGORIES):
        mask = events.category == index
        phis[mask] = jax.jit(build_discriminants(settings, flows, category))(events.columns[mask])
    return np.column_stack([events.columns, phis])


def train_nuisance_conditioned(
    settings: dict, pools: dict[str, xr.Dataset], checkpoint: Path | None = None
) -> xr.Dataset:
    """Train the classifier of Appendix E, which is conditioned on nuisance parameters.

    Args:
        settings: Settings of `train_classifier` without flows.
        pools: Results of `events.build_pool`, by process.
        checkpoint: File of the checkpoint, see `learning.training.train`.
    """
    rng = np.random.default_rng([settings["seed"], prng.HIGGSML_SPLIT])
    return _train(settings, pools, partial(nuisance_conditioned_inputs, rng), checkpoint)


def nuisance_conditioned_inputs(
    rng: np.random.Generator, classes: list[PerturbedEvents]
) -> list[Float[np.ndarray, "_ 40"]]:
    """Append two sets of nuisance parameters to the columns of signal and background (eq. 25).

    The first set is the true one of signal events, the second that of background events. The other set of an event
    belongs to a random event of its class.

    Args:
        rng: Source of randomness.
        classes: Events of signal and background.
    """
    inputs = []
    for index, events in enumerate(classes):
        wrong = rng.permutation(events.nuisances)
        sets = (wrong, events.nuisances) if index else (events.nuisances, wrong)
        inputs.append(np.column_stack([events.columns, *sets]))
    return inputs
