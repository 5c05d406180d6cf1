"""Table 2 of the contrastive-flow paper: score, interval, coverage, RMSE and run time of every method."""

import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.studies.higgsml import challenge_score

TIMED_TOYS = 1000
"""Pseudo-experiments that run times are told for."""

METRICS = ("score", "width", "coverage", "rmse")


def build_table(
    settings: dict, belted: dict[str, xr.Dataset], profiled: dict[str, xr.Dataset], many: xr.Dataset, direct: xr.Dataset
) -> xr.Dataset:
    """What each method is worth.

    Args:
        settings: `bootstrapped`, how often pseudo-experiments are drawn anew for errors; `seed`.
        belted: Results of `intervals.compute_intervals` and `nuisance_conditioned.compute_intervals` with belts, by method.
        profiled: Results of `intervals.compute_intervals` of the profile likelihood, by method whose scores it uses.
        many: The same as that of the paper's method in `belted`, with many more pseudo-experiments.
        direct: Result of `templates.time_scoring`.

    Returns:
        Over `strategy`: `score`, `width`, `coverage`, `rmse` as in Table 2, each with its `_error`; `window` (strategy,
        side), coverages without penalty; `minutes` for a thousand pseudo-experiments, scores and fits included;
        `number` of pseudo-experiments; and `distance`, that of the coverage from the window, 0 within.
        `truth` (set); and for every strategy but that of many pseudo-experiments, over `shown`: `of_set` (shown, set),
        the coverage of each true strength; `set_window` (shown, side), that of so few; and `farthest` (shown), the
        largest distance of a true strength's coverage from it.
        And what compares the paper's method `cnf` with others, all but the last with its `_error`: `lead` in score over
        the better of `told` and `baseline`, `lead_profile` over the profile likelihood of its own scores, and
        `lead_inferno` over that of `inferno`; `narrower` and `faster`, its width over that of `told`, and the run time
        of `told` over its own.
    """
    rng = np.random.default_rng([settings["seed"], prng.HIGGSML_BOOTSTRAP])
    results = belted | {f"profile_{name}": each for name, each in profiled.items()} | {"cnf_many": many}
    rows = np.array([_resampled(each, settings["bootstrapped"], rng) for each in results.values()])
    sizes = np.array([each["low"].size for each in results.values()])
    windows = np.array([challenge_score.coverage_window(int(size)) for size in sizes])
    minutes = np.array([_seconds(name, each, direct) for name, each in results.items()]) * TIMED_TOYS / 60
    found = {name: ("strategy", rows[:, 0, n]) for n, name in enumerate(METRICS)}
    found |= {f"{name}_error": ("strategy", rows[:, 1:, n].std(axis=1)) for n, name in enumerate(METRICS)}
    coverage, names = rows[:, 0, 2], list(results)
    return xr.Dataset(
        found
        | {
            "window": (("strategy", "side"), windows),
            "minutes": ("strategy", minutes),
            "number": ("strategy", sizes),
            "distance": ("strategy", _outside(coverage, windows)),
            "faster": minutes[names.index("told")] / minutes[names.index("cnf")],
        },
        coords={"strategy": names},
    ).assign(_leads(dict(zip(names, rows, strict=True))) | _by_set(results))


def _outside(coverage: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Distance of coverages from their windows (..., side), 0 within."""
    return np.maximum(windows[..., 0] - coverage, 0) + np.maximum(coverage - windows[..., 1], 0)


def _leads(rows: dict[str, np.ndarray]) -> dict[str, float]:
    """What compares the paper's method with others, with errors; rows are (drawn, number) of each strategy."""
    score = {name: row[:, 0] for name, row in rows.items()}
    found = {
        "lead": score["cnf"] - np.maximum(score["told"], score["baseline"]),
        "lead_profile": score["cnf"] - score["profile_cnf"],
        "lead_inferno": score["cnf"] - score["profile_inferno"],
        "narrower": rows["cnf"][:, 1] / rows["told"][:, 1],
    }
    values = {name: float(each[0]) for name, each in found.items()}
    return values | {f"{name}_error": float(each[1:].std()) for name, each in found.items()}


def _resampled(result: xr.Dataset, times: int, rng: np.random.Generator) -> np.ndarray:
    """The numbers of all pseudo-experiments, and of so many bootstrapped sets of them."""
    truth = result["truth"].broadcast_like(result["low"])
    columns = [np.ravel(each) for each in (result["low"], result["high"], truth, result["estimate"])]
    size = len(columns[0])
    drawn = [np.arange(size), *(rng.integers(0, size, size) for _ in range(times))]
    return np.array([_numbers(*(column[rows] for column in columns)) for rows in drawn])


def _numbers(low, high, truth, estimate) -> tuple[float, float, float, float]:
    found = challenge_score.score(low, high, truth)
    return found.score, found.width, found.coverage, challenge_score.rmse(estimate, truth)


def _seconds(name: str, result: xr.Dataset, direct: xr.Dataset) -> float:
    """Of one pseudo-experiment: measured whole, or as scores and fit."""
    if "seconds" in result:
        return float(result["seconds"].median())
    scored = direct["seconds"].sel(network=name.removeprefix("profile_").removesuffix("_many"))
    return float(scored.median() + result["fit_seconds"])


def _by_set(results: dict[str, xr.Dataset]) -> dict[str, tuple]:
    """Coverage at each true strength."""
    few = {name: each for name, each in results.items() if name != "cnf_many"}
    inside = [((each["low"] <= each["truth"]) & (each["truth"] <= each["high"])).mean("toy") for each in few.values()]
    windows = np.array([challenge_score.coverage_window(each.sizes["toy"]) for each in few.values()])
    return {
        "truth": ("set", next(iter(few.values()))["truth"].values),
        "of_set": (("shown", "set"), np.array(inside)),
        "set_window": (("shown", "side"), windows),
        "farthest": ("shown", _outside(np.array(inside), windows[:, None]).max(axis=1)),
        "shown": list(few),
    }
