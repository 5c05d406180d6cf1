"""Events of the study of the search for X -> SH -> bb gamma gamma, generated or read (thesis 9.2 and 9.3)."""

from functools import partial
from pathlib import Path

import jax
import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.data import mass_grid, ntuples, resonance

BLOCK_SIZE = 230_000
"""Background events generated at a time."""


def select_signal(settings: dict, files: dict[str, Path] | None = None) -> xr.Dataset:
    """Selected events of every mass point.

    Args:
        settings: `grid`, `data`, `seed`.
        files: Where to read them instead, by the file's stem: the one that `data.ntuples.signal` makes of the masses.

    Returns:
        `events` (event, mass), m_bbgg and m_bb; `weight`, `mass_point` and `test` (event), the last of those that
        networks never see; `masses` (point, mass), m_X and m_S; `yield`, `yield_error`, `efficiency` and
        `held_out` (point).
    """
    masses, data = mass_grid.mass_points(settings["grid"]["parts"]), settings["data"]
    key = prng.key(settings["seed"], prng.RESONANCE_SIGNAL)

    def sample_at(point):
        m_x, m_s = masses[point]
        if files:
            path = files[Path(data["ntuples"]["signal"].format(m_x=f"{m_x:g}", m_s=f"{m_s:g}")).stem]
            return _read(path, data)
        return _sample(
            resonance.generate_signal(jax.random.fold_in(key, point), data, float(m_x), float(m_s), data["events"])
        )

    samples = [sample_at(point) for point in range(len(masses))]
    return _joined([each.events for each in samples], "mass_point", data["test_fraction"]).assign({
        "masses": (("point", "mass"), masses),
        "held_out": ("point", mass_grid.select_points(masses, settings["grid"]["held_out"])),
        "yield": ("point", [each.selected_weight for each in samples]),
        "yield_error": ("point", [each.selected_error for each in samples]),
        "efficiency": ("point", [each.selected_weight / each.total_weight for each in samples]),
    })  # fmt: skip


def select_background(settings: dict, files: dict[str, Path] | None = None) -> xr.Dataset:
    """Selected events of every process: `events`, `weight`, `process` and `test`, as in `select_signal`.

    Args:
        settings: `data`, `seed`.
        files: Where to read them instead, one file a process.
    """
    data, key = settings["data"], prng.key(settings["seed"], prng.RESONANCE_BACKGROUND)
    if files:
        samples = {name: _read(path, data).events for name, path in files.items()}
    else:
        each = partial(_process, data=data)
        samples = {name: each(jax.random.fold_in(key, n), name) for n, name in enumerate(sorted(data["backgrounds"]))}
    found = _joined(list(samples.values()), "process", data["test_fraction"])
    return found.assign_coords(name=("each", list(samples)))


def _read(path: Path, data: dict) -> ntuples.NtupleSample:
    return ntuples.read(path, data["ntuples"].get("tree", ntuples.TREE), data["ntuples"].get("at_most"))


def _sample(events: resonance.ResonanceEvents) -> ntuples.NtupleSample:
    """Of generated events, all selected ones."""
    kept = _selected(events)
    return ntuples.NtupleSample(kept, np.sum(events.weight), kept.weight.sum(), np.sqrt(np.sum(kept.weight**2)))


def _selected(events: resonance.ResonanceEvents) -> resonance.ResonanceEvents:
    chosen = np.asarray(events.selected)
    return resonance.ResonanceEvents(*(np.asarray(column)[chosen] for column in events))


def _process(key, name, data) -> resonance.ResonanceEvents:
    """Events of a background process, generated block by block; only selected ones are kept."""
    number = data["backgrounds"][name]["events"]
    blocks = -(-number // BLOCK_SIZE)
    each = -(-number // blocks)
    parts = [
        _selected(resonance.generate_background(jax.random.fold_in(key, block), data, name, each))
        for block in range(blocks)
    ]
    joined = resonance.ResonanceEvents(*map(np.concatenate, zip(*parts, strict=True)))
    return joined._replace(weight=joined.weight / blocks)


def _joined(samples: list[resonance.ResonanceEvents], label: str, test_fraction: float) -> xr.Dataset:
    """Events of all samples, which of them each belongs to, and which are kept for tests."""
    sizes = [len(events.weight) for events in samples]
    columns = {name: np.concatenate([getattr(e, name) for e in samples]) for name in ("m_bbgg", "m_bb", "weight")}
    test = [np.arange(size) >= round(size * (1 - test_fraction)) for size in sizes]
    return xr.Dataset({
        "events": (("event", "mass"), np.stack([columns["m_bbgg"], columns["m_bb"]], axis=-1).astype(np.float32)),
        "weight": ("event", columns["weight"]),
        label: ("event", np.repeat(np.arange(len(sizes)), sizes)),
        "test": ("event", np.concatenate(test)),
    })  # fmt: skip
