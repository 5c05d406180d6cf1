"""Traditional optimisation of the cuts of VBF HH -> 4b: a scan of all pairs on a grid."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import xarray as xr
from jaxtyping import Float

from diffhep.data.vbf_hh4b import VARIABLES
from diffhep.histogramming.transfer_factors import TagCounts
from diffhep.inference import hypotests
from diffhep.studies.vbf_hh4b import inputs
from diffhep.studies.vbf_hh4b.statistical_model import Counts, model

CUTS = ("m_jj", "deta_jj")
ALL_VALUES = np.array([-np.inf, np.inf])


@jax.jit
def _expected_cls(counts: Counts):
    return jax.lax.map(lambda each: hypotests.expected_cls(model(each, shape=False)), counts, batch_size=256)


def scan(
    part: inputs.Part, grid: tuple[np.ndarray, np.ndarray], edges: Float[np.ndarray, " edge"], observable: str
) -> Float[np.ndarray, "m_jj deta_jj"]:
    """Expected CLs where both variables of `CUTS` are above every pair of values.

    Args:
        part: Events.
        grid: Rising values of both cuts, in shares of the range as all variables.
        edges: Bins of the observable; what lies outside counts in the outermost.
        observable: One of the variables.
    """
    outer = np.array([-np.inf, *edges[1:-1], np.inf])

    def above(variables, weights, bins):
        columns = variables[:, [VARIABLES.index(name) for name in (*CUTS, observable)]]
        found = np.histogramdd(columns, (*(np.append(each, np.inf) for each in grid), bins), weights=weights)[0]
        found = np.flip(np.flip(found, (0, 1)).cumsum(axis=0).cumsum(axis=1), (0, 1))
        return found.reshape(-1, len(bins) - 1)

    region, validation, control = part
    rows = [above(*each, outer) for each in zip(region.variables, region.weights, strict=True)]
    outside = TagCounts(*(above(control.variables[0], each[0], ALL_VALUES)[:, 0] for each in control[1:]))
    beside = TagCounts(*(above(validation.variables[0], each[0], outer) for each in validation[1:]))
    counts = jax.tree.map(jnp.asarray, Counts(np.stack(rows[:-1], axis=1), rows[-1], outside, beside))
    return np.asarray(_expected_cls(counts)).reshape(*(len(each) for each in grid))


def landscape(settings: Mapping[str, Any], events: xr.Dataset) -> xr.Dataset:
    """CLs over both cuts in fixed bins of m_HH, on the reference events.

    Args:
        settings: `seed`; `data`; `scan`: lowest and highest value and number of `m_jj` and `deta_jj`; `edges` by the
            name of the binning.
        events: Result of `inputs.generate`.

    Returns:
        `cls` (binning, m_jj, deta_jj), and of the best pair of cuts `best` (binning, cut) and `best_cls` (binning).
    """
    reference = inputs.reference(settings).assign(low=events["low"], high=events["high"])
    part = inputs.part(reference, settings["data"]["regions"])
    found = {name: _best_cuts(settings, events, part, edges) for name, edges in settings["edges"].items()}
    return xr.concat(found.values(), xr.Variable("binning", list(found)))


def traditional(settings: Mapping[str, Any], events: xr.Dataset) -> xr.Dataset:
    """Best cuts of the scan on the events of a run, with its fixed edges.

    Args:
        settings: As of `landscape`; of the run `edges`, `shares`, `fold` and `validation`.
        events: Result of `inputs.generate`.

    Returns:
        `cuts` (seed, step, cut) and `edges` (seed, step, edge), of one seed and one step, as a run has them.
    """
    part = inputs.parts(events, settings, settings["data"]["regions"])["train"]
    found = _best_cuts(settings, events, part, settings["edges"])
    once = {"seed": [settings["seed"]], "step": [0]}
    kept = {"cuts": found["best"], "edges": ("edge", np.array(settings["edges"]))}
    return xr.Dataset(kept).expand_dims(once).assign_coords(cut=list(CUTS))


def _best_cuts(settings: Mapping[str, Any], events: xr.Dataset, part: inputs.Part, edges: list[float]) -> xr.Dataset:
    values = {name: np.linspace(*settings["scan"][name]) for name in CUTS}
    grid = tuple(inputs.to_shares(events, each, name) for name, each in values.items())
    cls = scan(part, grid, inputs.to_shares(events, edges, "m_hh"), "m_hh")
    best = np.unravel_index(np.argmin(cls), cls.shape)
    return xr.Dataset(
        {
            "cls": (CUTS, cls),
            "best": ("cut", [values[name][place] for name, place in zip(CUTS, best, strict=True)]),
            "best_cls": cls[best],
        },
        coords={**values, "cut": list(CUTS)},
    )
