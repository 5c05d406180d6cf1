"""Checks of the documents' claims on stored results, each with a number and a verdict."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import xarray as xr
from scipy import stats

HOLDS, FAILS, UNDECIDED = "holds", "does not hold", "undecided"
TABLE_COLUMNS = ("document", "section", "claim", "measured", "verdict")
CONFIDENCE_LEVEL = 0.95  # of the intervals that decide


class Finding(NamedTuple):
    """Result of a check.

    Attributes:
        measured: Numbers for the reader.
        verdict: Whether the claim holds.
    """

    measured: str
    verdict: str


def ordering(
    runs: xr.Dataset,
    *,
    metric: str,
    subject: str | Sequence[str],
    others: Sequence[str],
    epoch: int | str = -1,
    others_epoch: int | None = None,
    higher: bool = False,
    within: float = 0.0,
    logarithmic: bool = False,
) -> Finding:
    """Check that the subject's metric is below that of all others, at the documents' settings and elsewhere.

    Means over seeds are compared. The claim holds if the 95 % interval of every difference (Student's t,
    Welch's degrees of freedom) lies below zero, fails if one lies above, and is undecided otherwise.

    Args:
        runs: The metric over (point, run, seed, epoch). The first point, the documents' settings, decides.
        metric: Name of the variable.
        subject: Run, or runs, that the claim is about.
        others: Runs to compare with.
        epoch: Epoch; -1 is the last, "selected" that of the lowest mean objective of each run.
        others_epoch: Epoch of the others, if it differs.
        higher: Check that the metric is above instead.
        within: Share of the others' metric that the subject may be above.
        logarithmic: Compare geometric means.
    """
    subjects = [subject] if isinstance(subject, str) else list(subject)
    others_epoch = epoch if others_epoch is None else others_epoch
    findings = {}
    for point in runs["point"].values:
        here = runs[metric].sel(point=point)
        ours = {run: _seeds(here, run, _epoch(runs, run, epoch)) for run in subjects}
        theirs = {run: _seeds(here, run, _epoch(runs, run, others_epoch)) for run in others}
        pairs = [_difference(a, b, within, higher, logarithmic) for a in ours.values() for b in theirs.values()]
        measured = ", ".join(f"{run} {_mean(values, logarithmic)}" for run, values in {**ours, **theirs}.items())
        if set(subjects) & set(others):
            measured = " → ".join(_mean(v, logarithmic) for group in (theirs, ours) for v in group.values())
        findings[str(point)] = Finding(measured, _verdict(pairs))
    return _over_points(findings)


def ratio(costs: xr.Dataset, *, subject: str, other: str, low: float, high: float) -> Finding:
    """Check that the subject's seconds over the other's are in a range; the median over repeats decides."""
    ratios = costs["seconds"].sel(run=subject).values / costs["seconds"].sel(run=other).values
    median, (least, most) = np.median(ratios), (ratios.min(), ratios.max())
    measured = f"{subject} / {other}: {median:.2f} ({least:.2f} to {most:.2f} in {len(ratios)} repeats)"
    return Finding(measured, HOLDS if low <= median <= high else FAILS)


def orders_of_magnitude(
    runs: xr.Dataset, *, metric: str, subject: str, other: str, low: float, high: float, epoch: int | str = "selected"
) -> Finding:
    """Check that the subject's metric is orders of magnitude below the other's: log10(other / subject) in a range.

    Geometric means over seeds at the first point; the 95 % interval (Welch) decides.
    """
    here = runs[metric].isel(point=0)
    ours, theirs = (np.log10(_seeds(here, run, _epoch(runs, run, epoch))) for run in (subject, other))
    least, most = _welch(theirs, ours)
    measured = f"{np.mean(theirs) - np.mean(ours):.2g} orders ({least:.2g} to {most:.2g})"
    return Finding(measured, _inside(least, most, low, high))


def spread_ratio(
    subject_runs: xr.Dataset,
    other_runs: xr.Dataset,
    *,
    metric: str,
    subject: str,
    other: str,
    logarithmic: bool = False,
) -> Finding:
    """Check that the metric of the subject scatters less over seeds than that of the other run at the same epoch.

    Ratio of standard deviations at the first point and the last epoch that both have, with its 95 % interval from
    Fisher's F.
    """
    epoch = min(subject_runs.sizes["epoch"], other_runs.sizes["epoch"]) - 1
    values = [
        _seeds(runs[metric].isel(point=0), run, epoch) for runs, run in ((subject_runs, subject), (other_runs, other))
    ]
    ours, theirs = (np.log(metrics) for metrics in values) if logarithmic else values
    ratio = np.std(ours, ddof=1) / np.std(theirs, ddof=1)
    tails = [(1 - CONFIDENCE_LEVEL) / 2, (1 + CONFIDENCE_LEVEL) / 2]
    most, least = ratio / np.sqrt(stats.f.ppf(tails, len(ours) - 1, len(theirs) - 1))
    measured = f"ratio of spreads {ratio:.2g} ({least:.2g} to {most:.2g}) at epoch {epoch}"
    return Finding(measured, _inside(least, most, 0.0, 1.0))


def value(
    data: xr.Dataset,
    *,
    variable: str,
    at: Mapping[str, Any] | None = None,
    low: float = -np.inf,
    high: float = np.inf,
    error: str | None = None,
) -> Finding:
    """Check that a stored value, or all of several, is in a range; of several points, the first decides.

    Args:
        data: Dataset with the value.
        variable: Name of the value.
        at: Labels to select by dimension; lists select several.
        low: Lowest value that the claim allows.
        high: Highest value that the claim allows.
        error: Name of the standard error, if there is one; the 95 % interval then decides.
    """
    data = data.sel(**(at or {}))
    values = data[variable]
    if "point" in values.dims:
        options = {"variable": variable, "low": low, "high": high, "error": error}
        return _over_points({str(point): value(data.sel(point=point), **options) for point in values["point"].values})
    errors = data[error] if error else xr.zeros_like(values)
    margins = stats.norm.ppf((1 + CONFIDENCE_LEVEL) / 2) * np.ravel(errors)
    verdicts = [_inside(v - m, v + m, low, high) for v, m in zip(np.ravel(values), margins, strict=True)]
    numbers = [f"{number:.5g}" for number in np.ravel(values)]
    if error:
        numbers = [f"{number} ± {spread:.1g}" for number, spread in zip(numbers, np.ravel(errors), strict=True)]
    if values.ndim:
        numbers = [f"{name} {number}" for name, number in zip(values[values.dims[0]].values, numbers, strict=True)]
    return Finding(", ".join(numbers), next((v for v in (FAILS, UNDECIDED) if v in verdicts), HOLDS))


CHECKS: dict[str, Callable[..., Finding]] = {
    "ordering": ordering,
    "ratio": ratio,
    "orders_of_magnitude": orders_of_magnitude,
    "spread_ratio": spread_ratio,
    "value": value,
}


def _inside(least: float, most: float, low: float, high: float) -> str:
    """Verdict on an interval that should lie between low and high."""
    if least > high or most < low:
        return FAILS
    return HOLDS if low <= least and most <= high else UNDECIDED


def _epoch(runs: xr.Dataset, run: str, epoch: int | str) -> int:
    return int(runs["selected"].sel(run=run)) if epoch == "selected" else epoch


def _seeds(values: xr.DataArray, run: str, epoch: int) -> np.ndarray:
    """Metric of every seed; sweeps have fewer seeds than the main run."""
    metrics = values.sel(run=run).isel(epoch=epoch).values
    return metrics[np.isfinite(metrics)]


def _difference(ours, theirs, within, higher, logarithmic) -> tuple[float, float]:
    """Confidence interval of the difference of means, which is negative where the claim holds."""
    if higher:
        ours, theirs = theirs, ours
    theirs = theirs * (1 + within)
    if logarithmic:
        ours, theirs = np.log(ours), np.log(theirs)
    return _welch(ours, theirs)


def _welch(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Confidence interval of the difference of two means, by Welch's t-test."""
    if np.ptp(ours) == np.ptp(theirs) == 0:  # scipy warns where nothing scatters
        return (float(np.mean(ours) - np.mean(theirs)),) * 2
    interval = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(CONFIDENCE_LEVEL)
    return float(interval.low), float(interval.high)


def _verdict(intervals: Sequence[tuple[float, float]]) -> str:
    if any(low > 0 for low, _ in intervals):
        return FAILS
    return HOLDS if all(high < 0 for _, high in intervals) else UNDECIDED


def _mean(values: np.ndarray, logarithmic: bool) -> str:
    """Mean and its standard error as text."""
    if logarithmic:
        mean, error = np.exp(np.mean(np.log(values))), np.exp(stats.sem(np.log(values)))
        return f"{mean:.2g} ×/÷ {error:.2g}"
    return f"{np.mean(values):.3g} ± {stats.sem(values):.1g}"


def _over_points(findings: Mapping[str, Finding]) -> Finding:
    """Finding at the first point, with the verdicts at the others."""
    first, *rest = findings.items()
    elsewhere = []
    for verdict in (HOLDS, FAILS, UNDECIDED):
        places = [point for point, finding in rest if finding.verdict == verdict]
        if places:
            elsewhere.append(f"{verdict} at {', '.join(places)}")
    measured = f"{first[0]}: {first[1].measured}" if rest else first[1].measured
    return Finding("; ".join([measured, *elsewhere]), first[1].verdict)


def check(claims: Mapping[str, Mapping[str, Any]], inputs: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """Check claims, and return their table.

    Args:
        claims: Claims by name, as in `config/claims/<document>.yaml`, with their `document`.
        inputs: Datasets of each claim, by argument of its check.
    """
    rows = []
    for name, claim in claims.items():
        finding = CHECKS[claim["check"]](**inputs[name], **claim.get("options", {}))
        rows.append([claim["document"], claim["section"], claim["claim"], *finding])
    return pd.DataFrame(rows, columns=TABLE_COLUMNS)
