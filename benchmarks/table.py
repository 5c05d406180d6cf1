"""All benchmarks in one table."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from benchmarks import fits, flows, optimisation, pinned, training
from diffhep.pipeline import jobs

COLUMNS = ["work", "ours", "peer", "peer_version", "ratio"]


def measure(settings: Mapping[str, Any], cores: int) -> pd.DataFrame:
    """Time each piece of work beside the peer's, one row each."""
    shared = {"seed": settings["seed"], "repeats": settings["repeats"]}
    steps = {**shared, **settings["training"]}
    rows = [training.step_cost({**steps, "widths": widths}) for widths in settings["step_cost"]["widths"]]
    with pinned.one_core_processes(cores) as processes:
        rows.append(training.seed_step({**steps, **settings["seed_step"]}, processes))
        rows.append(flows.member_step({**shared, **settings["member_step"]}, processes))
        rows += fits.rates({**shared, **settings["fits"]}, processes)
    rows += optimisation.steps_and_memory({**shared, **settings["optimisation"]}, cores)
    return pd.DataFrame(rows, columns=COLUMNS).round({"ratio": 2})


def write(settings: Mapping[str, Any], cores: int, paths: Sequence[str]) -> None:
    """Measure, and write the table to all paths."""
    table = measure(settings, cores)
    for path in paths:
        jobs.write_table(table, path)
