"""What TOMATOS is compared by: stand-ins against hard cuts, sigmoids that overflow, and numbers for the claims."""

import jax.numpy as jnp
import numpy as np
import pytest
import xarray as xr
from support.study_settings import study_settings

from diffhep.data.vbf_hh4b import VARIABLES
from diffhep.studies.vbf_hh4b import accuracy as lessons
from diffhep.studies.vbf_hh4b import comparison, inputs

FULL = study_settings("vbf_hh4b")
DATA = FULL["data"] | {"events": {"signal": 3000, "background": 9000}}
EDGES = [600.0, 1000.0, 1300.0, 3000.0]
SLOPES, WIDTHS = [20.0, 1000.0, 1e9], [1e-9, 0.01, 0.1]


@pytest.fixture(scope="module")
def events():
    return inputs.generate({"seed": 0, "data": DATA})


@pytest.fixture(scope="module")
def accuracy(events):
    settings = {
        "data": DATA,
        "cuts": {"m_jj": 300.0, "deta_jj": 2.0},
        "edges": EDGES,
        "slopes": SLOPES,
        "bandwidths": WIDTHS,
    }
    return lessons.accuracy(settings, events)


def test_stand_ins_are_exact_where_they_are_hard(accuracy):
    assert float(accuracy["cuts"].sel(slope=1e9).max()) < 1e-6
    assert float(accuracy["bandwidth"].sel(width=1e-9).max()) < 1e-6
    assert float(accuracy["both"].sel(slope=1e9, width=1e-9).max()) < 1e-6


def test_the_softer_the_farther_from_the_hard_histogram(accuracy):
    assert (np.diff(accuracy["cuts"], axis=1) < 0).all() and (np.diff(accuracy["bandwidth"], axis=1) > 0).all()


def test_both_together_are_each_alone_where_the_other_is_hard(accuracy):
    np.testing.assert_allclose(accuracy["both"].sel(slope=1e9), accuracy["bandwidth"], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(accuracy["both"].sel(width=1e-9), accuracy["cuts"], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("sample", "row"), [("signal", 0), ("background", -1)])
def test_the_deviation_of_soft_cuts_is_numpys(events, accuracy, sample, row):
    region = inputs.part(events, DATA["regions"]).signal_region
    columns = {name: region.variables[row, :, n].astype(float) for n, name in enumerate(VARIABLES)}
    hard, soft = region.weights[row].copy(), region.weights[row].copy()
    for name, value in (("m_jj", 300.0), ("deta_jj", 2.0)):
        cut = float(inputs.to_shares(events, value, name))
        hard *= columns[name] > cut
        soft /= 1 + np.exp(-20.0 * (columns[name] - cut))
    edges = inputs.to_shares(events, EDGES, "m_hh")
    found = (
        np.histogram(columns["m_hh"], edges, weights=soft)[0] / np.histogram(columns["m_hh"], edges, weights=hard)[0]
    )
    expected = np.abs(found - 1).max()
    assert float(accuracy["cuts"].sel(sample=sample, slope=20.0)) == pytest.approx(expected, rel=1e-5)


@pytest.fixture(scope="module")
def sigmoids():
    return lessons.sigmoids(FULL["sigmoids"])


def test_a_sigmoid_turns_on_over_twice_the_logarithm_of_19_over_its_slope(sigmoids):
    np.testing.assert_allclose(sigmoids["width"], 2 * np.log(19) / sigmoids["slope"])
    for slope in sigmoids["slope"].values:
        of_slope = sigmoids.sel(slope=slope)
        on = np.interp([0.05, 0.95], of_slope["weight"], of_slope["distance"])
        assert np.ptp(on) == pytest.approx(float(of_slope["width"]), rel=0.001)
        assert float(of_slope["weight"].sel(distance=0, method="nearest")) == pytest.approx(0.5)


def test_the_written_formula_has_no_gradient_where_it_overflows_and_the_safe_one_has_everywhere(sigmoids):
    """exp(x) overflows double precision above x = log(max) = 709.8."""
    step = 1e4 ** (1 / 400)  # between the cuts that are looked at
    ratio = sigmoids["last"].sel(sigmoid="formula") * sigmoids["steep"] / np.log(np.finfo(float).max)
    assert (ratio <= 1).all() and (ratio > 1 / step).all()
    np.testing.assert_allclose(sigmoids["last"].sel(sigmoid="safe"), 1.0)


def test_the_last_cut_is_the_one_before_the_first_without_a_gradient():
    def sigmoid(value, cut, slope):
        return slope * cut * jnp.where((cut > 0.1) & (cut < 0.2), jnp.nan, 1.0)

    assert 0.1 / 1.024 < lessons._last_cut(sigmoid, 1.0) <= 0.1


@pytest.mark.parametrize(("width", "inside"), [(0.4, 0.68), (0.2, 0.84), (0.1, 0.92), (0.05, 0.96), (0.01, 0.992)])
def test_open_outer_edges_lose_what_is_smeared_beyond_them(sigmoids, width, inside):
    """Facts on TOMATOS, section 3: shares of events uniform in [0, 1] that stay."""
    leaked = sigmoids["leaked"].sel(bandwidth=width)
    assert 1 - float(leaked.sel(outer="open")) == pytest.approx(inside, abs=0.006)
    if width <= 0.2:  # both ends lose the mean of the positive half of a Gaussian: width / root(2 pi) each
        assert float(leaked.sel(outer="open")) == pytest.approx(2 * width / np.sqrt(2 * np.pi), rel=1e-4)
    assert abs(float(leaked.sel(outer="closed"))) < 1e-12


RUNS = [
    f"{name}_fold_{fold}"
    for name in ("m_hh", "m_hh_annealed", "network", "network_annealed", "cross_entropy")
    for fold in range(2)
]
HELD = ["dynamic", "held_0.01", "held_0.05", "held_0.2"]


def judged(runs, seeds=1, start=0.01):
    """Rising CLs and limits of so many runs and starts."""
    values = start * (1 + np.arange(len(runs) * seeds, dtype=float)).reshape(len(runs), seeds)
    return xr.Dataset({"cls": (("run", "seed"), values), "limit": (("run", "seed"), 10 * values)}, {"run": runs})


def smooth_and_hard(off):
    """A run whose smooth histograms are off by so much in one bin of signal or background, at its last step."""
    hard = np.full((1, 2, 3, 2), 5.0)
    signal, background = hard.copy(), hard[:, :, 0].copy()
    signal[0, -1, 0, 1] *= 1 + off["signal"]
    signal[0, -1, 1, 0] *= 3  # a variation does not count
    background[0, -1, 0] *= 1 + off["background"]
    dims = ("seed", "step", "variation", "bin")
    return xr.Dataset(
        {
            "signal_smooth": (dims, signal),
            "signal_train": (dims, hard),
            "background_smooth": ((*dims[:2], "bin"), background),
            "background_train": ((*dims[:2], "bin"), hard[:, :, 0]),
        }
    )


@pytest.fixture(scope="module")
def compared():
    trained = {name: smooth_and_hard({"signal": 0.01 * n, "background": -0.02}) for n, name in enumerate(RUNS)}
    reached = xr.Dataset({"cls": (("run", "seed"), [[0.1, 0.0103, 0.0101], [0.0099, 0.01019, 0.01021]])})
    held = judged([*HELD, *(f"{name}_annealed" for name in HELD)], 3)
    events = np.stack([100 * held["cls"], 50 * held["cls"]], axis=-1)  # emptier in the second bin
    held = held.assign(background=(("run", "seed", "bin"), events))
    exploit = xr.Dataset({"gap": (("run", "fold"), [[1.0, 3.0], [0.5, 0.5]])}, {"run": ["inside", "outside"]})
    landscape = xr.Dataset({"best_cls": ("binning", [0.01, 0.02])}, {"binning": ["three", "five"]})
    return comparison.compare(
        {"number": 2, "plateau": 0.02},
        trained,
        {
            "compared": judged(RUNS),
            "traditional": judged(["traditional_fold_0", "traditional_fold_1"], start=0.5),
            "slopes": judged(["slope_20", "slope_100"], start=0.02),
            "starts": reached.assign_coords(run=["starts_steep", "starts_annealed"]),
            "bandwidths": held.isel(run=slice(None, None, -1)),  # in whatever order
        },
        exploit,
        landscape,
    )


def test_the_emptiest_bin_is_averaged_over_starts(compared):
    np.testing.assert_allclose(compared["emptiest"].sel(run="dynamic"), [1.0, 7.0])
    np.testing.assert_allclose(compared["emptiest"].sel(run="held_0.2"), [5.5, 11.5])


def test_limits_and_cls_are_those_of_each_strategy_and_fold(compared):
    np.testing.assert_allclose(compared["cls"].sel(strategy="traditional"), [0.5, 1.0])
    np.testing.assert_allclose(compared["limit"].sel(strategy="network"), [0.5, 0.6])
    np.testing.assert_allclose(compared["cls"].sel(strategy="cross_entropy"), [0.09, 0.1])


def test_ratios_are_of_automated_over_traditional_limits_with_their_scatter_over_folds(compared):
    for pair, ratios in {"m_hh": [0.1 / 5, 0.2 / 10], "network_annealed": [0.7 / 0.9, 0.8 / 1.0]}.items():
        assert float(compared["ratio"].sel(pair=pair)) == pytest.approx(np.mean(ratios))
        error = abs(ratios[0] - ratios[1]) / 2  # of a mean of two
        assert float(compared["ratio_error"].sel(pair=pair)) == pytest.approx(error, abs=1e-12)


def test_deviations_are_the_largest_of_signal_and_background_in_percent(compared):
    """Run n is off by n percent in the signal and by 2 percent in the background, whichever is more."""
    np.testing.assert_allclose(compared["deviation"], [2.0, 2.5, 4.5, 6.5])
    np.testing.assert_allclose(compared["deviation_error"], [0.0, 0.5, 0.5, 0.5], atol=1e-9)


def test_what_is_missed_and_reached_is_measured_by_the_best_pair_of_the_scan(compared):
    np.testing.assert_allclose(compared["missed"], [1.0, 3.0])
    assert compared["reached"].values.tolist() == [1, 2] and int(compared["starts"]) == 3


def test_held_bandwidths_stand_beside_the_trained_one_at_both_kinds_of_slopes(compared):
    expected = 0.01 * (1 + np.arange(24.0)).reshape(2, 4, 3)
    assert compared["point"].values.tolist() == ["slope 20000", "annealed"] and compared["run"].values.tolist() == HELD
    np.testing.assert_allclose(compared["held"][..., 0], expected)


def test_gaps_have_the_error_of_their_mean_over_folds(compared):
    np.testing.assert_allclose(compared["gap"], [2.0, 0.5])
    np.testing.assert_allclose(compared["gap_error"], [1.0, 0.0])
