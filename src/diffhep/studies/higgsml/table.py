"""Table 2 of the contrastive-flow paper: score, interval, coverage, RMSE and run time of every method."""

import numpy as np
import xarray as xr

from diffhep import prng
from diffhep.studies.higgsml import challenge_score

TIMED_TOYS = 1000
"""Number of pseudo-experiments that run times refer to."""

METRICS = ("score", "width", "coverage", "rmse")

HIGH_STATISTICS = "cnf_high_statistics"
"""Strategy of the paper's method with many pseudo-experiments."""


def build_table(
    settings: dict,
    belted: dict[str, xr.Dataset],
    profiled: dict[str, xr.Dataset],
    high_statistics: xr.Dataset,
    direct: xr.Dataset,
) -> xr.Dataset:
    """Compute the metrics of every strategy, with bootstrap errors, and compare the paper's method with others.

    Args:
        settings: `bootstraps`, the number of bootstrap samples of the pseudo-experiments; `seed`.
        belted: Results of `intervals.compute_intervals` and `nuisance_conditioned.compute_intervals` with confidence
            belts, by method.
        profiled: Results of `intervals.compute_intervals` of the profile likelihood, by method whose scores it uses.
        high_statistics: Result of the paper's method `cnf` with many pseudo-experiments.
        direct: Result of `templates.time_scoring`.

    Returns:
        Over `strategy`: `score`, `width`, `coverage`, `rmse` as in Table 2, each with its `_error`; `window` (strategy,
        side), the coverages without penalty; `minutes` for a thousand pseudo-experiments, scores and fits included;
        `n_toys`, the number of pseudo-experiments; and `distance` of the coverage from the window, 0 within.

        Over `set_strategy`, all strategies but that of high statistics: `set_coverage` (set_strategy, set) at each true
        strength; `set_window` (set_strategy, side) for the pseudo-experiments of one strength; `set_distance`, the
        largest distance of a true strength's coverage from it. `truth` (set) has the true strengths.

        Comparisons of `cnf` with others, all but the last with their `_error`: `lead` in score over the better of
        `nuisance_conditioned` and `baseline`, `lead_profile` over the profile likelihood of its own scores,
        `lead_inferno` over that of `inferno`; `width_ratio`, its width over that of `nuisance_conditioned`; and
        `time_ratio`, the run time of `nuisance_conditioned` over its own.
    """
    rng = np.random.default_rng([settings["seed"], prng.HIGGSML_BOOTSTRAP])
    results = belted | {f"profile_{name}": result for name, result in profiled.items()}
    results |= {HIGH_STATISTICS: high_statistics}
    rows = np.array([_bootstrap(result, settings["bootstraps"], rng) for result in results.values()])
    n_toys = np.array([result["low"].size for result in results.values()])
    windows = np.array([challenge_score.coverage_window(int(number)) for number in n_toys])
    minutes = np.array([_seconds(name, result, direct) for name, result in results.items()]) * TIMED_TOYS / 60
    metrics = {name: ("strategy", rows[:, 0, n]) for n, name in enumerate(METRICS)}
    metrics |= {f"{name}_error": ("strategy", rows[:, 1:, n].std(axis=1)) for n, name in enumerate(METRICS)}
    coverage, names = rows[:, 0, METRICS.index("coverage")], list(results)
    return xr.Dataset(
        metrics
        | {
            "window": (("strategy", "side"), windows),
            "minutes": ("strategy", minutes),
            "n_toys": ("strategy", n_toys),
            "distance": ("strategy", _distance(coverage, windows)),
            "time_ratio": minutes[names.index("nuisance_conditioned")] / minutes[names.index("cnf")],
        },
        coords={"strategy": names},
    ).assign(_comparisons(dict(zip(names, rows, strict=True))) | _coverage_by_set(results))


def _distance(coverage: np.ndarray, windows: np.ndarray) -> np.ndarray:
    """Distance of coverages from their windows (..., side), 0 within."""
    return np.maximum(windows[..., 0] - coverage, 0) + np.maximum(coverage - windows[..., 1], 0)


def _comparisons(rows: dict[str, np.ndarray]) -> dict[str, float]:
    """Comparisons of the paper's method with others; rows (sample, metric) of each strategy begin with all toys."""
    score = {name: row[:, 0] for name, row in rows.items()}
    samples = {
        "lead": score["cnf"] - np.maximum(score["nuisance_conditioned"], score["baseline"]),
        "lead_profile": score["cnf"] - score["profile_cnf"],
        "lead_inferno": score["cnf"] - score["profile_inferno"],
        "width_ratio": rows["cnf"][:, 1] / rows["nuisance_conditioned"][:, 1],
    }
    values = {name: float(sample[0]) for name, sample in samples.items()}
    return values | {f"{name}_error": float(sample[1:].std()) for name, sample in samples.items()}


def _bootstrap(result: xr.Dataset, number: int, rng: np.random.Generator) -> np.ndarray:
    """Metrics of all pseudo-experiments, followed by those of bootstrap samples."""
    truth = result["truth"].broadcast_like(result["low"])
    columns = [np.ravel(values) for values in (result["low"], result["high"], truth, result["estimate"])]
    size = len(columns[0])
    samples = [np.arange(size), *(rng.integers(0, size, size) for _ in range(number))]
    return np.array([_metrics(*(column[rows] for column in columns)) for rows in samples])


def _metrics(low, high, truth, estimate) -> tuple[float, float, float, float]:
    score = challenge_score.score(low, high, truth)
    return score.score, score.width, score.coverage, challenge_score.rmse(estimate, truth)


def _seconds(name: str, result: xr.Dataset, direct: xr.Dataset) -> float:
    """Run time of one pseudo-experiment: measured as a whole, or the sum of scoring and fit."""
    if "seconds" in result:
        return float(result["seconds"].median())
    network = name.removeprefix("profile_").removesuffix("_high_statistics")
    scoring = direct["seconds"].sel(network=network)
    return float(scoring.median() + result["fit_seconds"])


def _coverage_by_set(results: dict[str, xr.Dataset]) -> dict[str, tuple]:
    """Coverage at each true strength."""
    shared = {name: result for name, result in results.items() if name != HIGH_STATISTICS}
    covered = [(r["low"] <= r["truth"]) & (r["truth"] <= r["high"]) for r in shared.values()]
    coverage = np.array([mask.mean("toy") for mask in covered])
    windows = np.array([challenge_score.coverage_window(result.sizes["toy"]) for result in shared.values()])
    return {
        "truth": ("set", next(iter(shared.values()))["truth"].values),
        "set_coverage": (("set_strategy", "set"), coverage),
        "set_window": (("set_strategy", "side"), windows),
        "set_distance": ("set_strategy", _distance(coverage, windows[:, None]).max(axis=1)),
        "set_strategy": list(shared),
    }
