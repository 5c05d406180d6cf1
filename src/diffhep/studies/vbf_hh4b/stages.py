"""Stages of the study of VBF HH -> 4b: the optimisation of each run, and its evaluation (TOMATOS)."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jax
import numpy as np
import xarray as xr

from diffhep.histogramming.smoothing_bias import largest_smoothing_bias
from diffhep.inference import hypotests, upper_limits
from diffhep.learning import tasks, training
from diffhep.studies.vbf_hh4b import inputs
from diffhep.studies.vbf_hh4b.optimisation import build_task, count_hard, initialise, learning_rate
from diffhep.studies.vbf_hh4b.statistical_model import background, model

DIMS = {
    "edges": ("edge",),
    "cuts": ("cut",),
    **{f"signal_{part}": ("variation", "bin") for part in (*inputs.PARTS, "smooth")},
    **{f"background_{part}": ("bin",) for part in (*inputs.PARTS, "smooth")},
    "statistical": ("bin",),
    "shape": ("bin",),
    "fine": ("sample", "fine_bin"),
}


def train(settings: Mapping[str, Any], events: xr.Dataset, checkpoint: Path | None = None) -> xr.Dataset:
    """Optimise one run from every start.

    Args:
        settings: Those of `optimisation.build_task` and `inputs.parts`; `regions`; `seeds`, `seed`,
            `seeds_at_once`, `batch_size`, `evaluate_every`; fixed `edges`, if any, in units of the variable.
        events: Result of `inputs.generate`.
        checkpoint: File of the checkpoint; see `training.train`.

    Returns:
        Result of `optimisation.evaluate` every `evaluate_every` steps (seed, step, ...), `cuts` and `edges` in units of
        their variables; `loss`, its mean since the previous evaluation; `rate` (step), the learning rate;
        `parameters` (seed, parameter) of the network after the last step; `signal_smoothing_bias` and
        `background_smoothing_bias` (seed, step), see `smoothing_bias.largest_smoothing_bias`.
    """
    every, number = settings["evaluate_every"], settings["seeds"]
    schedule = tasks.Schedule(
        settings["steps"] // every,
        settings["batch_size"],
        settings["learning_rate"],
        training.parallel_seeds(settings["seeds_at_once"], number),
        steps=every,
    )
    seeds = range(settings["seed"], settings["seed"] + number)
    parts = inputs.parts(events, settings, settings["regions"])
    history, state = training.train(
        *build_task(edges_to_shares(settings, events), parts), schedule, seeds, checkpoint=checkpoint
    )
    names, at = list(settings["cuts"]), every * np.arange(schedule.epochs + 1)
    history["cuts"] = _convert_cuts(partial(inputs.from_shares, events), history["cuts"], names)
    if settings["observable"] != "network":
        history["edges"] = inputs.from_shares(events, history["edges"], settings["observable"])
    trained = xr.Dataset(
        {name: (("seed", "step", *DIMS.get(name, ())), values) for name, values in sorted(history.items())}
        | {
            "rate": ("step", jax.jit(jax.vmap(learning_rate(settings)))(at)),
            "parameters": (("seed", "parameter"), _flat(state.parameters["network"], number)),
        },
        coords={"seed": list(seeds), "step": at, "cut": names},
    )
    biases = {
        f"{sample}_smoothing_bias": largest_smoothing_bias(trained, sample) for sample in ("signal", "background")
    }
    return trained.assign(biases)


def _flat(networks: Any, number: int) -> np.ndarray:
    """Parameters of several networks (seed, parameter); none where there is no network."""
    leaves = [np.reshape(leaf, (number, -1)) for leaf in jax.tree.leaves(jax.device_get(networks))]
    return np.concatenate([np.zeros((number, 0)), *leaves], axis=1, dtype=np.float32)


def _network(settings: Mapping[str, Any], vector: np.ndarray) -> Any:
    """Parameters of one network from their vector; inverse of `_flat`."""
    start = jax.eval_shape(partial(initialise, {**settings, "bins": 1}), jax.random.key(0))
    leaves, tree = jax.tree.flatten(start["network"])
    parts = np.split(vector, np.cumsum([leaf.size for leaf in leaves]))
    return tree.unflatten([part.reshape(leaf.shape) for part, leaf in zip(parts, leaves, strict=False)])


def _convert_cuts(convert, values: np.ndarray, names: list[str]) -> np.ndarray:
    """Convert cuts (..., cut) one by one."""
    return np.stack([convert(values[..., n], name) for n, name in enumerate(names)], axis=-1) if names else values


def cuts_to_shares(events: xr.Dataset, cuts: np.ndarray, names: list[str]) -> np.ndarray:
    """Convert cuts (..., cut) on variables to shares of the range of each."""
    return _convert_cuts(partial(inputs.to_shares, events), cuts, names)


def edges_to_shares(settings: Mapping[str, Any], events: xr.Dataset) -> dict[str, Any]:
    """Settings of a run with its fixed edges, if any, in shares of the range of its variable."""
    if "edges" not in settings:
        return dict(settings)
    edges = inputs.to_shares(events, settings["edges"], settings["observable"])
    return {**settings, "edges": edges.tolist(), "bins": len(edges) - 1}


def evaluate(settings: Mapping[str, Any], events: xr.Dataset, trained: dict[str, xr.Dataset]) -> xr.Dataset:
    """Evaluate runs after their last step, on many more events than they were trained on.

    Args:
        settings: `seed`, `data`, and `runs`, the settings of each run.
        events: Result of `inputs.generate`.
        trained: Result of `train` or `scan.traditional`, by run.

    Returns:
        Expected `cls` and upper `limit` on the signal strength (run, seed); `signal`, `background` and `edges` of the
        bins (run, seed, ...), with NaN where a run has fewer bins; all with hard cuts and histograms.
    """
    reference = inputs.reference(settings).assign(low=events["low"], high=events["high"])
    part = jax.device_put(inputs.part(reference, settings["data"]["regions"]))
    found = {name: _evaluate_run(settings["runs"][name], events, each, part) for name, each in trained.items()}
    return xr.concat(found.values(), xr.Variable("run", list(found)), join="outer")


@jax.jit
def _expected_results(found):
    of = model(found, shape=False)
    return hypotests.expected_cls(of), upper_limits.expected_upper_limit(of), background(found).events


def _evaluate_run(settings, events, trained: xr.Dataset, part) -> xr.Dataset:
    """Evaluate all starts of one run."""
    names, last = list(settings["cuts"]), trained.isel(step=-1, drop=True)
    physical = last["cuts"].sel(cut=names)
    cuts, edges = cuts_to_shares(events, physical.values, names), last["edges"].values
    if settings["observable"] != "network":
        edges = inputs.to_shares(events, edges, settings["observable"])
    vectors = last["parameters"].values if "parameters" in last else np.zeros((len(cuts), 0), np.float32)
    networks = [_network(settings, vector) for vector in vectors]
    found = [count_hard(settings, *start, part) for start in zip(networks, cuts, edges, strict=True)]
    cls, limit, events = zip(*map(_expected_results, found), strict=True)
    return xr.Dataset(
        {
            "cls": ("seed", np.array(cls)),
            "limit": ("seed", np.array(limit)),
            "signal": (("seed", "bin"), np.stack([each.signal[0] for each in found])),
            "background": (("seed", "bin"), np.stack(events)),
            "edges": (("seed", "edge"), last["edges"].values),
            "cuts": (("seed", "cut"), physical.values),
        },
        coords={"seed": last["seed"], "bin": range(edges.shape[1] - 1), "edge": range(edges.shape[1]), "cut": names},
    )
