"""The figure of the bandwidth study shows each estimate beside the histogram, one panel a bandwidth."""

import io

import numpy as np
import pytest
import xarray as xr
from scipy.stats import norm

from diffhep.figures import histograms

BANDWIDTHS = [0.1, 0.5, 2.0]


@pytest.fixture(scope="module")
def data() -> xr.Dataset:
    events, edges, x = np.array([-1.2, 0.1, 0.7]), np.linspace(-3, 3, 7), np.linspace(-3, 3, 61)
    kernels = np.array([norm.pdf(x, events[:, None], bandwidth) for bandwidth in BANDWIDTHS])
    below = norm.cdf(edges[:, None, None], events, np.array(BANDWIDTHS)[:, None]).mean(axis=-1)
    return xr.Dataset(
        {
            "hard": ("bin", np.histogram(events, edges, density=True)[0]),
            "binned": (("bandwidth", "bin"), np.diff(below, axis=0).T),
            "curve": (("bandwidth", "x"), kernels.mean(axis=1)),
            "kernels": (("bandwidth", "event", "x"), kernels),
            "truth": ("x", norm.pdf(x)),
            "events": ("event", events),
        },
        coords={"bandwidth": BANDWIDTHS, "x": x, "edges": ("edge", edges)},
    )


@pytest.fixture(scope="module")
def figure(data):
    return histograms.bandwidth_tradeoff(data)


def test_one_panel_a_bandwidth_named_in_bin_widths(figure):
    assert [axis.get_title() for axis in figure.axes] == [f"bandwidth {b:g} × bin width" for b in BANDWIDTHS]
    assert figure.axes[0].get_ylabel() == "density" and figure.axes[0].get_xlabel() == "$x$"


def test_panels_share_their_axes(figure):
    assert len({axis.get_ylim() for axis in figure.axes}) == len({axis.get_xlim() for axis in figure.axes}) == 1


def test_legend_names_everything_that_is_drawn(figure):
    (legend,) = figure.legends
    labels = ["histogram", "binned KDE", "KDE", "its kernels (scaled down)", "true density"]
    assert [text.get_text() for text in legend.get_texts()] == labels


@pytest.mark.parametrize("panel", range(len(BANDWIDTHS)))
def test_panel_shows_the_estimates_of_its_bandwidth(figure, data, panel):
    axis = figure.axes[panel]
    hard, binned = (patch.get_data() for patch in axis.patches)
    np.testing.assert_array_equal(hard.values, data["hard"])
    np.testing.assert_array_equal(binned.values, data["binned"][panel])
    np.testing.assert_array_equal(binned.edges, data["edges"])
    *kernels, curve, truth = axis.lines
    np.testing.assert_array_equal(curve.get_ydata(), data["curve"][panel])
    np.testing.assert_array_equal(truth.get_ydata(), data["truth"])
    assert len(kernels) == data.sizes["event"]


def test_kernels_are_scaled_down_alike_to_a_share_of_the_panel(figure, data):
    for panel, axis in enumerate(figure.axes):
        shown = np.array([line.get_ydata() for line in axis.lines[:-2]])
        np.testing.assert_allclose(shown.max(), 0.15 * axis.get_ylim()[1])
        np.testing.assert_allclose(shown / shown.max(), data["kernels"][panel] / data["kernels"][panel].max())


def test_order_of_the_bandwidths_is_that_of_the_settings(data):
    turned = histograms.bandwidth_tradeoff(data.isel(bandwidth=[2, 0, 1]))
    assert turned.axes[0].get_title() == "bandwidth 2 × bin width"


def test_figure_can_be_drawn(figure):
    figure.savefig(buffer := io.BytesIO(), format="pdf")
    assert buffer.getvalue().startswith(b"%PDF")


@pytest.fixture(scope="module")
def gradients() -> xr.Dataset:
    values = np.arange(24.0).reshape(2, 3, 4)
    smooth = {f"{kind}_{name}": (("events", "bandwidth", "mu"), values + place)
              for kind in ("yield", "gradient") for place, name in enumerate(("binned", "softmax"))}  # fmt: skip
    rough = {f"{kind}_{name}": (("events", "mu"), values[:, 0]) for kind in ("yield", "gradient")
             for name in ("hard", "truth")}  # fmt: skip
    coords = {"mu": np.arange(4.0), "bandwidth": [0.1, 0.5, 0.8], "events": [20, 100]}
    return xr.Dataset(smooth | rough, coords=coords)


def test_rows_are_bandwidths_and_columns_numbers_of_events(gradients):
    axes = histograms.yields_and_gradients(gradients).axes
    assert [axis.get_title() for axis in axes[:3]] == [
        "bandwidth 0.1, 20 events", "bandwidth 0.1, 100 events", "bandwidth 0.5, 20 events"
    ]  # fmt: skip
    np.testing.assert_array_equal(axes[1].lines[1].get_ydata(), gradients["yield_binned"][1, 0])


def test_softmax_is_drawn_only_where_asked_for(gradients):
    assert len(histograms.yields_and_gradients(gradients, kind="gradient").axes[0].lines) == 3
    assert len(histograms.yields_and_gradients(gradients, kind="gradient", softmax=True).axes[0].lines) == 4


@pytest.fixture(scope="module")
def gradient_map() -> xr.Dataset:
    return xr.Dataset(
        {
            "relative_error": (("events", "bandwidth"), [[1.0, 2.0], [4.0, 3.0]]),
            "error": (("events", "bandwidth"), [[2.0, 1.0], [3.0, 4.0]]),
            "best_relative": ("events", [0.1, 1.0]),
            "best": ("events", [1.0, 0.1]),
            "factor": 2.0, "exponent": -0.5, "exponent_error": 0.01,
        },
        coords={"events": [10, 1000], "bandwidth": [0.1, 1.0]},
    )  # fmt: skip


def test_map_marks_the_lowest_of_each_row(gradient_map):
    axis = histograms.error_map(gradient_map).axes[0]
    np.testing.assert_array_equal(axis.lines[0].get_xydata(), [[0.1, 10], [1.0, 1000]])


def test_rule_of_thumb_is_the_power_law(gradient_map):
    axis = histograms.rule_of_thumb(gradient_map).axes[0]
    np.testing.assert_allclose(axis.lines[1].get_xdata(), 2 * np.array([10.0, 1000]) ** -0.5)


def test_central_bin_is_that_of_the_histogram_and_on_request_the_bkde():
    translation = xr.Dataset(
        {"hard": ("mu", [1.0, 2.0]), "binned": ("mu", [1.5, 1.6])}, coords={"mu": [0.0, 1.0]}, attrs={"bandwidth": 0.2}
    )
    assert len(histograms.central_bin(translation).axes[0].lines) == 1
    assert "bandwidth 0.2" in histograms.central_bin(translation, smooth=True).axes[0].lines[1].get_label()
