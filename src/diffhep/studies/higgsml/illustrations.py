"""What is shown of the events, the flows and the response surface, without being part of the chain (Figs. 4 and 6)."""

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
from diffhep.studies.higgsml.intervals import MIN_SIMULATED_EVENTS, fit_surface, surface_coordinates
from diffhep.studies.higgsml.training import LABELS


def marginal_distributions(settings: dict, pools: dict[str, xr.Dataset], flows_of: dict[str, xr.Dataset]) -> xr.Dataset:
    """How one column is distributed: in each process, in both classes, and in what the signal's flows make.

    Args:
        settings: `column`, one of those that flows see; `edges`: first, last and how many; `flow` (keys of
            `coupling.coupling_flow`), `columns`, `strengths`; `drawn` events of each flow; `seed`.
        pools: Results of `events.build_pool`, by process.
        flows_of: Results of `train_flow`, by `<category>_<label>_<strength>`.

    Returns:
        `expected` (process, bin) events at full luminosity, with a jet; densities `truth` (category, label, bin) and
        `learned` (category, strength, bin) of the signal's flows; and the `edges`.
    """
    name, (low, high, number) = settings["column"], settings["edges"]
    edges, place = np.linspace(low, high, int(number)), COLUMNS.index(name)
    # seen as a logarithm where flows see it so
    changed = np.exp if name in settings["columns"]["logarithms"] else np.asarray
    look, shape = reconstruction(settings["columns"]["logarithms"]), (len(CATEGORIES), -1, len(edges) - 1)
    expected, truth, learned = [], [], []
    for sample in pool_samples(pools, "template"):
        columns, category, passes = map(np.asarray, look(sample.primaries, NO_SHIFT, sample.noise))
        kept = passes & (category >= 0)
        expected.append(np.histogram(changed(columns[kept, place]), edges, weights=sample.weights[kept])[0])
    for n, seen in product(range(len(CATEGORIES)), nominal_events(settings, pools, "template")):
        here = seen.category == n
        truth.append(_density(changed(seen.columns[here, place]), edges, seen.weights[here]))
    for category, strength in product(CATEGORIES, settings["strengths"]):
        drawn = _drawn(settings, flows_of[f"{category}_signal_{strength}"])
        column = flow_columns(settings["columns"]["flows"], category).index(name)
        learned.append(_density(changed(drawn[:, column]), edges, np.ones(len(drawn))))
    return xr.Dataset(
        {
            "expected": (("process", "bin"), np.array(expected)),
            "truth": (("category", "label", "bin"), np.array(truth).reshape(shape)),
            "learned": (("category", "strength", "bin"), np.array(learned).reshape(shape)),
            "edges": ("edge", edges),
        },
        coords={"process": list(PROCESSES), "category": list(CATEGORIES), "label": list(LABELS)},
    ).assign_coords(strength=settings["strengths"])


def _drawn(settings: dict, trained: xr.Dataset) -> np.ndarray:
    """Events of a flow."""
    flow, parameters = contrastive.restore(settings["flow"], trained)
    key = prng.key(settings["seed"], prng.HIGGSML_ILLUSTRATIONS)
    return np.asarray(flows_flow.sample(flow, parameters, jnp.zeros(0), settings["drawn"], key=key))


def _density(values: np.ndarray, edges: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Share of the values in each bin, over its width; values beyond the edges count in the norm."""
    return np.histogram(values, edges, weights=weights)[0] / weights.sum() / np.diff(edges)


def compare_surface(settings: dict, chunks: dict[str, xr.Dataset], direct: xr.Dataset) -> xr.Dataset:
    """Histograms of the response surface beside those that all events make at the same shifts.

    Args:
        settings: `order` of the surface, `luminosity`, `network` whose scores.
        chunks: Results of `templates.expected_histograms` on the design, of the events for tests.
        direct: Result of `templates.time_scoring`, of the same events.

    Returns:
        `surface` and `direct` (point, bin) at the luminosity, at a signal strength of 1; `off` (point, bin), their
        difference in units of the Poisson deviation of one pseudo-experiment; and `shift` (point, nuisance).
    """
    shifts, name = direct["shift"].values, settings["network"]
    made = settings["luminosity"] * fit_surface(chunks, name, settings["order"])(surface_coordinates(shifts)).sum(
        axis=1
    )
    found = settings["luminosity"] * direct["counts"].sel(network=name).sum("process").values
    off = (made - found) / np.sqrt(np.maximum(found, MIN_SIMULATED_EVENTS))
    dims = ("point", "bin")
    variables = {"surface": (dims, made), "direct": (dims, found), "off": (dims, off)}
    return xr.Dataset(variables | {"shift": (("point", "nuisance"), shifts)})
