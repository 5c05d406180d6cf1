"""Fits to pseudo-experiments of the blob model, mu and gamma in five bins."""

import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from typing import Any

import jax
import numpy as np
import pyhf

from benchmarks import peers, pinned
from diffhep import prng
from diffhep.inference import toys
from diffhep.inference.batched_mle import fit_all
from diffhep.models.likelihood import Data, Model, nominal_parameters
from diffhep.models.simple import signal_background
from diffhep.peers import pyhf as pyhf_peer
from diffhep.peers import timing


def rates(settings: Mapping[str, Any], processes: list[ProcessPoolExecutor]) -> list[dict[str, Any]]:
    """Two rows: our rate over that of pyhf in one process, as it comes, and in as many as we use."""
    text, cores = json.dumps(settings), len(processes)
    works = {
        "ours": lambda: pinned.in_all(processes, fit_ours, text),
        "one": lambda: pinned.in_all(processes[:1], fit_theirs, text),
        "all": lambda: pinned.in_all(processes, fit_theirs, text),
    }
    taken = timing.time_in_turns(works, settings["repeats"])
    ours = cores * settings["toys"] / taken["ours"]
    theirs = {1: settings["peer_toys"] / taken["one"], cores: cores * settings["peer_toys"] / taken["all"]}
    return [_row(ours, rate, cores, number) for number, rate in theirs.items()]


def _row(ours: np.ndarray, peer: np.ndarray, cores: int, peer_cores: int) -> dict[str, Any]:
    return {
        "work": "fits of mu and gamma to pseudo-experiments in 5 bins, "
        f"processes of one core: ours {cores}, peer {peer_cores} (ratio: times ours is faster)",
        **{side: f"{np.median(rate):.0f} fits/s" for side, rate in {"ours": ours, "peer": peer}.items()},
        "peer_version": pyhf_peer.NAME,
        "ratio": np.median(ours / peer),
    }


def thrown(settings: Mapping[str, Any]) -> tuple[Model, Data]:
    """The model and the data sets that both sides fit."""
    model = signal_background(*np.array(settings["yields"]))
    key = prng.key(settings["seed"], 0)
    return model, toys.throw(model, nominal_parameters(model, 1.0), settings["toys"], key=key)


@cache
def _ours(text: str) -> tuple[Model, Data]:
    return jax.block_until_ready(thrown(json.loads(text)))


@cache
def _theirs(text: str) -> tuple[pyhf.Model, Data]:
    settings = json.loads(text)
    _, data = _ours(text)
    return peers.pyhf_model(settings["yields"]), Data(*(np.asarray(a)[: settings["peer_toys"]] for a in data))


def fit_ours(text: str) -> None:
    """Fit all data sets, settings in JSON: in a process of its own, where the first call compiles."""
    jax.block_until_ready(fit_all(*_ours(text)))


def fit_theirs(text: str) -> None:
    """Fit the first of the same data sets with pyhf."""
    peers.pyhf_fits(*_theirs(text))
