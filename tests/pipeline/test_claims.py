"""Verdicts on data whose answer is known."""

import numpy as np
import pytest
import xarray as xr
from scipy import stats

from diffhep.pipeline import claims


def runs(**means):
    """Seven seeds around each mean, at two epochs; the metric halves between them."""
    noise = np.linspace(-1, 1, 7)
    values = [[[2 * (mean + noise), mean + noise] for mean in means.values()]]
    return xr.Dataset(
        {"metric": (("point", "run", "epoch", "seed"), values)}, coords={"point": ["here"], "run": list(means)}
    )


def verdict(data, **options):
    return claims.ordering(data, metric="metric", **options).verdict


def test_a_clear_order_holds_and_its_reverse_does_not():
    data = runs(low=10, high=20)
    assert verdict(data, subject="low", others=["high"]) == claims.HOLDS
    assert verdict(data, subject="high", others=["low"]) == claims.FAILS
    assert verdict(data, subject="high", others=["low"], higher=True) == claims.HOLDS
    assert verdict(data, subject="low", others=["high"], logarithmic=True) == claims.HOLDS


def test_a_close_race_is_undecided():
    assert verdict(runs(a=10, b=10.1), subject="a", others=["b"]) == claims.UNDECIDED


def test_one_lower_run_decides_against_the_claim():
    data = runs(a=10, b=20, c=5)
    assert verdict(data, subject="a", others=["b", "c"]) == claims.FAILS


def test_a_tolerance_turns_beaten_into_matched():
    data = runs(a=100, b=98)
    assert verdict(data, subject="a", others=["b"]) == claims.FAILS
    assert verdict(data, subject="a", others=["b"], within=0.05) == claims.HOLDS


def test_a_run_can_be_compared_with_its_own_past():
    data = runs(a=10)
    assert verdict(data, subject="a", others=["a"], others_epoch=0) == claims.HOLDS
    assert (
        claims.ordering(data, metric="metric", subject="a", others=["a"], others_epoch=0).measured
        == "20 ± 0.5 → 10 ± 0.3"
    )


def test_the_first_point_decides_and_the_others_are_reported():
    here, there = runs(a=10, b=20), runs(a=20, b=10).assign_coords(point=["there"])
    finding = claims.ordering(xr.concat([here, there], "point"), metric="metric", subject="a", others=["b"])
    assert finding.verdict == claims.HOLDS
    assert finding.measured.startswith("here: a 10 ± 0.3, b 20 ± 0.3") and finding.measured.endswith(
        "does not hold at there"
    )


def test_interval_is_that_of_welch_and_student():
    """Closed form for equal sizes and spreads: t quantile times the standard error."""
    data = runs(a=0, b=0)
    values = data["metric"].values[0, 0, 1]
    half = 2.178812829667229 * np.sqrt(2 * values.var(ddof=1) / 7)  # t quantile of 0.975 at 12 degrees of freedom
    low, high = claims._difference(values, values, 0.0, False, False)
    np.testing.assert_allclose([low, high], [-half, half], rtol=1e-9)


@pytest.mark.parametrize(("low", "high", "expected"), [(2.0, 4.0, claims.HOLDS), (3.5, 4.0, claims.FAILS)])
def test_a_ratio_is_judged_by_its_median(low, high, expected):
    costs = xr.Dataset(
        {"seconds": (("repeat", "run"), [[1.0, 3.0], [1.0, 3.2], [2.0, 6.0]])}, coords={"run": ["bce", "cls"]}
    )
    assert claims.ratio(costs, subject="cls", other="bce", low=low, high=high).verdict == expected


def test_the_table_has_the_promised_columns():
    claim = {"document": "d", "section": "1", "claim": "c", "check": "ordering"}
    claim["options"] = {"metric": "metric", "subject": "a", "others": ["b"]}
    table = claims.check({"one": claim}, {"one": {"runs": runs(a=1, b=5)}})
    assert list(table.columns) == ["document", "section", "claim", "measured", "verdict"]
    assert table.iloc[0]["verdict"] == claims.HOLDS


def test_orders_of_magnitude_are_not_decided_by_one_outlier():
    """Six seeds a thousand times lower and one higher: lower in geometric mean, undecided in the mean."""
    spread = np.linspace(0.9, 1.1, 7)
    values = np.array([[1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-6, 1e-2] * spread, 1e-3 * spread])
    data = xr.Dataset(
        {"metric": (("point", "run", "epoch", "seed"), values[None, :, None])},
        coords={"point": ["here"], "run": ["a", "b"]},
    )
    assert verdict(data, subject="a", others=["b"]) == claims.UNDECIDED
    assert verdict(data, subject="a", others=["b"], logarithmic=True) == claims.HOLDS


def chosen(data, **epochs):
    return data.assign(selected=("run", list(epochs.values())))


def test_ordering_can_be_at_the_selected_epoch():
    data = chosen(runs(a=10, b=15).assign_coords(epoch=[0, 1]), a=0, b=1)  # a is 20 there, b 15
    assert verdict(data, subject="b", others=["a"], epoch="selected") == claims.HOLDS


@pytest.mark.parametrize(("low", "high", "expected"), [
    (1.5, 2.5, claims.HOLDS), (3.0, 4.0, claims.FAILS), (1.99, 2.0001, claims.UNDECIDED),
])  # fmt: skip
def test_orders_of_magnitude_between_geometric_means(low, high, expected):
    noise = np.exp(np.linspace(-0.05, 0.05, 7))
    values = np.stack([1e-5 * noise, 1e-3 * noise])[None, :, None]
    data = xr.Dataset({"p": (("point", "run", "epoch", "seed"), values)}, coords={"run": ["low", "high"]})
    finding = claims.orders_of_magnitude(data, metric="p", subject="low", other="high", low=low, high=high, epoch=-1)
    assert finding.verdict == expected
    assert finding.measured.startswith("2 orders")


def scattered(width):
    values = 10 + width * np.random.default_rng(0).normal(size=(1, 1, 1, 20))
    return xr.Dataset({"m": (("point", "run", "epoch", "seed"), values)}, coords={"run": ["a"]})


def test_steadier_compares_spreads():
    def compare(one, other):
        return claims.spread_ratio(scattered(one), scattered(other), metric="m", subject="a", other="a").verdict

    assert compare(0.1, 1.0) == claims.HOLDS
    assert compare(1.0, 0.1) == claims.FAILS
    assert compare(1.0, 1.0) == claims.UNDECIDED


def test_steadier_compares_equally_long_trainings():
    longer = xr.concat([scattered(1.0), scattered(0.1)], "epoch")
    assert claims.spread_ratio(longer, scattered(1.0), metric="m", subject="a", other="a").measured.startswith(
        "ratio of spreads 1 "
    )


def test_steadier_has_the_interval_of_fishers_f():
    low, high = 1 / np.sqrt(stats.f.ppf([0.975, 0.025], 19, 19))
    printed = claims.spread_ratio(scattered(1.0), scattered(1.0), metric="m", subject="a", other="a").measured
    assert printed == f"ratio of spreads 1 ({low:.2g} to {high:.2g}) at epoch 0"


def test_a_value_with_an_error_can_be_undecided():
    data = xr.Dataset({"x": 1.0, "error": 0.1})
    assert claims.value(data, variable="x", low=0.9).verdict == claims.HOLDS
    assert claims.value(data, variable="x", low=0.9, error="error").verdict == claims.UNDECIDED
    assert claims.value(data, variable="x", low=1.3, error="error").verdict == claims.FAILS


def test_one_of_several_values_can_spoil_a_claim():
    data = xr.Dataset({"x": ("metric", [0.1, 5.0])}, coords={"metric": ["cls", "p0"]})
    finding = claims.value(data, variable="x", at={"metric": ["cls", "p0"]}, high=1.0)
    assert finding == claims.Finding("cls 0.1, p0 5", claims.FAILS)
    assert claims.value(data, variable="x", at={"metric": "cls"}, high=1.0).verdict == claims.HOLDS


def test_a_value_at_several_points_is_decided_at_the_first_and_reported_elsewhere():
    data = xr.Dataset(
        {"width": (("point", "run"), [[1.2], [2.0]]), "error": (("point", "run"), [[0.05], [0.1]])},
        coords={"point": ["home", "there"], "run": ["a"]},
    )
    found = claims.value(data, variable="width", error="error", low=1.0, high=1.5)
    assert found == claims.Finding("home: a 1.2 ± 0.05; does not hold at there", claims.HOLDS)
    assert claims.value(data, variable="width", error="error", low=1.15, high=1.5).verdict == claims.UNDECIDED


def test_values_that_do_not_scatter_have_a_difference_without_error():
    assert claims._welch(np.full(3, 60.0), np.full(2, 40.0)) == (20.0, 20.0)


def test_interval_of_unequal_sizes_is_scipys():
    rng = np.random.default_rng(0)
    ours, theirs = rng.normal(0, 1, 5), rng.normal(1, 3, 9)
    expected = stats.ttest_ind(ours, theirs, equal_var=False).confidence_interval(claims.CONFIDENCE_LEVEL)
    np.testing.assert_allclose(claims._welch(ours, theirs), [expected.low, expected.high])
