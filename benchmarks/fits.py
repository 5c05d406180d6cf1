"""Fits to pseudo-experiments of the blob model, (mu, gamma) in five bins."""

import json
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from typing import Any

import jax
import numpy as np

from benchmarks import peers, timing
from diffhep import toys, training
from diffhep.fits import FitResult, fit
from diffhep.likelihood import Data, Model, nominal_parameters, signal_background


def rates(settings: Mapping[str, Any], processes: list[ProcessPoolExecutor]) -> list[dict[str, Any]]:
    """Two rows: our rate over that of pyhf in one process, as it comes, and in as many as we use."""
    text, jobs = json.dumps(settings), len(processes)
    works = {
        "ours": lambda: timing.in_all(processes, fit_ours, text),
        "one": lambda: timing.in_all(processes[:1], fit_theirs, text),
        "all": lambda: timing.in_all(processes, fit_theirs, text),
    }
    taken = timing.turns(works, settings["repeats"])
    fits = {
        "ours": jobs * settings["toys"] / taken["ours"],
        "one": settings["peer_toys"] / taken["one"],
        "all": jobs * settings["peer_toys"] / taken["all"],
    }
    return [_row(fits["ours"], fits[peer], jobs, number) for peer, number in {"one": 1, "all": jobs}.items()]


def _row(ours: np.ndarray, peer: np.ndarray, our_jobs: int, peer_jobs: int) -> dict[str, Any]:
    return {
        "work": f"fits of mu and gamma to pseudo-experiments of 5 bins: ours in {our_jobs} processes of one core each, "
        f"the peer in {peer_jobs}; ratio is how many times faster ours is",
        "ours": f"{np.median(ours):.0f} fits/s",
        "peer": f"{np.median(peer):.0f} fits/s",
        "peer_version": peers.PYHF,
        "ratio": float(np.median(ours / peer)),
    }


def thrown(settings: Mapping[str, Any]) -> tuple[Model, Data]:
    """The model and the data sets that both sides fit."""
    model = signal_background(*np.array(settings["bins"]))
    key = training.key(settings["seed"], 0)
    return model, toys.throw(model, nominal_parameters(model, 1.0), settings["toys"], key=key)


@jax.jit
def our_fits(model: Model, data: Data) -> FitResult:
    """Fits of all data sets, in chunks as in a study."""
    return jax.lax.map(partial(fit, model), data, batch_size=toys.CHUNK)


@cache
def _ours(text: str) -> tuple[Model, Data]:
    return jax.block_until_ready(thrown(json.loads(text)))


@cache
def _theirs(text: str):
    settings = json.loads(text)
    _, data = thrown(settings)
    return peers.pyhf_model(settings["bins"]), Data(*(np.asarray(a)[: settings["peer_toys"]] for a in data))


def fit_ours(text: str) -> None:
    """Fit all data sets; runs in a process of one core."""
    jax.block_until_ready(our_fits(*_ours(text)))


def fit_theirs(text: str) -> None:
    """Fit the first of them with pyhf; runs in a process of one core."""
    peers.pyhf_fits(*_theirs(text))
