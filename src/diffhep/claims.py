"""What a document says happened, checked on stored results: a number and a verdict."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
COLUMNS = ("document", "section", "claim", "measured", "verdict")
CONFIDENCE = 0.95  # of the intervals that decide


class Finding(NamedTuple):
    """What a check found: numbers for the reader, and whether the claim holds."""

    measured: str
    verdict: str


def ordering(
    runs: xr.Dataset,
    *,
    metric: str,
    subject: str | Sequence[str],
    others: Sequence[str],
    epoch: int = -1,
    others_epoch: int | None = None,
    higher: bool = False,
    within: float = 0.0,
    logarithmic: bool = False,
) -> Finding:
    """Whether the subject's metric lies below that of all others, at the documents' settings and elsewhere.

    Mean over seeds against mean over seeds. The claim holds if the 95 % interval of every difference (Student's t,
    Welch's degrees of freedom) lies below zero, fails if one lies above, and is undecided otherwise.

    Args:
        runs: The metric over (point, run, seed, epoch); the first point is where the documents are, or the verdict's.
        metric: Name of the variable.
        subject: Run, or runs, that the claim is about.
        others: Runs it is compared with.
        epoch: When; -1 is the last.
        others_epoch: When the others are looked at, if at another time.
        higher: The claim is that it lies above.
        within: Share of the others' metric by which the subject may miss it.
        logarithmic: Compare orders of magnitude: decide on the geometric means.
    """
    subjects = [subject] if isinstance(subject, str) else list(subject)
    others_epoch = epoch if others_epoch is None else others_epoch
    at = {}
    for point in runs["point"].values:
        here = runs[metric].sel(point=point)
        ours = {run: _seeds(here, run, epoch) for run in subjects}
        theirs = {run: _seeds(here, run, others_epoch) for run in others}
        pairs = [_difference(a, b, within, higher, logarithmic) for a in ours.values() for b in theirs.values()]
        told = ", ".join(f"{run} {_mean(values, logarithmic)}" for run, values in {**ours, **theirs}.items())
        if set(subjects) & set(others):
            told = " → ".join(_mean(v, logarithmic) for group in (theirs, ours) for v in group.values())
        at[str(point)] = Finding(told, _verdict(pairs))
    return _over_points(at)


def ratio(costs: xr.Dataset, *, subject: str, other: str, low: float, high: float) -> Finding:
    """Whether the subject's seconds over the other's lie in a range; the median over repeats decides."""
    ratios = costs["seconds"].sel(run=subject).values / costs["seconds"].sel(run=other).values
    median, (least, most) = np.median(ratios), (ratios.min(), ratios.max())
    measured = f"{subject} / {other}: {median:.2f} ({least:.2f} to {most:.2f} in {len(ratios)} repeats)"
    return Finding(measured, HOLDS if low <= median <= high else FAILS)


CHECKS: dict[str, Callable[..., Finding]] = {"ordering": ordering, "ratio": ratio}


def _seeds(values: xr.DataArray, run: str, epoch: int) -> np.ndarray:
    """The metric of every seed there is; sweeps have fewer than the main run."""
    chosen = values.sel(run=run).isel(epoch=epoch).values
    return chosen[np.isfinite(chosen)]


def _difference(ours, theirs, within, higher, logarithmic) -> tuple[float, float]:
    """Interval of the difference of means, negative where the claim is right."""
    if higher:
        ours, theirs = theirs, ours
    theirs = theirs * (1 + within)
    if logarithmic:
        ours, theirs = np.log(ours), np.log(theirs)
    interval = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(CONFIDENCE)
    return interval.low, interval.high


def _verdict(intervals: Sequence[tuple[float, float]]) -> str:
    if any(low > 0 for low, _ in intervals):
        return FAILS
    return HOLDS if all(high < 0 for _, high in intervals) else UNDECIDED


def _mean(values: np.ndarray, logarithmic: bool) -> str:
    """Mean and its standard error, to the digits worth printing."""
    if logarithmic:
        mean, error = np.exp(np.mean(np.log(values))), np.exp(stats.sem(np.log(values)))
        return f"{mean:.2g} ×/÷ {error:.2g}"
    return f"{np.mean(values):.3g} ± {stats.sem(values):.1g}"


def _over_points(at: Mapping[str, Finding]) -> Finding:
    """The finding at the first point, and where else the claim holds or not."""
    first, *rest = at.items()
    elsewhere = []
    for verdict in (HOLDS, FAILS, UNDECIDED):
        places = [point for point, finding in rest if finding.verdict == verdict]
        if places:
            elsewhere.append(f"{verdict} at {', '.join(places)}")
    measured = f"{first[0]}: {first[1].measured}" if rest else first[1].measured
    return Finding("; ".join([measured, *elsewhere]), first[1].verdict)


def check(claims: Mapping[str, Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Table of claims.

    Args:
        claims: Entries of `config/claims.yaml`.
        inputs: Datasets of each claim, by argument of its check.
    """
    rows = []
    for name, claim in claims.items():
        finding = CHECKS[claim["check"]](**inputs[name], **claim.get("options", {}))
        rows.append([claim["document"], claim["section"], claim["claim"], *finding])
    return pd.DataFrame(rows, columns=COLUMNS)
