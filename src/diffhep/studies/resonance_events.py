"""Events of the study of the search for X -> SH -> bb gamma gamma, generated or read (thesis 9.2 and 9.3)."""

from functools import partial
from pathlib import Path

import jax
import numpy as np
import xarray as xr

from diffhep import training
from diffhep.data import mass_grid, ntuples, resonance

SIGNAL, BACKGROUND = 30, 31  # purposes of the suite's seed

BLOCK = 230_000
"""Background events generated at a time."""


def signal(settings: dict, files: dict[str, Path] | None = None) -> xr.Dataset:
    """Selected events of every mass point.

    Args:
        settings: `grid`, `data`, `seed`.
        files: Where to read them instead, by the file's stem: the one that `data.ntuples.signal` makes of the masses.

    Returns:
        `events` (event, mass), m_bbgg and m_bb; `weight`, `mass_point` and `test` (event), the last of those that
        networks never see; `masses` (point, mass), m_X and m_S; `yield`, `yield_error`, `efficiency` and
        `held_out` (point).
    """
    masses, data = mass_grid.points(settings["grid"]["parts"]), settings["data"]
    key = training.key(settings["seed"], SIGNAL)

    def events_at(point):
        m_x, m_s = masses[point]
        if files:
            path = files[Path(data["ntuples"]["signal"].format(m_x=f"{m_x:g}", m_s=f"{m_s:g}")).stem]
            return ntuples.read(path, data["ntuples"].get("tree", ntuples.TREE))
        return resonance.signal(jax.random.fold_in(key, point), data, float(m_x), float(m_s), data["events"])

    samples = [events_at(point) for point in range(len(masses))]
    kept = [np.asarray(events.selected) for events in samples]
    weights = [np.asarray(events.weight)[chosen] for events, chosen in zip(samples, kept, strict=True)]
    return _selected(samples, "mass_point", data["test_fraction"]).assign({
        "masses": (("point", "mass"), masses),
        "held_out": ("point", mass_grid.chosen(masses, settings["grid"]["held_out"])),
        "yield": ("point", [each.sum() for each in weights]),
        "yield_error": ("point", [np.sqrt(np.sum(each**2)) for each in weights]),
        "efficiency": ("point", [w.sum() / np.sum(e.weight) for w, e in zip(weights, samples, strict=True)]),
    })  # fmt: skip


def background(settings: dict, files: dict[str, Path] | None = None) -> xr.Dataset:
    """Selected events of every process: `events`, `weight`, `process` and `test`, as in `signal`.

    Args:
        settings: `data`, `seed`.
        files: Where to read them instead, one file a process.
    """
    data, key = settings["data"], training.key(settings["seed"], BACKGROUND)
    if files:
        samples = {name: ntuples.read(path, data["ntuples"].get("tree", ntuples.TREE)) for name, path in files.items()}
    else:
        each = partial(_process, data=data)
        samples = {name: each(jax.random.fold_in(key, n), name) for n, name in enumerate(sorted(data["backgrounds"]))}
    found = _selected(list(samples.values()), "process", data["test_fraction"])
    return found.assign_coords(name=("each", list(samples)))


def _process(key, name, data) -> resonance.Events:
    """Events of a background process, generated block by block; only selected ones are kept."""
    number = data["backgrounds"][name]["events"]
    blocks = -(-number // BLOCK)
    parts = []
    for block in range(blocks):
        events = resonance.background(jax.random.fold_in(key, block), data, name, -(-number // blocks))
        chosen = np.asarray(events.selected)
        parts.append(resonance.Events(*(np.asarray(column)[chosen] for column in events)))
    joined = resonance.Events(*map(np.concatenate, zip(*parts, strict=True)))
    return joined._replace(weight=joined.weight / blocks)


def _selected(samples: list[resonance.Events], label: str, test_fraction: float) -> xr.Dataset:
    """Selected events of all samples, which of them each belongs to, and which are kept for tests."""
    chosen = [np.asarray(events.selected) for events in samples]
    sizes = [np.count_nonzero(each) for each in chosen]
    columns = {
        name: np.concatenate([np.asarray(getattr(e, name))[c] for e, c in zip(samples, chosen, strict=True)])
        for name in ("m_bbgg", "m_bb", "weight")
    }
    test = [np.arange(size) >= round(size * (1 - test_fraction)) for size in sizes]
    return xr.Dataset({
        "events": (("event", "mass"), np.stack([columns["m_bbgg"], columns["m_bb"]], axis=-1).astype(np.float32)),
        "weight": ("event", columns["weight"]),
        label: ("event", np.repeat(np.arange(len(sizes)), sizes)),
        "test": ("event", np.concatenate(test)),
    })  # fmt: skip
