"""Trainings of the flows and of the pNN of the search for X -> SH -> bb gamma gamma (thesis 9.4 and 9.5)."""

from pathlib import Path

import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.flows import training
from diffhep.learning import classifiers
from diffhep.samples import ConditionalEvents, conditional_events


def train_flow(settings: dict, signal: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train the signal's ensemble on the mass points that are not held out, and validate on the others (thesis 9.5.1).

    Args:
        settings: Settings of `flows.training.train`.
        signal: Result of `events.select_signal`.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `flows.training.train`, and `trained` (point), true for mass points of the training sample.
    """
    unseen = signal["held_out"].values[signal["mass_point"].values]
    parts = (_conditional_signal(signal, selected) for selected in (~unseen, unseen))
    return training.train(settings, *parts, checkpoint=checkpoint).assign(trained=~signal["held_out"])


def train_background(settings: dict, background: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Train the background's unconditional ensemble, and validate on the test events (thesis 9.7).

    Args:
        settings: Settings of `flows.training.train`.
        background: Result of `events.select_background`.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `flows.training.train`.
    """
    test, context = background["test"].values, np.zeros((background.sizes["event"], 0))
    events, weights = background["events"].values, background["weight"].values / background["weight"].values.mean()
    parts = (conditional_events(events[part], context[part], weights[part]) for part in (~test, test))
    return training.train(settings, *parts, checkpoint=checkpoint)


def train_network(
    settings: dict, signal: xr.Dataset, background: xr.Dataset, checkpoint: Path | None = None
) -> xr.Dataset:
    """Train the pNN on the mass points that are not held out, and validate on the test events (thesis 9.4.2).

    Args:
        settings: Settings of `classifiers.train`.
        signal: Result of `events.select_signal`.
        background: Result of `events.select_background`.
        checkpoint: File of the checkpoint, see `learning.training.train`.

    Returns:
        Result of `classifiers.train`.
    """
    rng, parts = np.random.default_rng([settings["seed"], prng.RESONANCE_CLASSES]), []
    seen = ~signal["held_out"].values[signal["mass_point"].values]
    for test in (False, True):
        selected = background["test"].values == test
        events, weights = background["events"].values[selected], background["weight"].values[selected]
        both = (
            _conditional_signal(signal, seen & (signal["test"].values == test)),
            conditional_events(events, np.zeros((len(events), 2)), weights),
        )
        parts.append(classifiers.combine_classes(*both, rng))
    return classifiers.train(settings, *parts, checkpoint=checkpoint)


def _conditional_signal(signal: xr.Dataset, selected: np.ndarray) -> ConditionalEvents:
    """Signal events, with the masses that they were generated at as context."""
    context = signal["masses"].values[signal["mass_point"].values[selected]]
    return conditional_events(signal["events"].values[selected], context, signal["weight"].values[selected])
