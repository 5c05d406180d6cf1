"""Marginal distributions of events and flows (contrastive flows Figs. 4, 6), and a check of the response surface."""

from itertools import product

import jax.numpy as jnp
import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.data.htautau.features import COLUMNS
from diffhep.data.htautau.inputs import CATEGORIES, flow_columns
from diffhep.data.htautau.shifts import PROCESSES
from diffhep.flows import contrastive
from diffhep.flows import flow as flows_flow
from diffhep.studies.higgsml.events import NO_SHIFT, nominal_events, pool_samples, reconstruction
from diffhep.studies.higgsml.intervals import fit_surface, surface_coordinates
from diffhep.studies.higgsml.statistical_models import MIN_SIMULATED_EVENTS
from diffhep.studies.higgsml.training import LABELS


def marginal_distributions(settings: dict, pools: dict[str, xr.Dataset], flows: dict[str, xr.Dataset]) -> xr.Dataset:
    """Histogram one column in each process, in both classes, and in events drawn from the flows of the signal.

    Args:
        settings: `column`, one of the flows' columns; `edges`: first edge, last edge and number of edges; `flow`
            (settings of `coupling.coupling_flow`); `columns`; `strengths`; `flow_events`, the number of events drawn
            from each flow; `seed`.
        pools: Results of `events.build_pool`, by process.
        flows: Results of `training.train_flow`, by `<category>_<label>_<strength>`.

    Returns:
        `expected` (process, bin), the expected events with a jet at full luminosity; densities `truth` (category,
        label, bin) of both classes and `learned` (category, strength, bin) of the signal's flows; and the `edges`.
    """
    name, (low, high, number) = settings["column"], settings["edges"]
    edges, place = np.linspace(low, high, int(number)), COLUMNS.index(name)
    to_value = np.exp if name in settings["columns"]["logarithms"] else np.asarray
    reconstruct, shape = reconstruction(settings["columns"]["logarithms"]), (len(CATEGORIES), -1, len(edges) - 1)
    expected, truth, learned = [], [], []
    for sample in pool_samples(pools, "template"):
        columns, category, selected = map(np.asarray, reconstruct(sample.primaries, NO_SHIFT, sample.noise))
        rows = selected & (category >= 0)
        expected.append(np.histogram(to_value(columns[rows, place]), edges, weights=sample.weights[rows])[0])
    for index, events in product(range(len(CATEGORIES)), nominal_events(settings, pools, "template")):
        rows = events.category == index
        truth.append(_density(to_value(events.columns[rows, place]), edges, events.weights[rows]))
    for category, strength in product(CATEGORIES, settings["strengths"]):
        samples = _sample_flow(settings, flows[f"{category}_signal_{strength}"])
        column = flow_columns(settings["columns"]["flows"], category).index(name)
        learned.append(_density(to_value(samples[:, column]), edges, np.ones(len(samples))))
    return xr.Dataset(
        {
            "expected": (("process", "bin"), np.array(expected)),
            "truth": (("category", "label", "bin"), np.array(truth).reshape(shape)),
            "learned": (("category", "strength", "bin"), np.array(learned).reshape(shape)),
            "edges": ("edge", edges),
        },
        coords={"process": list(PROCESSES), "category": list(CATEGORIES), "label": list(LABELS)},
    ).assign_coords(strength=settings["strengths"])


def _sample_flow(settings: dict, trained: xr.Dataset) -> np.ndarray:
    flow, parameters = contrastive.restore(settings["flow"], trained)
    key = prng.key(settings["seed"], prng.HIGGSML_ILLUSTRATIONS)
    return np.asarray(flows_flow.sample(flow, parameters, jnp.zeros(0), settings["flow_events"], key=key))


def _density(values: np.ndarray, edges: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Density in each bin; values beyond the edges count in the normalisation."""
    return np.histogram(values, edges, weights=weights)[0] / weights.sum() / np.diff(edges)


def compare_surface(settings: dict, chunks: dict[str, xr.Dataset], direct: xr.Dataset) -> xr.Dataset:
    """Compare histograms of the response surface with those of all events.

    Args:
        settings: `order` of the surface; `luminosity`; `network` whose scores are compared.
        chunks: Results of `templates.expected_histograms` at the design points, of the test events.
        direct: Result of `templates.time_scoring`, of the test events.

    Returns:
        `surface` and `direct` (point, bin) at the luminosity and at a signal strength of 1; `pull` (point, bin), their
        difference in units of the Poisson standard deviation of one pseudo-experiment; and `shift` (point, nuisance).
    """
    shifts, name = direct["shift"].values, settings["network"]
    surface = fit_surface(chunks, name, settings["order"])
    predicted = settings["luminosity"] * surface(surface_coordinates(shifts)).sum(axis=1)
    reference = settings["luminosity"] * direct["counts"].sel(network=name).sum("process").values
    pull = (predicted - reference) / np.sqrt(np.maximum(reference, MIN_SIMULATED_EVENTS))
    dims = ("point", "bin")
    variables = {"surface": (dims, predicted), "direct": (dims, reference), "pull": (dims, pull)}
    return xr.Dataset(variables | {"shift": (("point", "nuisance"), shifts)})
