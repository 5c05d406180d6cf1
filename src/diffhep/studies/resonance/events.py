"""Selected events of signal and background of the search for X -> SH -> bb gamma gamma (thesis 9.2 and 9.3)."""

from functools import partial
from pathlib import Path

import jax
import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.data import mass_grid, ntuples, resonance

BLOCK_SIZE = 230_000
"""Largest number of background events generated in a batch, to bound the memory."""


def select_signal(settings: dict, files: dict[str, Path] | None = None) -> xr.Dataset:
    """Generate or read the selected signal events of every mass point.

    Args:
        settings: `grid` of mass points; `data`, settings of the generator and of the files; `seed`.
        files: Files to read instead of generating events, by the stem of the name that `data.ntuples.signal` gives for
            each mass point.

    Returns:
        `events` (event, mass), m_bbgg and m_bb in GeV; `weight`, `mass_point` and `test` (event), true for the test
        events that are not used in training; `masses` (point, mass), m_X and m_S in GeV; `yield` of selected events,
        `yield_error`, `efficiency` of the selection, and `held_out` (point).
    """
    masses, data = mass_grid.mass_points(settings["grid"]["parts"]), settings["data"]
    key = prng.key(settings["seed"], prng.RESONANCE_SIGNAL)

    def sample_at(point):
        m_x, m_s = masses[point]
        if files:
            path = files[Path(data["ntuples"]["signal"].format(m_x=f"{m_x:g}", m_s=f"{m_s:g}")).stem]
            return _read(path, data)
        return _summarise(
            resonance.generate_signal(jax.random.fold_in(key, point), data, float(m_x), float(m_s), data["events"])
        )

    samples = [sample_at(point) for point in range(len(masses))]
    return _concatenate([sample.events for sample in samples], "mass_point", data["test_fraction"]).assign({
        "masses": (("point", "mass"), masses),
        "held_out": ("point", mass_grid.select_points(masses, settings["grid"]["held_out"])),
        "yield": ("point", [sample.selected_weight for sample in samples]),
        "yield_error": ("point", [sample.selected_error for sample in samples]),
        "efficiency": ("point", [sample.selected_weight / sample.total_weight for sample in samples]),
    })  # fmt: skip


def select_background(settings: dict, files: dict[str, Path] | None = None) -> xr.Dataset:
    """Generate or read the selected events of every background process.

    Args:
        settings: `data`, settings of the generator and of the files; `seed`.
        files: Files to read instead of generating events, one for each process.

    Returns:
        `events` (event, mass), m_bbgg and m_bb in GeV; `weight`, `process` and `test` (event), true for the test
        events that are not used in training; `name` (sample) of each process.
    """
    data, key = settings["data"], prng.key(settings["seed"], prng.RESONANCE_BACKGROUND)
    if files:
        samples = {name: _read(path, data).events for name, path in files.items()}
    else:
        names = enumerate(sorted(data["backgrounds"]))
        generate = partial(_generate_process, data=data)
        samples = {name: generate(jax.random.fold_in(key, number), name) for number, name in names}
    events = _concatenate(list(samples.values()), "process", data["test_fraction"])
    return events.assign_coords(name=("sample", list(samples)))


def _read(path: Path, data: dict) -> ntuples.NtupleSample:
    return ntuples.read(path, data["ntuples"].get("tree", ntuples.TREE), data["ntuples"].get("max_events"))


def _summarise(events: resonance.ResonanceEvents) -> ntuples.NtupleSample:
    """Selected events, with the sums of weights of all generated events."""
    selected = _select(events)
    error = np.sqrt(np.sum(selected.weight**2))
    return ntuples.NtupleSample(selected, np.sum(events.weight), selected.weight.sum(), error)


def _select(events: resonance.ResonanceEvents) -> resonance.ResonanceEvents:
    selected = np.asarray(events.selected)
    return resonance.ResonanceEvents(*(np.asarray(column)[selected] for column in events))


def _generate_process(key, name, data) -> resonance.ResonanceEvents:
    """Generate a background process in batches, and select events in each."""
    number = data["backgrounds"][name]["events"]
    blocks = -(-number // BLOCK_SIZE)
    block_size = -(-number // blocks)
    parts = [
        _select(resonance.generate_background(jax.random.fold_in(key, block), data, name, block_size))
        for block in range(blocks)
    ]
    events = resonance.ResonanceEvents(*map(np.concatenate, zip(*parts, strict=True)))
    return events._replace(weight=events.weight / blocks)


def _concatenate(samples: list[resonance.ResonanceEvents], label: str, test_fraction: float) -> xr.Dataset:
    """Events of all samples, with the number of the sample of each event; the last events of a sample are for tests."""
    sizes = [len(events.weight) for events in samples]
    columns = {name: np.concatenate([getattr(e, name) for e in samples]) for name in ("m_bbgg", "m_bb", "weight")}
    test = [np.arange(size) >= round(size * (1 - test_fraction)) for size in sizes]
    return xr.Dataset({
        "events": (("event", "mass"), np.stack([columns["m_bbgg"], columns["m_bb"]], axis=-1).astype(np.float32)),
        "weight": ("event", columns["weight"]),
        label: ("event", np.repeat(np.arange(len(sizes)), sizes)),
        "test": ("event", np.concatenate(test)),
    })  # fmt: skip
