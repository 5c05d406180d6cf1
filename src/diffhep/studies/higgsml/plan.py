"""Settings and files of the study's jobs, for the rules of the workflow. Imports no jax."""

from collections.abc import Mapping
from typing import Any

Settings = Mapping[str, Any]

CATEGORIES = ("one_jet", "two_jets")
LABELS = ("signal", "background")
TOY_SAMPLES = ("simulated", "tested")
"""Pseudo-experiments of the nuisance-conditioned method: for its confidence belt, and for its intervals."""


def pool_files(study: Settings) -> list[str]:
    """Return the pools of events, one file for each process."""
    return [f"<results>/higgsml/pool/{process}.nc" for process in study["data"]["yields"]]


def flow_files(study: Settings) -> list[str]:
    """Return the trained flows, one file for each category, class and contrast strength."""
    return [
        f"<results>/higgsml/flow/{category}_{label}_{strength}.nc"
        for category in CATEGORIES
        for label in LABELS
        for strength in study["strengths"]
    ]


def network_files(study: Settings) -> list[str]:
    """Return the trained networks whose scores are histogrammed."""
    return [f"<results>/higgsml/network/{name}.nc" for name in networks(study)]


def design_files(study: Settings, part: str) -> list[str]:
    """Return the expected histograms at the design points, for one part of the pools.

    Args:
        study: Settings of the study.
        part: "template" or "test".
    """
    return [f"<results>/higgsml/design/{part}/{chunk}.nc" for chunk in range(study["scores"]["design"]["chunks"])]


def resources(scale: str) -> dict[str, int]:
    """Return memory (MB) and run time (minutes) to request, which only the paper scale needs."""
    return {"mem_mb": 16000, "runtime": 1440} if scale == "paper" else {}


def networks(study: Settings) -> dict[str, Settings]:
    """Return the architecture of every network whose scores are histogrammed, by method."""
    return {"baseline": study["network"], "cnf": study["network"], "inferno": study["inferno"]["network"]}


def pool(study: Settings, seed: int, process: str) -> dict[str, Any]:
    """Return the settings of `events.build_pool`."""
    return {**study["data"], "process": process, "seed": seed}


def flow(study: Settings, seeds: Settings, category: str, label: str, strength: float) -> dict[str, Any]:
    """Return the settings of `training.train_flow`.

    Args:
        study: Settings of the study.
        seeds: `seed` and `seeds_at_once` of the suite.
        category: "one_jet" or "two_jets".
        label: Class that the flow learns, "signal" or "background".
        strength: Contrast strength.
    """
    return {
        **_training_events(study, seeds),
        **study["flow"],
        "category": category,
        "label": label,
        "strength": strength,
    }


def classifier(study: Settings, seeds: Settings) -> dict[str, Any]:
    """Return the settings of a classifier that sees the columns of an event alone."""
    return {**_training_events(study, seeds), **study["training"], "network": study["network"]}


def flow_classifier(study: Settings, seeds: Settings) -> dict[str, Any]:
    """Return the settings of the classifier that also sees the discrimination functions of the flows."""
    return {**classifier(study, seeds), "flow": study["flow"]["flow"], "phi": study["scores"]["phi"]}


def inferno(study: Settings, seeds: Settings) -> dict[str, Any]:
    """Return the settings of `inferno.train`."""
    own = {key: value for key, value in study["inferno"].items() if key != "training"}
    return {
        **seeds,
        **own,
        **study["inferno"]["training"],
        "columns": study["columns"],
        "luminosity": study["luminosity"],
    }


def templates(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `templates.expected_histograms` on the grid of the template fits."""
    grid = {"part": "template", "points": "grid", "nodes": study["scores"]["nodes"], "chunk": 0, "chunks": 1}
    return {**_scores(study, seed), **grid}


def design(study: Settings, seed: int, part: str, chunk: int) -> dict[str, Any]:
    """Return the settings of `templates.expected_histograms` on one chunk of the design points."""
    points = {key: study["scores"]["design"][key] for key in ("number", "chunks")}
    return {**_scores(study, seed), "part": part, "points": "design", **points, "chunk": chunk}


def direct(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `templates.time_scoring`."""
    toys = {"number": study["scores"]["direct_toys"], "luminosity": study["luminosity"]}
    return {**_scores(study, seed), "part": "test", **toys}


def belt(study: Settings, seed: int, method: str) -> dict[str, Any]:
    """Return the settings of `intervals.build_belt`."""
    return {**_fits(study, seed), **study["fits"]["belt"], **_method(method)}


def belt_intervals(study: Settings, seed: int, method: str) -> dict[str, Any]:
    """Return the settings of `intervals.compute_intervals` with a confidence belt."""
    return {**_fits(study, seed), **_toys(study), **_method(method)}


def high_statistics(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `intervals.compute_intervals` for the flow method with many pseudo-experiments."""
    number = study["fits"]["high_statistics"]
    return {**_fits(study, seed), "sets": number, "toys": number, **_method("cnf")}


def profile_intervals(study: Settings, seed: int, method: str) -> dict[str, Any]:
    """Return the settings of `intervals.compute_intervals` with the profile likelihood."""
    return {**_fits(study, seed), **_toys(study), "method": method}


def nuisance_conditioned(study: Settings, seed: int, sample: str) -> dict[str, Any]:
    """Return the settings of `nuisance_conditioned.estimate_strengths`, without the range of pseudo-experiments.

    Args:
        study: Settings of the study.
        seed: Seed of the suite.
        sample: "simulated" for the confidence belt, "tested" for the intervals.
    """
    own = study["nuisance_conditioned"]
    shared = {
        **{key: study[key] for key in ("luminosity", "network", "columns")},
        "bins": study["scores"]["bins"],
        "template_events": own["template_events"],
        "truth": study["fits"]["truth"],
        "sets": study["fits"]["sets"],
        "seed": seed,
    }
    if sample == "simulated":
        return {**shared, "part": "template", "strengths": own["strengths"], "toys": own["belt_toys"]}
    return {**shared, "part": "test", "toys": own["toys"]}


def toy_range(study: Settings, sample: str) -> range:
    """Return the numbers of the pseudo-experiments of the nuisance-conditioned method."""
    own = study["nuisance_conditioned"]
    return range(own["belt_toys"] if sample == "simulated" else own["toys"])


def marginal(study: Settings, seed: int) -> dict[str, Any]:
    """Return the settings of `illustrations.marginal_distributions`."""
    shared = {"columns": study["columns"], "flow": study["flow"]["flow"], "strengths": study["strengths"]}
    return {**study["marginal"], **shared, "seed": seed}


def surface_check(study: Settings) -> dict[str, Any]:
    """Return the settings of `illustrations.compare_surface`."""
    return {"order": study["scores"]["design"]["order"], "luminosity": study["luminosity"], "network": "cnf"}


def _training_events(study: Settings, seeds: Settings) -> dict[str, Any]:
    return {**seeds, "columns": study["columns"], "perturbed": study["perturbed"]}


def _scores(study: Settings, seed: int) -> dict[str, Any]:
    return {
        "phi": study["scores"]["phi"],
        "bins": study["scores"]["bins"],
        "columns": study["columns"],
        "flow": study["flow"]["flow"],
        "networks": networks(study),
        "seed": seed,
    }


def _fits(study: Settings, seed: int) -> dict[str, Any]:
    return {
        "seed": seed,
        "luminosity": study["luminosity"],
        "nodes": study["scores"]["nodes"],
        "order": study["scores"]["design"]["order"],
        "truth": study["fits"]["truth"],
        "profile_bins": study["fits"]["profile_bins"],
    }


def _toys(study: Settings) -> dict[str, Any]:
    return {key: study["fits"][key] for key in ("sets", "toys")}


def _method(method: str) -> dict[str, Any]:
    """Only the flow method fits the energy scales; the baseline fits the signal strength alone."""
    return {"method": method, "shifts": method == "cnf"}
