"""Loss of the study of VBF HH -> 4b: expected CLs as a function of network, cuts, bin edges and bandwidth."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.typing import ArrayLike
from jaxtyping import Array, Float, Key

from diffhep.data.vbf_hh4b import VARIABLES
from diffhep.histogramming.cuts import hard_cut, sigmoid_cut
from diffhep.histogramming.histograms import binned_kde, hard_histogram, ordered_edges
from diffhep.histogramming.transfer_factors import TagCounts, low_count_penalty
from diffhep.inference import hypotests
from diffhep.learning import losses, networks, optimisers, tasks
from diffhep.static_settings import Bound, StaticSettings
from diffhep.studies.vbf_hh4b.inputs import Part, Region
from diffhep.studies.vbf_hh4b.statistical_model import Counts, background, model

N_FINE_BINS = 200
"""Equal bins of the observable in stored histograms that are drawn as curves."""

Settings = Mapping[str, Any]

Parameters = Mapping[str, Any]
"""`network`, `cuts` (cut,), `bins` (bin,), `bandwidth` and `slope`, each of which may be trained or scheduled."""


class Selection(NamedTuple):
    """Cuts and histogram, smooth or hard.

    Attributes:
        weigh: Maps variables (sample, event, variable) to the weights (sample, event) after the cuts.
        count: Maps values and weights of the events of one sample to the contents of the bins.
    """

    weigh: Callable[[Array], Array]
    count: Callable[[Array, Array], Array]


def smooth_selection(settings: Settings, parameters: Parameters) -> Selection:
    """Return sigmoid cuts and a binned KDE, for training."""
    cut = partial(sigmoid_cut, slope=jax.lax.stop_gradient(parameters["slope"]))
    at, width = edges(settings, parameters), parameters["bandwidth"]
    return Selection(
        partial(_weights, settings["cuts"], parameters["cuts"], cut),
        lambda values, weights: binned_kde(values, at, width, weights, edges_mode="closed"),
    )


def hard_selection(settings: Settings, cuts: Float[ArrayLike, " cut"], edges: Float[ArrayLike, " edge"]) -> Selection:
    """Return hard cuts and a histogram, for evaluation."""
    return Selection(
        partial(_weights, settings["cuts"], cuts, hard_cut),
        lambda values, weights: hard_histogram(values, edges, weights),
    )


def _weights(named: Mapping[str, Settings], cuts, weigh, variables):
    weights = jnp.ones(variables.shape[:2])
    for value, (name, of) in zip(cuts, named.items(), strict=True):
        side = {"above": 1, "below": -1}[of["keep"]]
        weights = weights * weigh(side * variables[..., VARIABLES.index(name)], side * value)
    return weights


def edges(settings: Settings, parameters: Parameters) -> Float[Array, " edge"]:
    """Bin edges: those of the settings if they are fixed, else the trained ones."""
    if "edges" in settings:
        return jnp.asarray(settings["edges"], jnp.float64)
    return ordered_edges(parameters["bins"])


def observable(settings: Settings, network: Any, variables: Array) -> Float[Array, "sample event"]:
    """Observable in [0, 1]: a variable, or the score of the network with these parameters."""
    if settings["observable"] == "network":
        return jax.nn.sigmoid(networks.logits(_network(settings), network, variables))
    return variables[..., VARIABLES.index(settings["observable"])]


def _network(settings: Settings) -> networks.DenseNetwork:
    return networks.DenseNetwork(tuple(settings["network"]))


def initialise(settings: Settings, key: Key[Array, ""]) -> dict[str, Any]:
    """Start parameters: a random network, and cuts drawn from their range where a range is given."""
    drawn = jax.random.uniform(jax.random.fold_in(key, 1), (len(settings["cuts"]),), jnp.float64)
    ranges = np.array([np.broadcast_to(of["start"], 2) for of in settings["cuts"].values()], float).reshape(-1, 2)
    nothing = jnp.zeros(len(VARIABLES), jnp.float32)
    return {
        "network": _network(settings).init(key, nothing) if settings["observable"] == "network" else {},
        "cuts": ranges[:, 0] + drawn * (ranges[:, 1] - ranges[:, 0]),
        "bins": jnp.zeros(settings["bins"]),
        "bandwidth": jnp.asarray(settings["bandwidth"]["width"], jnp.float64),
        "slope": jnp.asarray(_slopes(settings)(0), jnp.float64),
    }


def _slopes(settings: Settings) -> optimisers.GeometricSchedule:
    """Schedule of the slope of the sigmoid cuts."""
    of, steps = settings["slope"], settings["steps"]
    if not isinstance(of, Mapping):
        return optimisers.GeometricSchedule(of, of)
    return optimisers.GeometricSchedule(of["start"], of["end"], of["from"] * steps, (of["to"] - of["from"]) * steps)


def learning_rate(settings: Settings) -> optimisers.StepSchedule:
    """Schedule of the learning rate."""
    peak = settings["learning_rate"]
    return optimisers.one_cycle(peak, settings["steps"]) if settings["schedule"] == "one_cycle" else lambda _: peak


def count_events(settings: Settings, network: Any, tools: Selection, part: Part) -> Counts:
    """Count the events of a part after the cuts, in bins.

    Args:
        settings: Settings of the run.
        network: Parameters of the network; empty where a variable is the observable.
        tools: Result of `smooth_selection` or `hard_selection`.
        part: Events of the signal, validation and control regions.
    """
    find = partial(observable, settings, network)
    region, validation, control = part
    binned = jax.vmap(tools.count)(find(region.variables), region.weights * tools.weigh(region.variables))
    kept = tools.weigh(control.variables)
    outside = TagCounts(*(jnp.sum(weights * kept) for weights in (control.weights, control.two_tag)))
    values, kept = find(validation.variables)[0], tools.weigh(validation.variables)[0]
    beside = TagCounts(
        *(tools.count(values, weights[0] * kept) for weights in (validation.weights, validation.two_tag))
    )
    return Counts(binned[:-1], binned[-1], outside, beside)


def count_hard(settings: Settings, network: Any, cuts: ArrayLike, edges: ArrayLike, part: Part) -> Counts:
    """Count events with hard cuts and histograms; runs with cuts on equal variables share the program."""
    return _count_hard(_shared_settings(settings), network, cuts, edges, part)


@partial(jax.jit, static_argnums=0)
def _count_hard(settings: StaticSettings, network, cuts, edges, part) -> Counts:
    return count_events(settings, network, hard_selection(settings, cuts, edges), part)


def loss(
    settings: Settings, total: int, parameters: Parameters, region: Region, beside: tuple[Region, Region]
) -> Array:
    """Expected CLs plus the penalty of empty bins; or cross-entropy of signal and background, for comparison.

    Args:
        settings: Settings of the run.
        total: Events of each sample in the signal region, of which `region` may be a batch.
        parameters: Parameters to optimise.
        region: Events of the signal region.
        beside: Events of the validation and control regions.
    """
    if settings["objective"] == "bce":
        return _cross_entropy(settings, parameters["network"], region)
    region = region._replace(weights=region.weights * (total / region.weights.shape[1]))
    found = count_events(settings, parameters["network"], smooth_selection(settings, parameters), Part(region, *beside))
    expected = hypotests.expected_cls(model(found, shape=settings["shape"] == "inside"))
    penalty = settings["penalty"]
    return expected + penalty["size"] * low_count_penalty(background(found).events, penalty["least_events"])


def _cross_entropy(settings: Settings, network: Any, region: Region) -> Array:
    """Cross-entropy of nominal signal and background, of equal total weight."""
    rows = np.array([0, -1])
    weights = region.weights[rows] / region.weights[rows].mean(axis=1, keepdims=True)
    logits = networks.logits(_network(settings), network, region.variables[rows])
    return losses.bce(logits, weights)


def _shared_settings(settings: Settings, *others: str) -> StaticSettings:
    """Settings that hard cuts depend on, and others: many runs have them in common."""
    needed = {name: settings[name] for name in ("observable", "network", *others) if name in settings}
    return StaticSettings(needed | {"cuts": {name: {"keep": of["keep"]} for name, of in settings["cuts"].items()}})


def evaluate(settings: Settings, parameters: Parameters, held_out: Mapping[str, Part]) -> dict[str, Array]:
    """Evaluate one step with hard cuts and histograms, for the figures.

    Returns:
        `cls_<part>`, `signal_<part>` (variation, bin) and `background_<part>` (bin) of every part, with hard cuts and
        histograms; `..._smooth`, those of the training part with the smooth ones; relative uncertainties of the
        training part; `fine`, its nominal signal and background in many bins; and `cuts`, `edges`, `bandwidth` and
        `slope`.
    """
    network, at = parameters["network"], edges(settings, parameters)
    sharp, train = hard_selection(settings, parameters["cuts"], at), held_out["train"]
    every = {name: count_events(settings, network, sharp, part) for name, part in held_out.items()}
    every["smooth"] = count_events(settings, network, smooth_selection(settings, parameters), train)
    stacked = jax.tree.map(lambda *each: jnp.stack(each), *every.values())
    judged = partial(model, shape=settings["shape"] != "none")
    tested = jax.lax.map(lambda each: hypotests.expected_cls(judged(each)), stacked)  # one fit is compiled for all
    estimate = background(every["train"])
    return {
        **{f"cls_{name}": value for name, value in zip(every, tested, strict=True)},
        **{f"signal_{name}": each.signal for name, each in every.items()},
        **{f"background_{name}": background(each).events for name, each in every.items()},
        "statistical": estimate.statistical / estimate.events,
        "normalisation": estimate.normalisation,
        "shape": estimate.shape,
        "fine": fine_histograms(settings, network, sharp, train.signal_region),
        "cuts": parameters["cuts"],
        "edges": at,
        "bandwidth": parameters["bandwidth"],
        "slope": parameters["slope"],
    }


def fine_histograms(settings: Settings, network: Any, tools: Selection, region: Region) -> Float[Array, "sample fine"]:
    """Nominal signal and background after the cuts, in `N_FINE_BINS` bins of the observable."""
    rows = np.array([0, -1])
    variables = region.variables[rows]
    values, weights = observable(settings, network, variables), region.weights[rows] * tools.weigh(variables)
    return jax.vmap(lambda x, w: jnp.histogram(x, N_FINE_BINS, (0, 1), weights=w)[0])(values, weights)


def build_task(settings: Settings, parts: Mapping[str, Part]) -> tuple[tasks.Task, tasks.TrainingData]:
    """Task and data of the optimisation of one run, in `settings["steps"]` steps.

    Args:
        settings: `observable`: "network" or a variable; `train`: which of network, cuts, bins and bandwidth;
            `objective`: "cls" or "bce"; `shape`: whether its uncertainty counts; number of `bins`, or `edges` in
            shares of the range; `cuts`: the side to `keep` and the `start` of each variable; `slope`: a number, or
            `start`, `end` and the shares of the steps between which it changes; `bandwidth`: `width` at first and
            `least`; `penalty`: `least_events` in a bin and `size`; `learning_rate`, `schedule`; `limits` of steps;
            widths of the `network`.
        parts: Result of `inputs.parts`.

    Raises:
        ValueError: The bandwidth starts below its least value, or that is not positive.
    """
    width, least = (settings["bandwidth"][name] for name in ("width", "least"))
    if not 0 < least <= width:
        raise ValueError(f"bandwidth starts at {width}: it must be at least {least}, and that above 0")
    parts = jax.device_put(dict(parts))
    trained = {kind: settings["limits"].get(kind) for kind in settings["train"]}
    region, *beside = parts["train"]
    task = tasks.Task(
        settings["objective"],
        partial(initialise, settings),
        partial(loss, settings, region.weights.shape[1]),
        Bound(evaluate, _shared_settings(settings, "shape", "edges")),
        optimisers.grouped_adam(learning_rate(settings), trained, {"slope": _slopes(settings)}, {"bandwidth": least}),
    )
    return task, tasks.TrainingData(region, parts, (tuple(beside),))
